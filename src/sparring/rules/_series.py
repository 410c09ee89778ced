"""Series over the rounds: moving means, medians, and since when something holds."""

from __future__ import annotations

import numpy as np

STEADY = 0.75
"""Share of the moments since its onset at which something must hold: one noisy evaluation ends nothing."""
SMOOTHING = 0.03
"""Share of a curve's points that its moving mean takes together."""


def moving_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Moving mean of `(T, P)` over `window` points, fewer at the ends; NaN where a value is not finite."""
    if window <= 1 or not len(values):
        return values
    finite = np.isfinite(values)
    counts = np.maximum(_moving_sum(finite.astype(np.float64), window), 1)
    return np.where(finite, _moving_sum(np.where(finite, values, 0.0), window) / counts, np.nan)


def smoothed(values: np.ndarray) -> np.ndarray:
    """The moving mean of a curve `(T, P)` that people and rules see: over SMOOTHING of its points."""
    return moving_mean(values, max(1, round(SMOOTHING * len(values))))


def median(values: np.ndarray) -> np.ndarray:
    """Over the first axis, of what is finite; NaN where nothing is.

    As `np.nanmedian`, which takes six times as long for the few rows that rules ask about.
    """
    finite = np.isfinite(values)
    ordered = np.sort(np.where(finite, values, np.nan), axis=0)  # NaN comes last
    count = np.asarray(finite.sum(0))[None]
    low, high = (np.take_along_axis(ordered, at, axis=0)[0] for at in (np.maximum(count - 1, 0) // 2, count // 2))
    return (low + high) / 2


def line(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The slope of the least-squares line through `y` `(T, P)` over `x` `(T,)`, and its standard error, each `(P,)`.

    Two points lie on any line: their error is the spread over members, and infinite for one member alone.
    """
    x, y = x - x.mean(), y - y.mean(0)
    slope = (x[:, None] * y).sum(0) / (x**2).sum()
    if len(x) < 3:
        return slope, np.full(y.shape[1], float(slope.std(ddof=1)) if y.shape[1] > 1 else np.inf)
    residual = ((y - slope * x[:, None]) ** 2).sum(0) / (len(x) - 2)
    return slope, (residual / (x**2).sum()) ** 0.5


def spans(x: np.ndarray, low: float) -> bool:
    """Whether points `(T,)` lie so far apart that a line through them says something of all between: by `low`."""
    return len(x) > 1 and bool(np.ptp(x) >= low)


def onset(rounds: np.ndarray, holds: np.ndarray) -> np.ndarray:
    """The round since which something holds until the end, `(P,)`, given `holds` `(T, P)` at each of `rounds` `(T,)`.

    The last round for a member for which it does not hold at the end.
    """
    if not len(rounds):
        return np.zeros(holds.shape[1], dtype=np.int64)
    ever_not = ~holds
    last = np.where(ever_not.any(0), len(rounds) - ever_not[::-1].argmax(0), 0)
    return rounds[np.minimum(last, len(rounds) - 1)]


def steady_onset(holds: np.ndarray) -> np.ndarray:
    """The first index from which something holds STEADY of the time until the end, `(P,)`, given `holds` `(T, P)`.

    The last index for a member for which it does not hold at the end.
    """
    left = np.arange(len(holds), 0, -1)[:, None]
    steady = holds & holds[-1] & (holds[::-1].cumsum(0)[::-1] >= STEADY * left)
    return np.where(steady.any(0), steady.argmax(0), len(holds) - 1)


def _moving_sum(values: np.ndarray, window: int) -> np.ndarray:
    sums = np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(0)])
    index, before = np.arange(len(values)), window // 2
    return sums[np.minimum(index - before + window, len(values))] - sums[np.maximum(index - before, 0)]
