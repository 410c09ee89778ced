from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._neighbors import two_nearest

LEFT_OUT = 1_000
"""How many training examples are left out, each in turn, to learn how near unseen examples come to the others."""
FEWEST = 3
"""Different training examples: one may be left out, and of the others one is the nearest and one the next."""


@final
@dataclass(frozen=True)
class Copying(Metric):
    """Share of generated examples that lie nearer to one training example than unseen data would: memorization.

    A copy is nearer to a training example than all but a share `false_positives` of unseen real examples are, and its
    distance to the next training example is as many times larger as is as rare among these: samples that are smoother
    than the data lie near to many training examples, and copy none. The share of unseen real examples that are copies
    by this is subtracted, so that unseen data scores about 0 and a generator that only copies scores 1. Distances are
    between pixels: a copy that was moved or mirrored is not found.
    """

    false_positives: float = 0.05
    """Share of unseen real examples that lie as near as a copy, and of those that do so to one alone."""

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
        rows, which, times = np.unique(_hashes(real), return_index=True, return_inverse=True, return_counts=True)[1:]
        different = real[rows]
        if len(different) < FEWEST:
            return np.zeros(len(fake))
        left_out = which[np.arange(0, len(real), max(1, len(real) // LEFT_OUT))[:LEFT_OUT]]
        own = np.where(times[left_out] > 1, -1, left_out)  # another one that is the same is still there
        unseen = two_nearest(different[left_out], different, own)
        near, alone = (np.quantile(each, self.false_positives) for each in (unseen[:, 0], _ratios(unseen)))
        found = [two_nearest(member, different) for member in fake]
        shares = np.array([((each[:, 0] < near) & (_ratios(each) < alone)).mean() for each in (unseen, *found)])
        return np.clip((shares[1:] - shares[0]) / (1 - shares[0]), 0, 1)


def _hashes(examples: np.ndarray) -> np.ndarray:
    """Of `(N, D)`, a number for each; those of equal examples are equal."""
    return np.array([hash(each.tobytes()) for each in examples])


def _ratios(distances: np.ndarray) -> np.ndarray:
    """Of `(n, 2)`: to the nearest example, as a share of that to the next."""
    return distances[:, 0] / np.maximum(distances[:, 1], np.finfo(float).tiny)
