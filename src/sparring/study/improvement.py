"""Probability of improvement: how likely a run of one cell is better than a run of another one.

As rliable defines it (Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice", NeurIPS
2021): the Mann-Whitney statistic over the number of pairs, a tie counting half, averaged over tasks, which here are
pairs of cells. Its interval is a score interval, method 5 of Newcombe (Statistics in Medicine 25, 2006): rliable's
percentile bootstrap has no width where all runs of one cell are better than all of the other one, as they often are
with few seeds, and then covers less than half of the time (docs/studies.md has both measured).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from sparring.study.intervals import LEVEL, Interval

TINY = 1e-9


@dataclass(frozen=True)
class Improvement:
    """The probability, and its interval."""

    probability: float
    interval: Interval


def improvement(pairs: Sequence[tuple[np.ndarray, np.ndarray]], level: float = LEVEL) -> Improvement | None:
    """The probability that the first of each pair is better, averaged over pairs.

    Args:
        pairs: Scores of two cells each, `(n,)` and `(m,)`, less being better; infinite for a run that diverged.
        level: The interval's confidence. For several pairs it is as wide as for one of them, since the same seeds are
            in all.

    Returns:
        None where a cell has no score.
    """
    if not pairs or any(not len(better) or not len(worse) for better, worse in pairs):
        return None
    probability = float(np.mean([_probability(better, worse) for better, worse in pairs]))
    n, m = (min(len(pair[side]) for pair in pairs) for side in (0, 1))
    return Improvement(probability, _score_interval(probability, n, m, level))


def _probability(better: np.ndarray, worse: np.ndarray) -> float:
    less = (better[:, None] < worse[None]).mean()
    return float(less + (better[:, None] == worse[None]).mean() / 2)


def _score_interval(probability: float, n: int, m: int, level: float) -> Interval:
    """The probabilities from which the one seen is at most so many of their own standard errors away."""
    z = float(stats.norm.ppf((1 + level) / 2))
    mean = (n + m) / 2 - 1

    def excess(p: float) -> float:
        variance = p * (1 - p) / (n * m) * (1 + mean * ((1 - p) / (2 - p) + p / (1 + p)))
        return (p - probability) ** 2 - z**2 * variance

    # At 0 and 1 the excess is 0 too, where that is the probability seen: no end of the interval, as it has no variance.
    low = optimize.brentq(excess, 0, min(probability, 1 - TINY)) if probability > 0 else 0.0
    high = optimize.brentq(excess, max(probability, TINY), 1) if probability < 1 else 1.0
    return Interval(float(low), float(high))
