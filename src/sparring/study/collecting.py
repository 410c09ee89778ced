"""A row for each cell and seed, from the runs that were trained: final numbers, series, what the diagnosis finds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sparring import catalogue
from sparring.analysis.diagnosis import diagnosis, story_of
from sparring.analysis.steered import refuse_departed
from sparring.analysis.votes import explanations
from sparring.metrics import all_metrics
from sparring.record import RunFolder, Story
from sparring.record.story import CURVES
from sparring.rules import Finding, Signals
from sparring.rules._signals import CONSTANT
from sparring.study.definition import PlannedCell, Study
from sparring.study.folder import StudyFolder
from sparring.study.outcome import DISTANCE, Outcome, quantity_of
from sparring.study.results import Cell, FactorLevels, Quantity, Results, Row, Series, Values

JUDGED = "frechet-distance"
"""The outcome by default, of data with a judge."""
COLLAPSE = "mode-collapse"
LAST = 0.05
"""Share of the rounds whose evaluations `last` averages over."""
OF_D = ("d_train", "d_held_out", "d_generated", "d_right")
"""What D says at evaluations: its mean outputs, whose course shows whether it overfits, and how often it is right."""


def collect(folder: StudyFolder, study: Study | None = None) -> Results:
    """Everything that the folder's runs have come to so far.

    Args:
        folder: The study's folder.
        study: The study with a user's own parts, where they exist in this process; else as the folder has it.

    Raises:
        SparringError: A run's files are damaged.
    """
    study = study or folder.study
    found = [(cell, [_RunFacts.of(run) for run in folder.runs(cell)]) for cell in study.cells]
    facts = [each for _, runs in found for each in runs]
    outcome = _settled(Outcome.read(study.outcome), facts)
    stopped, together = folder.stopped() if study.looks else {}, folder.members_together()
    cells = tuple(_cell(folder, cell, runs, stopped.get(cell.id)) for cell, runs in found)
    rows = [
        dataclasses.replace(row, cell=cell.id, folder=name, members=together.get(name, row.members))
        for cell, runs in found
        for each in runs
        for name in (folder.relative(each.run),)
        for row in each.rows(outcome)
        if row.seed in study.seeds
    ]
    at_the_end = not outcome.how and any(_measured(row, outcome) is not None for row in rows)
    judged = [_judged(row, outcome, cells, at_the_end) for row in rows]
    return Results(
        name=study.name,
        question=study.question,
        outcome=outcome.text,
        factors=tuple(FactorLevels(name=f.name, levels=tuple(l.label for l in f.levels)) for f in study.factors),
        design=study.design,
        aliases=study.aliases,
        steps=tuple(tuple(study.cells[i].id for i in order) for order in study.steps),
        reference=study.cells[0].id,
        seeds=study.seeds,
        cells=cells,
        rows=tuple(judged),
        quantities=_quantities(judged, outcome),
        looks=study.looks,
        precision=study.precision,
        judge=next((each.judge for each in facts if each.judge), ""),
        folder=str(folder.path),
    )


def _cell(folder: StudyFolder, cell: PlannedCell, runs: Sequence[_RunFacts], stopped: int | None) -> Cell:
    first = runs[0] if runs else None
    return Cell(
        id=cell.id,
        label=cell.label,
        levels=cell.levels,
        recipe=cell.recipe.id,
        folders=tuple(folder.relative(each.run) for each in runs),
        real=first.real if first else {},
        real_measured=first.real_measured if first else {},
        stopped=stopped,
    )


def _measured(row: Row, outcome: Outcome) -> float | None:
    return row.values.get(outcome.name, Values()).measured


def _judged(row: Row, outcome: Outcome, cells: Sequence[Cell], at_the_end: bool) -> Row:
    """The row with its outcome; `at_the_end` where other rows have theirs as measured after the last round.

    Evaluations during training are by another judge and of fewer samples: a row that is not measured yet has no outcome
    then, rather than one that the others cannot be compared with.
    """
    if at_the_end and _measured(row, outcome) is None:
        return row
    if outcome.name == "seconds":
        return dataclasses.replace(row, outcome=None if row.diverged else row.seconds)
    cell = next(each for each in cells if each.id == row.cell)
    value, censored = outcome.of(row, cell.real.get(outcome.name))
    return dataclasses.replace(row, outcome=value, censored=censored)


def _settled(outcome: Outcome, facts: Sequence[_RunFacts]) -> Outcome:
    """The outcome with the quantity that is meant where none was named."""
    if outcome.name:
        return outcome
    judged = bool(facts) and all(each.signals.has_judge and JUDGED in each.names for each in facts)
    return outcome.named(JUDGED if judged else DISTANCE)


def _quantities(rows: Sequence[Row], outcome: Outcome) -> dict[str, Quantity]:
    names = dict.fromkeys(name for row in rows for name in row.values)
    order = [*(name for name in all_metrics() if name in names), *(n for n in names if n not in all_metrics())]
    return {outcome.text: outcome.quantity, **{name: quantity_of(name) for name in order if name != outcome.text}}


@dataclass(frozen=True)
class _RunFacts:
    """One run of a cell, with everything that its rows are made of."""

    run: RunFolder
    story: Story
    measures: Mapping[str, Any]

    @classmethod
    def of(cls, run: RunFolder) -> _RunFacts:
        story = story_of(run)
        refuse_departed(run, "move its folder away, and the study trains it again")
        measures = run.measures
        fresh = measures is not None and measures["round"] == story.round
        return cls(run, story, measures if measures is not None and fresh else {})

    @cached_property
    def signals(self) -> Signals:
        return Signals(self.story)

    @cached_property
    def distance(self) -> tuple[np.ndarray, np.ndarray]:
        """Rounds `(T,)` and how far samples were from the data then, `(T, P)`; of a target's data to the last digit."""
        if self.signals.target_errors is not None:
            return self.signals.target_errors
        distance = self.signals.distance
        return distance.rounds, distance.values

    @property
    def real(self) -> dict[str, float | None]:
        return dict((self.story.real_baseline or {}).get("metrics", {}))

    @property
    def real_measured(self) -> dict[str, float | None]:
        return {name: each["real"] for name, each in self.measured.items()}

    @property
    def measured(self) -> dict[str, Any]:
        """Metric -> its score as measured: by the independent judge, whose figures are to be reported, where it can."""
        return {**self.measures.get("metrics", {}), **self.measures.get("independent", {}).get("metrics", {})}

    @property
    def judge(self) -> str:
        """The judge of these."""
        return self.measures.get("independent", self.measures).get("judge") or ""

    @property
    def names(self) -> list[str]:
        """Metrics that the run has, evaluated or measured."""
        return list(dict.fromkeys([*self.story.evaluations[1], *self.real_measured]))

    def rows(self, outcome: Outcome) -> list[Row]:
        """One for each member; the outcome is not filled in."""
        story, found = self.story, self._findings
        collapsed = self._collapsed
        tables, series = self._values(), self._series(outcome)
        spent = self._net_seconds(story.round, story.seconds)
        return [
            Row(
                cell="",
                seed=seed,
                folder="",
                outcome=None,
                diverged=m in story.diverged,
                collapsed=bool(collapsed[m]),
                finding=found[name].rule if name in found else "",
                fault=name in found and found[name].fault,
                status=story.status,
                rounds=story.round,
                seconds=round(spent, 3),
                members=len(story.seeds),
                values={name: _member(table, m) for name, table in tables.items()},
                series={name: _member_series(each, m) for name, each in series.items()},
            )
            for m, (seed, name) in enumerate(zip(story.seeds, story.names, strict=True))
        ]

    @cached_property
    def _findings(self) -> dict[Any, Finding]:
        """What a member is called -> what explains most of it, as the run's verdict counts it."""
        return explanations(diagnosis(self.story).findings)

    @cached_property
    def _collapsed(self) -> np.ndarray:
        """Of every member, however few: a finding is reported for a quarter of them at least.

        A member that makes one sample whatever it is fed counts too, also where that sample is noise, of which the rule
        says something else first.
        """
        detection = catalogue.find("rules", COLLAPSE)().detected(self.signals)
        constant = (self.signals.latest("diversity") < CONSTANT) & ~self.signals.progress.unfinished
        lacking = constant if detection is None else detection.holds | constant
        return lacking & ~self.signals.diverged

    def _values(self) -> dict[str, dict[str, np.ndarray]]:
        """Quantity -> summary -> value of every member, `(P,)`."""
        rounds, evaluated = self.story.evaluations
        tables = {name: _summaries(rounds, each, self._best(name)) for name, each in evaluated.items()}
        tables[DISTANCE] = _summaries(*self.distance, np.nanmin)
        for name in CURVES:
            curve = self.story.curve(name)
            tables[name] = _summaries(self.story.logged_rounds, curve, None) | {"last": self.story.last(name)}
        for name, each in self.measured.items():
            order = dict(zip(self.measures["seeds"], each["members"], strict=True))
            members = np.array([order.get(seed) for seed in self.story.seeds], dtype=np.float64)
            tables.setdefault(name, {})["measured"] = members
        return tables

    def _best(self, name: str) -> Any:
        """What gives the best of several values along the first axis; None where neither direction is better."""
        metric, real = all_metrics().get(name), self.real.get(name)
        if metric is None or (metric.better == "as-real" and real is None):
            return None
        if metric.better == "as-real":
            return lambda values, axis: _nearest(values, real)
        return np.nanmax if metric.better == "higher" else np.nanmin

    def _series(self, outcome: Outcome) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Metric -> rounds `(T,)`, seconds `(T,)` and values `(T, P)`, of the metrics whose course is of interest."""
        rounds, evaluated = self.story.evaluations
        chosen = {outcome.name, JUDGED, *OF_D, *(n for n, metric in all_metrics().items() if metric.headline)}
        found = {name: (rounds, values) for name, values in evaluated.items() if name in chosen}
        found[DISTANCE] = self.distance
        return {name: (at, self._seconds_at(at), values) for name, (at, values) in found.items() if len(at)}

    def _seconds_at(self, rounds: np.ndarray) -> np.ndarray:
        """Seconds of training until these log points, without those of evaluations."""
        by_round = {event["round"]: event.get("seconds", 0.0) for event in self.story.log_points}
        return np.array([self._net_seconds(int(r), by_round.get(int(r), np.nan)) for r in rounds])

    def _net_seconds(self, round: int, seconds: float) -> float:
        earlier = [e for e in self.story.log_points if e["round"] < round]
        return max(0.0, seconds - sum(event.get("evaluation_seconds", 0.0) for event in earlier))


def _summaries(rounds: np.ndarray, values: np.ndarray, best: Any) -> dict[str, np.ndarray]:
    """Summaries of values `(T, P)` at these rounds `(T,)`; empty where there are none."""
    if not len(values):
        return {}
    late = values[rounds >= (1 - LAST) * rounds[-1]]
    summaries = {"final": values[-1], "last": late.mean(0), "mean": values.mean(0)}
    known = np.isfinite(values).any(0)
    if best is not None and known.any():
        found = np.full(values.shape[1], np.nan)
        found[known] = best(values[:, known], axis=0)
        summaries["best"] = found
    return summaries


def _nearest(values: np.ndarray, real: float | None) -> np.ndarray:
    """Of each column the value that is nearest to what real data scores."""
    away = np.where(np.isfinite(values), np.abs(values - (real or 0.0)), np.inf)
    return np.take_along_axis(values, away.argmin(0)[None], 0)[0]


def _member(table: Mapping[str, np.ndarray], member: int) -> Values:
    return Values(**{name: _finite(each[member]) for name, each in table.items()})


def _member_series(series: tuple[np.ndarray, np.ndarray, np.ndarray], member: int) -> Series:
    rounds, seconds, values = series
    return Series(
        rounds=tuple(map(int, rounds)),
        seconds=tuple(round(float(s), 3) for s in seconds),
        values=tuple(_finite(v) for v in values[:, member]),
    )


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
