from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space


@final
@dataclass(frozen=True)
class VendiScore(Metric):
    """The effective number of different examples: e to the entropy of the eigenvalues of their similarity matrix.

    Similarity is the cosine of two examples' features. From 1 (all alike) to the number of features. Noise scores high
    too.
    """

    title: ClassVar[str] = "Vendi score"
    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "effective number of different examples"
    range: ClassVar[tuple[float, float]] = (1.0, float("inf"))
    healthy: ClassVar[Healthy] = Healthy(min_ratio=0.75, why="samples are about as varied as real examples")
    space: ClassVar[Space] = "features"
    source: ClassVar[str] = "Friedman and Dieng, The Vendi score, TMLR 2023, definition 3.1"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "lost classes")

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        length = np.maximum(np.linalg.norm(fake, axis=-1, keepdims=True), 1e-12)
        unit = fake / length
        # n x n similarities and D x D products have the same eigenvalues other than 0: the smaller ones will do.
        _, count, size = unit.shape
        transposed = unit.transpose(0, 2, 1)
        values = np.linalg.eigvalsh((transposed @ unit if size <= count else unit @ transposed) / count)
        values = np.clip(values, 1e-300, None)
        return np.maximum(1.0, np.exp(-(values * np.log(values)).sum(-1)))
