"""What each cell of a study scores over its seeds, and how many of them collapsed or diverged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from scipy import stats

from sparring.study.intervals import LEVEL, Interval, mean_interval
from sparring.study.results import Cell, Results, Row
from sparring.study.scores import Scores


@dataclass(frozen=True)
class CellSummary:
    """One cell."""

    cell: Cell
    seeds: int
    """How many it has, those that diverged among them."""
    n: int
    """How many have an outcome: what mean, SD and interval are of."""
    reached: int | None
    """How many reached the target within the horizon; None where the outcome is no time to one."""
    mean: float | None
    sd: float | None
    """The sample standard deviation, with divisor n - 1."""
    iqm: float | None
    """The mean of the middle half, a seed that diverged being the worst; None where more than a quarter diverged."""
    interval: Interval | None
    """Of the mean, by Student's t."""
    diverged: int
    collapsed: int
    finding: str
    """The finding that is the first of most seeds; empty where there is none."""
    share: float
    """Of which share of the seeds it is."""
    median_seed: int | None
    """The seed whose outcome is the median, a seed that diverged being the worst."""


def summaries(results: Results, scores: Scores, level: float = LEVEL) -> list[CellSummary]:
    """Every cell, in the order of the study."""
    return [_summary(results, scores, index, level) for index in range(len(results.cells))]


def interquartile_mean(badness: np.ndarray) -> float | None:
    """The mean of the middle half of `(n,)` values, a quarter cut at either end; infinite ones are the largest.

    As rliable's: `floor(n / 4)` values are cut at either end. None where an infinite one would be in the middle.
    """
    if not len(badness):
        return None
    with np.errstate(invalid="ignore"):
        value = float(stats.trim_mean(badness, 0.25))
    return value if np.isfinite(value) else None


def _summary(results: Results, scores: Scores, index: int, level: float) -> CellSummary:
    cell = results.cells[index]
    values, badness = scores.values[index], scores.badness[index]
    finite, known = values[np.isfinite(values)], badness[~np.isnan(badness)]
    n = len(finite)
    iqm = interquartile_mean(known)
    finding, share = _top_finding(results.by_cell[cell.id])
    return CellSummary(
        cell=cell,
        seeds=len(results.by_cell[cell.id]),
        n=n,
        reached=None if scores.reached is None else int(scores.reached[index].sum()),
        mean=float(finite.mean()) if n else None,
        sd=float(finite.std(ddof=1)) if n > 1 else None,
        iqm=-scores.direction * iqm if iqm is not None and scores.direction else iqm,
        interval=mean_interval(finite, level),
        diverged=int(scores.diverged[index].sum()),
        collapsed=int(scores.collapsed[index].sum()),
        finding=finding,
        share=share,
        median_seed=_median_seed(results.seeds, badness),
    )


def _top_finding(rows: list[Row]) -> tuple[str, float]:
    counted = Counter(row.finding for row in rows if row.finding)
    if not counted:
        return "", 0.0
    name, votes = counted.most_common(1)[0]
    return name, votes / len(rows)


def _median_seed(seeds: tuple[int, ...], badness: np.ndarray) -> int | None:
    """The lower of the two in the middle of an even number: one whose samples can be shown."""
    known = np.flatnonzero(~np.isnan(badness))
    if not len(known):
        return None
    ordered = known[np.argsort(badness[known], kind="stable")]
    return seeds[int(ordered[(len(ordered) - 1) // 2])]
