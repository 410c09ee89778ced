"""How often each class is, for class-conditional games: what G is asked for is to be as the data is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from sparring.datasets import Source

EQUAL = 1.5
"""The largest class over the smallest up to which classes count as equally frequent. MNIST's are at 1.24."""
HALF, GOLDEN = 2**63, 0x9E3779B97F4A7C15
"""A half and (sqrt(5) - 1) / 2, in parts of 2^64: exact for every place."""


@runtime_checkable
class Counted(Protocol):
    """A source that knows how many examples each class has."""

    def class_counts(self) -> np.ndarray | None:
        """int64 `(K,)`, without the classes after the last one that has an example; None where none are known."""
        ...


def class_shares(source: Source, classes: int) -> np.ndarray | None:
    """The share of the examples that each class has, float64 `(classes,)`.

    None where they are about equally frequent, and for a source that does not say.
    """
    known = source.class_counts() if isinstance(source, Counted) else None
    if known is None:
        return None
    counts = np.zeros(classes)
    counts[: len(known)] = known
    return None if counts.max() <= EQUAL * counts.min() else counts / counts.sum()


def in_shares(shares: np.ndarray | None, classes: int, count: int) -> Sequence[int]:
    """`count` classes, each as often as its share says, spread evenly; in turn where they are equally frequent.

    The first ones of a longer list are the shorter list.
    """
    if shares is None:
        return [number % classes for number in range(count)]
    return classes_at(shares, range(count))


def classes_at(shares: np.ndarray, places: Sequence[int]) -> list[int]:
    """The classes at these places, from 0, of an endless list in which each is as often as its share says."""
    # The additive recurrence of lowest discrepancy.
    even = [(HALF + place * GOLDEN) % 2**64 / 2**64 for place in places]
    return np.minimum(shares.cumsum().searchsorted(even, side="right"), len(shares) - 1).tolist()
