from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Metric, Through


@final
@dataclass(frozen=True)
class VendiScore(Metric):
    """How many kinds of example there are, effectively: e to the entropy of the eigenvalues of their similarity.

    Similarity is the cosine of two examples' features. From 1 (all alike) to the number of features. Noise of many
    kinds scores high too.
    """

    title: ClassVar[str] = "Vendi score"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (1.0, float("inf"))
    through: ClassVar[Through] = "features"
    source: ClassVar[str] = "Friedman and Dieng, The Vendi score, TMLR 2023, definition 3.1"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "lost classes")

    def of(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        length = np.maximum(np.linalg.norm(fake, axis=-1, keepdims=True), 1e-12)
        unit = fake / length
        # n x n similarities and D x D products have the same eigenvalues other than 0: the smaller ones will do.
        _, count, size = unit.shape
        turned = unit.transpose(0, 2, 1)
        values = np.linalg.eigvalsh((turned @ unit if size <= count else unit @ turned) / count)
        values = np.clip(values, 1e-300, None)
        return np.maximum(1.0, np.exp(-(values * np.log(values)).sum(-1)))
