from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Metric, Through
from sparring.metrics._neighbors import nearest

PUT_ASIDE = 1_000
"""Training examples that are put aside, each in turn, to learn how near others come by chance."""


@final
@dataclass(frozen=True)
class Copying(Metric):
    """Share of generated examples that lie nearer to a training example than unseen data would: memorization.

    Of training examples put aside in turn, `chance` lie nearer to another than some distance; of generated ones more
    may. What is above `chance` is told, so unseen real data scores about 0 and a generator that recites scores 1. By
    pixels: a copy that was moved or mirrored is not seen.
    """

    rng: float = 0.05
    """Share of unseen examples that lie as near."""

    title: ClassVar[str] = "copying"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    through: ClassVar[Through] = "pixels"
    source: ClassVar[str] = "after Meehan et al., A non-parametric test to detect data-copying, AISTATS 2020"
    catches: ClassVar[tuple[Fault, ...]] = ("copying",)
    whole: ClassVar[bool] = True

    def of(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        aside = np.arange(0, len(real), max(1, len(real) // PUT_ASIDE))[:PUT_ASIDE]
        near = np.quantile(nearest(real[aside], real, own=aside), self.rng)
        copied = np.array([(nearest(member, real) < near).mean() for member in fake])
        return np.clip((copied - self.rng) / (1 - self.rng), 0, 1)
