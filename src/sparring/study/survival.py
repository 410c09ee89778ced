"""Time to a target as survival: when each member first reaches it, with those that never did censored, not left out.

Kaplan and Meier's estimate by statsmodels. A member that diverged never reaches a target, and is censored where all end
rather than where it diverged, as if it might still have come. The time is that of the first evaluation that reached the
target, so it is known to one step between evaluations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sparring.languages import Text
from sparring.study.intervals import LEVEL, Interval, mean_interval
from sparring.study.needs import from_statsmodels
from sparring.study.outcome import TIMES, Outcome
from sparring.study.results import Results, Row
from sparring.study.scores import Scores

Clock = Literal["rounds", "seconds"]
GIVEN, OF_BASELINE = "given", Text("the median at which the baseline's seeds end")
"""What a target is: asked for, or where the baseline ends."""


@dataclass(frozen=True)
class Reaching:
    """How soon one cell reaches the target."""

    cell: str
    n: int
    reached: int
    median: float | None
    """By when half of the seeds have reached it; None where fewer than half do."""
    median_low: float | None
    median_high: float | None
    """The interval of the median; its upper end is None where too few seeds reached it to bound it."""
    restricted_mean: float
    """Mean time within the horizon; a seed that never reached it counts as the horizon."""
    difference: float | None
    """In restricted mean from the reference cell, paired by seed; None for the reference itself, and without a seed
    that both have."""
    interval: Interval | None
    times: tuple[float, ...]
    """Where the share that reached it grows."""
    shares: tuple[float, ...]
    """The share of seeds that reached it, from each of the times on."""


@dataclass(frozen=True)
class Survival:
    """All cells."""

    quantity: str
    target: float
    why: str
    """What the target is."""
    clock: Clock
    horizon: float
    """The longest time that all members were tried."""
    cells: tuple[Reaching, ...]
    p: float | None
    """Of the log-rank test that all cells are alike; None where none reached it, or all at the same time."""
    p_holm: float | None = None


def survival(
    results: Results, scores: Scores, target: float | None = None, clock: Clock = "rounds", level: float = LEVEL
) -> Survival | None:
    """How soon each cell reaches a target of the outcome's metric.

    Args:
        results: The study.
        scores: Its outcome.
        target: The metric's value to reach; the median at which the reference's seeds end if None.
        clock: The unit of time.
        level: Confidence of intervals.

    Returns:
        None where the metric was not evaluated during training or has no direction, where every member diverged, where
        the outcome is such a time itself, and where every member was at a target that was not given from the first
        evaluation on: such a target is where the metric is worst, or nearly.
    """
    outcome = Outcome.read(results.outcome)
    name = outcome.name
    if outcome.how in TIMES or not scores.direction or not any(name in row.series for row in results.rows):
        return None
    why = GIVEN
    reference = results.reference if results.reference in results.by_cell else results.cells[0].id
    if target is None:
        target, why = _end(results, reference, name), OF_BASELINE
    if target is None:
        return None
    # Of a study that was interrupted, a cell may have no members yet, and a member no evaluation.
    counted = {
        cell.id: [r for r in results.by_cell[cell.id] if r.diverged or name in r.series] for cell in results.cells
    }
    rows = {cell: each for cell, each in counted.items() if each}
    tried = [row for each in rows.values() for row in each if name in row.series]
    horizon = min(_end_time(row, name, clock) for row in tried)
    if not np.isfinite(horizon):
        return None
    times = {
        cell: np.array([_first(row, results, name, target, clock, horizon) for row in each])
        for cell, each in rows.items()
    }
    begins = min(getattr(row.series[name], clock)[0] for row in tried)
    if why != GIVEN and all(float(time) <= begins for each in times.values() for time in each):
        return None
    within = {
        cell: {row.seed: min(float(time), horizon) for row, time in zip(rows[cell], each, strict=True)}
        for cell, each in times.items()
    }
    cells = [_reaching(cell, each, _paired(within, cell, reference), horizon, level) for cell, each in times.items()]
    return Survival(name, target, why, clock, horizon, tuple(cells), _log_rank(times, horizon))


def _paired(within: Mapping[str, Mapping[int, float]], cell: str, reference: str) -> np.ndarray:
    """How much longer a cell's seeds take than the reference's, of the seeds that both have; none for itself."""
    if cell == reference:
        return np.array([])
    ours, theirs = within[cell], within.get(reference, {})
    return np.array([ours[seed] - theirs[seed] for seed in ours if seed in theirs])


def _end(results: Results, reference: str, name: str) -> float | None:
    ends = [row.series[name].values[-1] for row in results.by_cell[reference] if name in row.series]
    known = [end for end in ends if end is not None]
    return float(np.median(known)) if known else None


def _end_time(row: Row, name: str, clock: Clock) -> float:
    """How long a member was tried; one that diverged has no end of its own."""
    return float("inf") if row.diverged else float(getattr(row.series[name], clock)[-1])


def _first(row: Row, results: Results, name: str, target: float, clock: Clock, horizon: float) -> float:
    """When a member first reached the target; infinite where it did not within the horizon, or diverged in the end."""
    series = row.series.get(name)
    if series is None or row.diverged:
        return float("inf")
    for time, value in zip(getattr(series, clock), series.values, strict=True):
        if value is not None and time <= horizon and _reaches(results, value, target):
            return float(time)
    return float("inf")


def _reaches(results: Results, value: float, target: float) -> bool:
    better = results.asked.better
    real = results.real(Outcome.read(results.outcome).name, measured=False) if better == "as-real" else None
    if real is not None:
        return abs(value - real) <= abs(target - real)
    return value >= target if better == "higher" else value <= target


def _reaching(cell: str, times: np.ndarray, paired: np.ndarray, horizon: float, level: float) -> Reaching:
    reached = np.isfinite(times)
    fitted = from_statsmodels("SurvfuncRight")(np.minimum(times, horizon), reached.astype(int))
    median = _finite(fitted.quantile(0.5)) if reached.any() else None
    with np.errstate(divide="ignore", invalid="ignore"):  # the scale that the interval is made on ends at all and none
        low, high = fitted.quantile_ci(0.5, alpha=1 - level) if reached.any() else (np.nan, np.nan)
    restricted = np.minimum(times, horizon)
    return Reaching(
        cell=cell,
        n=len(times),
        reached=int(reached.sum()),
        median=median,
        median_low=_finite(low) if reached.any() else None,
        median_high=_finite(high) if reached.any() else None,
        restricted_mean=float(restricted.mean()),
        difference=float(paired.mean()) if len(paired) else None,
        interval=mean_interval(paired, level),
        times=tuple(float(time) for time in fitted.surv_times),
        shares=tuple(float(1 - share) for share in fitted.surv_prob),
    )


def _log_rank(times: dict[str, np.ndarray], horizon: float) -> float | None:
    every = np.concatenate(list(times.values()))
    if not np.isfinite(every).any() or len(times) < 2 or len(set(np.minimum(every, horizon).tolist())) < 2:
        return None
    groups = np.repeat(np.arange(len(times)), [len(each) for each in times.values()])
    _, p = from_statsmodels("survdiff")(np.minimum(every, horizon), np.isfinite(every).astype(int), groups)
    return _finite(p)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
