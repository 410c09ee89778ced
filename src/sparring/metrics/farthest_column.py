from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._columns import slack, within

RECURS = 0.02
"""Share of the real rows that have the same number in a column, from which on samples must have it as often."""
AGAIN = 8
"""Real rows that must have it: fewer say nothing of its share."""
LONG = 16
"""Numbers in a row, above which rows may be signals, and their bends count as columns."""
NEIGHBORS = 0.3
"""Correlation of neighboring points, on average, above which such rows are signals: columns have no order."""
BENDS = ("mean bend", "largest bend")
"""What is known of the second differences of a row, in the order in which `by_column` has them after the columns."""
BENT = 2.0
"""By how many times what the points of a signal may be off, on average, its bends may be: a G makes points with some
noise, where bends of real rows may hardly vary."""


def by_column(real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """How differently the numbers of each column are distributed, from 0 to 1.

    Args:
        real: `(N, K)`.
        fake: `(P, n, K)`.

    Returns:
        `(P, K)`; of signals `(P, K + 2)`, with the BENDS.
    """
    off = slack(real)
    if _are_signals(real):
        off = np.append(off, [BENT * np.sqrt(np.mean(off**2))] * len(BENDS))
        real, fake = _with_bends(real), _with_bends(fake)
    return np.stack([_of_column(real[:, k], fake[..., k], off[k]) for k in range(real.shape[1])], -1)


def _are_signals(real: np.ndarray) -> bool:
    if real.shape[-1] <= LONG:
        return False
    apart, sd = real - real.mean(0), real.std(0)
    unit = apart / np.where(sd > 0, sd, 1.0)
    return bool(np.mean(unit[:, 1:] * unit[:, :-1]) > NEIGHBORS)


def _with_bends(rows: np.ndarray) -> np.ndarray:
    """Rows `(..., K)` with the BENDS: noise and spikes change those of a signal, and hardly any point."""
    bends = np.abs(np.diff(rows, 2, axis=-1))
    return np.concatenate([rows, bends.mean(-1, keepdims=True), bends.max(-1, keepdims=True)], -1)


def _of_column(real: np.ndarray, fake: np.ndarray, off: float) -> np.ndarray:
    """The largest difference of the shares of real numbers `(N,)` and of those of members `(P, n)`: `(P,)`."""
    real = np.sort(real)
    numbers, counts = np.unique(real, return_counts=True)
    upto = np.cumsum(counts) / len(real)
    below = upto - counts / len(real)
    recurring = numbers[counts >= max(RECURS * len(real), AGAIN)]
    usual = _as_often(real, recurring, off)
    usual, upto, below = map(_stable, (usual, upto, below))
    largest = np.empty(len(fake))
    for member, each in enumerate(np.sort(fake, axis=1)):
        less, more = map(_stable, within(each, numbers, off))
        as_often = _stable(_as_often(each, recurring, off))
        # More samples lie farther below than real numbers do, or fewer.
        largest[member] = max(0.0, np.max(less - below), np.max(upto - more), np.abs(as_often - usual).max(initial=0))
    return largest


def _as_often(ordered: np.ndarray, numbers: np.ndarray, off: float) -> np.ndarray:
    """The share of an ordered column that is the same as each of these numbers."""
    below, upto = within(ordered, numbers, off)
    return upto - below


def _stable(shares: np.ndarray) -> np.ndarray:
    """Shares on a scale from 0 to 1 on which sampling makes all of them differ alike, also those near 0 and 1."""
    return 2 / np.pi * np.arcsin(np.sqrt(np.clip(shares, 0, 1)))


@final
@dataclass(frozen=True)
class FarthestColumn(Metric):
    """How differently the numbers of one column are distributed, in the column where that is most; of rows of numbers.

    It is the largest difference between the shares of real rows and of samples that lie below some number, or that have
    a number which recurs (in 2 % of the real rows or more), where each share p counts as 2/π arcsin √p: 0.13 is a tail
    or a category of 4 % that is missing, and also 70 % in place of a half. What is off by a tenth of the real column's
    standard deviation counts as right. Of signals, rows of more than 16 numbers whose neighbors go together, the mean
    and the largest bend (second difference) of a row count as columns, too; they may be off by a fifth of the points'
    standard deviation.
    """

    title: ClassVar[str] = "farthest column"
    unit: ClassVar[str] = "largest difference of shares, after 2/π arcsin √p"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(max_above=0.08, why="no column is distributed unlike that of real examples")
    space: ClassVar[Space] = "pixels"
    source: ClassVar[str] = "Michael, The stabilized probability plot, Biometrika 1983, D_SP; the largest over columns"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "noise", "shift", "lost classes", "average")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 73
    demanding: ClassVar[bool] = True

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether examples are rows of numbers."""
        return len(shape) == 1

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        return by_column(real, fake).max(-1)
