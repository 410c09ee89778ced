"""How often a loop gave G each class."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sparring.datasets._shares import EQUAL

DEVIATIONS = 5.0
"""Standard deviations of chi-squared, of labels that were drawn in pairs, up to which classes may be equal."""
MAX_CLASSES = 65_536
"""Numbers from this on are no classes."""
DIGITS = 3
"""Of a share."""


class ClassCounts:
    """Of the batches of classes that were added."""

    def __init__(self) -> None:
        self._counts = np.zeros(0)
        self._before: Tensor | None = None
        self._shares: tuple[float, ...] = ()
        self._rest_on = 0.0
        """Labels that these rest on."""

    def add(self, labels: Tensor, one_hot: bool) -> None:
        """Classes as numbers `(B,)` or `(B, 1)`, or one-hot; those of the batch before again count once."""
        numbers = (labels.argmax(1) if one_hot else labels.flatten()).detach().cpu().long()
        if self._before is not None and torch.equal(numbers, self._before):
            return
        self._before = numbers
        if numbers.numel() and int(numbers.max()) >= MAX_CLASSES:  # an identity or a time, of which nothing is counted
            return
        known = max(len(self._counts), labels.shape[1] if one_hot else 0)
        counts = np.bincount(numbers.numpy(), minlength=known).astype(float)
        counts[: len(self._counts)] += self._counts
        self._counts = counts

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of each class; empty where they are about equal, or would be with more labels.

        They change whenever twice as many labels are known: pictures are of the same classes for long.
        """
        if self._counts.sum() >= 2 * self._rest_on:
            self._shares, self._rest_on = _unequal(self._counts), float(self._counts.sum())
        return self._shares


def _unequal(counts: np.ndarray) -> tuple[float, ...]:
    mean = counts.mean() if len(counts) else 0.0
    if not mean or counts.max() <= EQUAL * counts.min():
        return ()
    of_equal = 2 * (len(counts) + DEVIATIONS * (2 * len(counts)) ** 0.5)
    if ((counts - mean) ** 2).sum() / mean <= of_equal:
        return ()
    return tuple(round(float(each), DIGITS) for each in counts / counts.sum())
