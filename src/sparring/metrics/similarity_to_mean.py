from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space

MAX_RATIO = 100.0
"""The largest ratio that is reported: the mean itself would have an infinite one."""


@final
@dataclass(frozen=True)
class SimilarityToMean(Metric):
    """How near samples lie to the mean of the training data; twice as near as held-out real examples is 2.

    A generator that draws the mean scores MAX_RATIO.
    """

    title: ClassVar[str] = "similarity to the mean"
    unit: ClassVar[str] = "real = 1"
    better: ClassVar[Better] = "as-real"
    range: ClassVar[tuple[float, float]] = (0.0, MAX_RATIO)
    healthy: ClassVar[Healthy] = Healthy(
        min_ratio=0.75, max_ratio=1.35, why="samples lie as far from the mean as real examples do"
    )
    space: ClassVar[Space] = "examples"
    source: ClassVar[str] = "our own: Euclidean distance to the mean of the training examples, inverted"
    catches: ClassVar[tuple[Fault, ...]] = ("average", "noise")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 100
    relative: ClassVar[bool] = True
    single_precision: ClassVar[bool] = True
    min_examples: ClassVar[int] = 1

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        """Mean distance to the mean of the real examples, in data units, `(P,)`."""
        mean = real.reshape(len(real), -1).mean(0)
        return np.linalg.norm(fake.reshape(*fake.shape[:2], -1) - mean, axis=-1).mean(1, dtype=np.float64)

    def ratio(self, values: np.ndarray, real: float) -> np.ndarray:
        return real / np.maximum(values, real / MAX_RATIO)
