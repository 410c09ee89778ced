"""A study's outcome as arrays: cells by seeds, with what is better and which members have no number.

A member that diverged has no outcome and is worse than every other one: ranks and probabilities count it so, means and
their intervals are of the others, and every number says of how many. A member that collapsed has an outcome, and is in
all of them. An outcome that merely is not known (an unfinished run, a cell that racing stopped) counts nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from sparring.study.outcome import TIMES, Outcome
from sparring.study.results import Quantity, Results


@dataclass(frozen=True)
class Scores:
    """The outcome of every cell and seed."""

    quantity: Quantity
    title: str
    """What the values are: the quantity's title, or how far it is from real data's where it is best as real."""
    values: np.ndarray
    """`(cells, seeds)`, NaN where there is none; restricted times where the outcome is a time to a target."""
    diverged: np.ndarray
    """`(cells, seeds)`, bool."""
    collapsed: np.ndarray
    """`(cells, seeds)`, bool."""
    direction: int
    """-1 where lower is better, 1 where higher is, 0 where neither."""
    real: float | None
    """What real data scores."""
    horizon: float | None = None
    """Of a time to a target: times are cut there, the longest that all members were tried."""

    @classmethod
    def of(cls, results: Results) -> Scores:
        """The study's outcome."""
        asked, values, real = results.asked, results.table(), real_score(results)
        diverged, collapsed, censored = (_flags(results, name) for name in ("diverged", "collapsed", "censored"))
        values[[cell.stopped is not None for cell in results.cells]] = np.nan
        direction = {"lower": -1, "higher": 1}.get(asked.better or "", 0)
        title, horizon = asked.title, None
        if asked.better == "as-real" and real is not None:
            values, direction, title = np.abs(values - real), -1, f"{asked.title}, distance from real data's"
            real = 0.0
        if censored.any():
            tried = values[censored & ~diverged]
            horizon = float(np.nanmin(tried)) if np.isfinite(tried).any() else float(np.nanmax(values))
            values = np.minimum(np.where(diverged, horizon, values), horizon)
        else:
            values = np.where(diverged, np.nan, values)
        return cls(asked, title, values, diverged, collapsed, direction, real, horizon)

    @property
    def badness(self) -> np.ndarray:
        """`(cells, seeds)`: less is better, infinite for a member that diverged, NaN where nothing is known."""
        signed = self.values if self.direction == 0 else -self.direction * self.values
        return np.where(self.diverged & ~np.isfinite(self.values), np.inf, signed)

    @property
    def ranks(self) -> np.ndarray:
        """`(cells, seeds)`: the rank of each member in the whole study, 1 the best, those that diverged tied last."""
        badness = self.badness
        known = ~np.isnan(badness)
        ranks = np.full(badness.shape, np.nan)
        ranks[known] = stats.rankdata(badness[known])
        return ranks


def real_score(results: Results) -> float | None:
    """What real data scores in the outcome's metric, measured as the outcome is."""
    outcome = Outcome.read(results.outcome)
    if outcome.how in TIMES:
        return None
    measured = None if outcome.how else results.real(outcome.name)
    return results.real(outcome.name, measured=False) if measured is None else measured


def _flags(results: Results, name: str) -> np.ndarray:
    """A yes or no of every row, `(cells, seeds)`."""
    found = np.zeros((len(results.cells), len(results.seeds)), dtype=bool)
    cells, seeds = [cell.id for cell in results.cells], list(results.seeds)
    for row in results.rows:
        if row.cell in cells and row.seed in seeds:
            found[cells.index(row.cell), seeds.index(row.seed)] = getattr(row, name)
    return found
