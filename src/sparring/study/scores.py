"""A study's outcome as arrays: cells by seeds, with what is better and which members have no number.

A member that diverged has no outcome and is worse than every other one: ranks and probabilities count it so, means and
their intervals are of the others, and every number says of how many. Where the outcome is a time to a target, means
count it as the horizon, as they count one that never came there. A member that collapsed has an outcome, and is in all
of them. An outcome that merely is not known (an unfinished run, a cell that racing stopped) counts nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from sparring.languages import Text
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
    """Of a time to a target: times are cut there, the longest that all members were tried, and one that diverged counts
    as it; None where all reached it."""
    reached: np.ndarray | None = None
    """`(cells, seeds)`, bool: of a time to a target, who reached it within the horizon; None of any other outcome."""

    @classmethod
    def of(cls, results: Results) -> Scores:
        """The study's outcome."""
        asked, values, real = results.asked, results.table(), real_score(results)
        flags = ("diverged", "collapsed", "censored")
        diverged, collapsed, censored = (_of_rows(results, name, False) for name in flags)
        values[[cell.stopped is not None for cell in results.cells]] = np.nan
        direction = {"lower": -1, "higher": 1}.get(asked.better or "", 0)
        title, horizon, reached = _title(results), None, None
        if asked.better == "as-real" and real is not None:
            values, direction, title = (
                np.abs(values - real),
                -1,
                Text("{metric}, distance from real data's", metric=title),
            )
            real = 0.0
        if Outcome.read(results.outcome).how in TIMES:
            horizon = _horizon(results, values, diverged, censored)
            reached = np.isfinite(values) & ~censored & ~diverged
        else:
            values = np.where(diverged, np.nan, values)
        if horizon is not None and reached is not None:
            reached &= values <= horizon
            stopped = np.array([cell.stopped is not None for cell in results.cells])[:, None]
            values = np.minimum(np.where(diverged & ~stopped, horizon, values), horizon)
        return cls(asked, title, values, diverged, collapsed, direction, real, horizon, reached)

    @property
    def badness(self) -> np.ndarray:
        """`(cells, seeds)`: less is better, infinite for a member that diverged, NaN where nothing is known."""
        signed = self.values if self.direction == 0 else -self.direction * self.values
        return np.where(self.diverged, np.inf, signed)

    @property
    def late(self) -> np.ndarray:
        """`(cells, seeds)`, bool: of a time to a target, who did not reach it within the horizon, or diverged."""
        if self.reached is None:
            return np.zeros(self.values.shape, dtype=bool)
        return ~self.reached & ~np.isnan(self.badness)

    @property
    def unreached(self) -> np.ndarray:
        """`(cells,)`, bool: of a time to a target, the cells of which no seed reached it, where all seeds are known."""
        return np.all(self.late & ~np.isnan(self.values), axis=1)

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


def _title(results: Results) -> Text:
    """What the outcome is called; of results that come from a file, as the message that it was before."""
    stated = Outcome.read(results.outcome).quantity.title
    return Text.of(stated if stated == results.asked.title else results.asked.title)


def _horizon(results: Results, values: np.ndarray, diverged: np.ndarray, censored: np.ndarray) -> float | None:
    """Where times are cut: the shortest that one was tried in vain. Where only those that diverged failed, which are
    known never to come there, it is the end of training, the latest of all: nobody else's time is cut."""
    failed = censored & ~diverged & np.isfinite(values)
    if failed.any():
        return float(values[failed].min())
    if not diverged.any():
        return None
    clock = "seconds" if Outcome.read(results.outcome).how == "seconds-to" else "rounds"
    ends = _of_rows(results, clock, np.nan)
    alive = np.isfinite(values) & ~diverged
    return float(np.nanmax(ends[alive] if alive.any() else ends))


def _of_rows(results: Results, name: str, missing: Any) -> np.ndarray:
    """A field of every row, `(cells, seeds)`."""
    found = np.full((len(results.cells), len(results.seeds)), missing)
    cells, seeds = [cell.id for cell in results.cells], list(results.seeds)
    for row in results.rows:
        if row.cell in cells and row.seed in seeds:
            found[cells.index(row.cell), seeds.index(row.seed)] = getattr(row, name)
    return found
