from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._neighbors import nearest

LEFT_OUT = 1_000
"""How many training examples are left out, each in turn, to learn how near unseen examples come to the others."""


@final
@dataclass(frozen=True)
class Copying(Metric):
    """Share of generated examples that lie nearer to a training example than unseen data would: memorization.

    A share `false_positives` of unseen real examples lies nearer to a training example than some distance. Of generated
    examples more may. What is above `false_positives` is reported, so unseen real data scores about 0 and a generator
    that only copies scores 1. Distances are between pixels: a copy that was moved or mirrored is not found.
    """

    false_positives: float = 0.05
    """Share of unseen real examples that lie as near as a copy."""

    title: ClassVar[str] = "copying"
    unit: ClassVar[str] = "share of samples, 0 for unseen data"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(max_above=0.1, why="no more copies than unseen data seems to hold")
    space: ClassVar[Space] = "pixels"
    source: ClassVar[str] = "after Meehan et al., A non-parametric test to detect data-copying, AISTATS 2020"
    catches: ClassVar[tuple[Fault, ...]] = ("copying",)
    linear: ClassVar[bool] = True
    all_training: ClassVar[bool] = True
    single_precision: ClassVar[bool] = True

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        left_out = np.arange(0, len(real), max(1, len(real) // LEFT_OUT))[:LEFT_OUT]
        near = np.quantile(nearest(real[left_out], real, own=left_out), self.false_positives)
        copied = np.array([(nearest(member, real) < near).mean() for member in fake])
        return np.clip((copied - self.false_positives) / (1 - self.false_positives), 0, 1)
