"""The looks of a race: at which round each is, and what the cells have come to then."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sparring.recipe import Recipe
from sparring.study.outcome import quantity_of
from sparring.study.results import Results, Row

CONFIDENCE = 0.95
"""Of all looks together."""


def level_at(look: int, looks: int, comparisons: int = 1, confidence: float = CONFIDENCE) -> float:
    """The confidence level of an interval at one look, so that all looks together have `confidence` (Bonferroni).

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


def badness_at(results: Results, metric: str, rounds: Mapping[str, int]) -> np.ndarray:
    """A metric of cells at the evaluation of a round of each, so that less is better: `(cells, seeds)`.

    Infinite for a member that has diverged by then, NaN where nothing is known, or where neither direction is better.
    """
    badness = np.full((len(rounds), len(results.seeds)), np.nan)
    better = quantity_of(metric).better
    for i, (cell, round) in enumerate(rounds.items()):
        real = next(each for each in results.cells if each.id == cell).real.get(metric)
        for row in results.by_cell[cell]:
            value = _value(row, metric, round)
            if row.diverged:
                badness[i, results.seeds.index(row.seed)] = np.inf
            elif value is not None and better is not None:
                badness[i, results.seeds.index(row.seed)] = _badness(value, better, real)
    return badness


def _value(row: Row, metric: str, round: int) -> float | None:
    series = row.series.get(metric)
    if series is None or round not in series.rounds:
        return None
    return series.values[series.rounds.index(round)]


def _badness(value: float, better: str, real: float | None) -> float:
    if better == "as-real":
        return np.nan if real is None else abs(value - real)
    return -value if better == "higher" else value
