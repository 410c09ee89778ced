"""How many seeds a stated difference or precision needs, from the spread that a study itself found.

The number of seeds then depends on the spread alone and not on which cell is ahead, so that adding them and testing
again keeps its error rate (Stein's two-stage procedure). Power is of the paired t test, by statsmodels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy import stats

from sparring.study.intervals import LEVEL
from sparring.study.needs import from_statsmodels

POWER = 0.8
MAX_SEEDS = 10_000
CAUTION = 0.8
"""One-sided confidence of the spread that `upper` is for."""


@dataclass(frozen=True)
class Seeds:
    """Seeds that are needed in all."""

    expected: int
    """If the spread is the one found."""
    upper: int
    """If the spread is as large as it may be, with 80 % confidence: few seeds hardly tell it."""


def seeds_for_difference(sd: float, n: int, difference: float, alpha: float = 1 - LEVEL) -> Seeds:
    """Seeds with which a true difference is found significant in 80 % of studies.

    Args:
        sd: Of the paired differences.
        n: The seeds that it is from, at least two.
        difference: The true difference, in the outcome's unit.
        alpha: Level of the test, two-sided.
    """
    return Seeds(*(_smallest(lambda k, sd=sd: _power(sd, k, difference, alpha) >= POWER) for sd in _spreads(sd, n)))


def seeds_for_precision(sd: float, n: int, half_width: float, level: float = LEVEL) -> Seeds:
    """Seeds with which an effect's interval reaches so far to either side."""
    return Seeds(*(_smallest(lambda k, sd=sd: _half_width(sd, k, level) <= half_width) for sd in _spreads(sd, n)))


def smallest_difference(sd: float, n: int, alpha: float = 1 - LEVEL) -> float:
    """The true difference that n seeds find significant in 80 % of studies."""
    if not sd:
        return 0.0
    solve = from_statsmodels("TTestPower")().solve_power
    return float(solve(effect_size=None, nobs=n, alpha=alpha, power=POWER, alternative="two-sided")) * sd


def _spreads(sd: float, n: int) -> tuple[float, float]:
    """The SD found, and the upper limit of its one-sided interval."""
    return sd, sd * math.sqrt((n - 1) / float(stats.chi2.ppf(1 - CAUTION, n - 1)))


def _power(sd: float, n: int, difference: float, alpha: float) -> float:
    if not sd:
        return 1.0
    return float(from_statsmodels("TTestPower")().power(abs(difference) / sd, n, alpha, alternative="two-sided"))


def _half_width(sd: float, n: int, level: float) -> float:
    return float(stats.t.ppf((1 + level) / 2, n - 1)) * sd / math.sqrt(n)


def _smallest(enough: Callable[[int], bool]) -> int:
    """The smallest number of seeds, from two, that is enough; MAX_SEEDS where none is."""
    low, high = 1, 2
    while not enough(high):
        low, high = high, 2 * high
        if high > MAX_SEEDS:
            return MAX_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
