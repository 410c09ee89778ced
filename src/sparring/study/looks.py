"""Racing: cells that are losing are stopped at looks stated beforehand, and the intervals are wider for it.

Whoever compares several times, and stops when something shows, finds more than there is. Every look, the end of the
study included, may therefore err with its share of 5 % only, divided among the cells that are compared (Bonferroni): in
95 of 100 studies no cell is stopped wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sparring.recipe import Recipe
from sparring.study.results import Results

CONFIDENCE = 0.95
"""Of all looks together."""
MIN_PAIRS = 3
"""Seeds that two cells must both have a value of to be compared at a look."""


def level_at(look: int, looks: int, comparisons: int = 1, confidence: float = CONFIDENCE) -> float:
    """The confidence level of each interval at one look, so that all looks together have `confidence`.

    Args:
        look: Which look, from 0; the end of the study is the last.
        looks: How many there are, the end included.
        comparisons: Intervals at a look.
        confidence: Of everything together.
    """
    if not 0 <= look < looks:
        raise ValueError(f"there are looks 0 to {looks - 1}, and no look {look}")
    return 1 - (1 - confidence) / (looks * max(1, comparisons))


def look_round(recipe: Recipe, share: float) -> int:
    """The round of a look: the log point at or before that share of the rounds, since samples are evaluated there."""
    points = sorted({round(k * recipe.rounds / recipe.log_points) for k in range(1, recipe.log_points)})
    return max((point for point in points if point <= share * recipe.rounds), default=0)


def losing(values: np.ndarray, better: str, real: float | None, level: float) -> list[int]:
    """The cells that are worse than the best one, for certain.

    Args:
        values: One number of every cell and seed, `(cells, seeds)`; NaN where there is none.
        better: `lower`, `higher` or `as-real`.
        real: What real data scores, for `as-real`.
        level: The confidence level of each interval.

    Returns:
        Their indices: the interval of the paired difference from the best cell lies beyond 0.
    """
    cost = (
        -values if better == "higher" else np.abs(values - real) if better == "as-real" and real is not None else values
    )
    known = np.isfinite(cost)
    enough = known.sum(1) >= MIN_PAIRS
    if not enough.any():
        return []
    means = np.array([cost[i, known[i]].mean() if enough[i] else np.inf for i in range(len(cost))])
    best = int(means.argmin())
    return [i for i in range(len(cost)) if i != best and _is_worse(cost[i] - cost[best], level)]


def race_values(results: Results, metric: str, rounds: Mapping[str, int]) -> np.ndarray:
    """A metric of cells at the evaluation of a round of each, `(cells, seeds)`; NaN where there is none."""
    values = np.full((len(rounds), len(results.seeds)), np.nan)
    for i, (cell, round) in enumerate(rounds.items()):
        for row in results.by_cell[cell]:
            series = row.series.get(metric)
            if series is None or round not in series.rounds or row.diverged:
                continue
            value = series.values[series.rounds.index(round)]
            values[i, results.seeds.index(row.seed)] = np.nan if value is None else value
    return values


def _is_worse(differences: np.ndarray, level: float) -> bool:
    from scipy.stats import t

    pairs = differences[np.isfinite(differences)]
    if len(pairs) < MIN_PAIRS:
        return False
    reach = float(t.ppf((1 + level) / 2, len(pairs) - 1)) * float(pairs.std(ddof=1)) / len(pairs) ** 0.5
    return float(pairs.mean()) - reach > 0
