from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._neighbors import nearest_and_kth

LEFT_OUT = 1_000
"""How many training examples are left out, each in turn, to learn how near unseen examples come to the others."""
KTH = 5
"""Which neighbor is the next one: of twins and triplets, as the frames of a film are, the others are no next ones."""


@final
@dataclass(frozen=True)
class Copying(Metric):
    """Share of generated examples that lie nearer to one training example than unseen data would: memorization.

    A copy is nearer to a training example than all but a share `false_positives` of unseen real examples are, and the
    fifth nearest is farther, in terms of that distance, than for all but such a share: samples that are smoother than
    the data lie near to many training examples, and copy none. The share of unseen real examples that are copies by
    both is subtracted, so that unseen data scores about 0 and a generator that only copies scores 1. Distances are
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
        if len(rows) <= KTH:
            return np.zeros(len(fake))
        if len(rows) == len(real):  # all are different: no copy of them is made
            different, which, times = real, np.arange(len(real)), np.ones(len(real), np.int64)
        else:
            different = real[rows]
        left_out = which[np.arange(0, len(real), max(1, len(real) // LEFT_OUT))[:LEFT_OUT]]
        own = np.where(times[left_out] > 1, -1, left_out)  # another one that is the same is still there
        unseen = nearest_and_kth(different[left_out], different, KTH, own)
        near, alone = (np.quantile(each, self.false_positives) for each in (unseen[:, 0], _ratios(unseen)))
        found = [nearest_and_kth(member, different, KTH) for member in fake]
        shares = np.array([((each[:, 0] < near) & (_ratios(each) < alone)).mean() for each in (unseen, *found)])
        return np.clip((shares[1:] - shares[0]) / (1 - shares[0]), 0, 1)


def _hashes(examples: np.ndarray) -> np.ndarray:
    """Of `(N, D)`, a number for each; those of equal examples are equal."""
    return np.array([hash(each.tobytes()) for each in examples])


def _ratios(distances: np.ndarray) -> np.ndarray:
    """Of `(n, 2)`: to the nearest example, as a share of that to the k-th."""
    return distances[:, 0] / np.maximum(distances[:, 1], np.finfo(float).tiny)
