"""Which of the real examples that a loop gave to D a run keeps: how often each is in the data counts, not each pass."""

from __future__ import annotations

import numpy as np

NATURAL = 0.1
"""Share of the pairs of equal rows that whole numbers in independent columns explain, from which on they are natural:
400 rows of two columns with Zipf's frequencies are at 0.7, 100 pairs of normal numbers, drawn 2,048 times, at 0.01."""
DEVIATIONS, MORE = 5.0, 2.0
"""A row is more frequent than the others if it came so many standard deviations of a count, and so many times, more."""
FEW = 128
"""Values of a column up to which these may be categories or whole numbers."""


def as_in_the_data(rows: np.ndarray, are_images: bool) -> np.ndarray:
    """Of rows `(n, K)` that D was given, which to keep, so that each is as often there as in the data: int64 `(m,)`.

    A small data set is seen several times, so that each row comes about equally often: each is kept once, lest
    the same one be on both sides of a comparison. Rows that the data itself has more than once stay as frequent as
    they are.
    """
    distinct, first, which, counts = np.unique(rows, axis=0, return_index=True, return_inverse=True, return_counts=True)
    if len(distinct) == len(rows) or (not are_images and _recur_naturally(distinct, which.reshape(-1), counts)):
        return np.arange(len(rows))
    usual = float(np.quantile(counts, 0.25))
    often = counts > usual + DEVIATIONS * usual**0.5 + MORE
    if not often.any():
        return first
    are_categories = not are_images and all(len(np.unique(column)) <= FEW for column in distinct.T)
    if usual < 2 or are_categories:  # most come once: the data was not seen twice
        return np.arange(len(rows))
    passes = counts[~often].mean()
    return np.repeat(first, np.where(often, (counts / passes).round().astype(int), 1))


def _recur_naturally(distinct: np.ndarray, which: np.ndarray, counts: np.ndarray) -> bool:
    """Whether rows are equal because their columns have few values, as whole numbers and categories have."""
    if distinct.shape[1] < 2:
        return False
    n = len(which)
    equal = float((counts.astype(float) ** 2).sum() - n)
    expected = float(n) * n
    for column in distinct.T:
        of_value = np.unique(column, return_inverse=True)[1].reshape(-1)
        expected *= float((np.bincount(of_value, weights=counts) ** 2).sum()) / (float(n) * n)
        if expected < NATURAL * equal:
            return False
    return True
