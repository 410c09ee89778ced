"""Whether what batches are like moves one way for as long as a loop runs, as in a curriculum, or comes back, as in
sorted data."""

from __future__ import annotations

import numpy as np

from sparring.training.watch.rounds import CLOSE

ONE_WAY, SHARE = 1.7, 0.02
"""What is left about the best curve that never turns, in a series that goes one way: at most the first, in variances of
random batches, or at most the second, as a share of the whole variance."""
TWO_LEVELS, MIN_SIDE, CLEAR = 1.5, 3, 20.0
"""In data that are one class and then another: what is left about two levels, at most, and the whole variance, at
least, both in variances of random batches; and how many batches there are of each class, at least."""
FAR, FEW_FAR = 2.5, 0.03
"""Standard deviations of random batches from its level, from which on a batch is between two, and the share of batches
that may be, besides one that has both classes: more are on their way, as in a blur that fades quickly."""


def left_of_trend(values: np.ndarray, sampling: float) -> float | None:
    """The variance about the best curve that never turns, of a series that goes one way by degrees; None of others.

    A series that has not been seen to turn yet goes one way.

    Args:
        values: One for each batch, `(B,)`, in the order of the loop.
        sampling: The variance that random batches would have.
    """
    left = min(_about_rise(values), _about_rise(-values))
    if left > max(ONE_WAY * sampling, SHARE * float(values.var())) or _has_two_levels(values, sampling):
        return None
    return left


def _about_rise(values: np.ndarray) -> float:
    """The mean square about the rising curve that fits best, by pooling neighbors that fall."""
    pools: list[tuple[float, int]] = []
    for value in values:
        mean, count = float(value), 1
        while pools and pools[-1][0] >= mean:
            before, many = pools.pop()
            mean, count = (before * many + mean * count) / (many + count), many + count
        pools.append((mean, count))
    fitted = np.concatenate([np.full(count, mean) for mean, count in pools])
    return float(((values - fitted) ** 2).mean())


def _has_two_levels(values: np.ndarray, sampling: float) -> bool:
    """Whether there are two levels far apart and nothing between, as of two classes that come one after the other."""
    if values.var() <= CLEAR * sampling or len(values) < 2 * MIN_SIDE:
        return False
    apart = values - values.mean()
    before, squares = np.cumsum(apart), float((apart**2).sum())
    count = np.arange(1, len(values) + 1)
    k = slice(MIN_SIDE - 1, len(values) - MIN_SIDE)
    # What is left about the means of the first k and of the others, which add up to 0.
    left = squares - before[k] ** 2 * (1 / count[k] + 1 / (len(values) - count[k]))
    best = MIN_SIDE + int(left.argmin())
    off = np.concatenate([each - each.mean() for each in (values[:best], values[best:])])
    is_far = abs(off) > FAR * sampling**0.5
    if len(values) > CLOSE and is_far[CLOSE:best].all():  # the first rounds are a moment, in which nothing has changed
        return False
    return float(left.min()) <= TWO_LEVELS * sampling * len(values) and is_far.sum() <= 1 + FEW_FAR * len(values)
