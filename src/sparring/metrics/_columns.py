"""What metrics of single columns share: how near numbers count as the same, and where one lies among real ones.

A G of continuous layers makes no exact zeros or whole numbers; what it makes nearly right must not count as wrong.
"""

from __future__ import annotations

import numpy as np

SLACK = 0.1
"""Standard deviations of a real column by which numbers may be off and count as the same."""


def slack(real: np.ndarray) -> np.ndarray:
    """By how much numbers of each column of `(N, K)` may be off, `(K,)`; a column of one number has its own unit."""
    sd = real.std(0)
    return SLACK * np.where(sd > 0, sd, 1.0)


def within(ordered: np.ndarray, numbers: np.ndarray, off: float) -> tuple[np.ndarray, np.ndarray]:
    """Shares of an ordered column `(N,)` that lie below each of these numbers, and below or at it, both give or take.

    Between the two lies the share of those that count as the same as the number.
    """
    below = np.searchsorted(ordered, numbers - off, "left")
    upto = np.searchsorted(ordered, numbers + off, "right")
    return below / len(ordered), upto / len(ordered)


def places(real: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Where numbers of rows `(..., K)` lie among real ones, from 0 to 1: in the middle of those that are the same."""
    off, ordered = slack(real), np.sort(real, axis=0)
    placed = np.empty(rows.shape)
    for k in range(real.shape[1]):
        placed[..., k] = np.mean(within(ordered[:, k], rows[..., k], off[k]), axis=0)
    return placed
