"""Measure a run: every metric that fits its data, for every member, beside what held-out real data scores.

All sides have the same number of examples, because most metrics depend on it: n real ones to compare with, n held-out
real ones for the baseline, and n of each member.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sparring.analysis.columns import ColumnFigures
from sparring.analysis.generators import (
    classes_of_z_seeds,
    generated,
    no_checkpoint,
    recipe_of,
    z_seeds_in_shares,
)
from sparring.analysis.judge_choice import INCEPTION, independent_judge, judge_for
from sparring.analysis.relative import RelativeMetrics
from sparring.analysis.samples import (
    AGREEMENT,
    JUDGED,
    Real,
    Views,
    classes_of_held_out,
    fitting_metrics,
    real_data,
    views,
    with_agreement,
)
from sparring.analysis.sampling import standard_errors
from sparring.analysis.watched import unsearched
from sparring.datasets import Dataset
from sparring.errors import SparringError, UsageError
from sparring.judges import Judge
from sparring.metrics import MIN_EXAMPLES, Metric, all_metrics
from sparring.metrics.classes import ClassAccuracy
from sparring.progress import say
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.record.journal import json_numbers
from sparring.rng import RandomStreams

FILE = "measures.json"
"""Where a run keeps its newest measurement."""
OF_A_JUDGE = ("features", "classes", JUDGED, AGREEMENT)
"""Spaces of metrics that come from a judge."""
AT_ONCE = 2**26
"""How many numbers of generated examples are in memory at once: a quarter of a gigabyte."""


@dataclass(frozen=True)
class Score:
    """What one run scores in one metric."""

    metric: Metric
    members: np.ndarray
    """`(P,)`; NaN for a member that diverged."""
    real: float
    """What held-out real data scores."""
    errors: np.ndarray | None = None
    """Of a distance, the standard errors that come from how few samples there are, `(P,)`."""
    real_error: float | None = None
    """The same of what held-out real data scores."""
    spread: float | None = None
    """Of a distance: how far real examples are from their mean, in its unit."""
    of_rows: bool = False
    """Whether it is of a table or of signals."""

    def plain(self, n: int) -> dict[str, Any]:
        """For JSON; what is not finite is null."""
        return {
            "members": json_numbers(self.members),
            "real": json_numbers(self.real),
            "better": self.metric.better,
            "n": n,
            "title": self.metric.title,
            "space": self.metric.space,
            "range": json_numbers(self.metric.range),
            "healthy": json_numbers(self.metric.healthy_of(self.of_rows).ends(self.real, self.spread)),
            **({} if self.spread is None else {"spread": json_numbers(self.spread)}),
            **({} if self.errors is None else {"errors": json_numbers(self.errors)}),
            **({} if self.real_error is None else {"real_error": json_numbers(self.real_error)}),
        }


@dataclass(frozen=True)
class Independent:
    """What a judge says of the samples with which no setting was chosen: figures to report."""

    judge: Judge
    scores: dict[str, Score]
    """By the metric's name; of metrics that come from a judge only."""

    def plain(self, n: int) -> dict[str, Any]:
        """For JSON."""
        return {
            "judge": self.judge.name,
            "judge_accuracy": self.judge.accuracy,
            "judge_words": self.judge.words,
            "metrics": {name: score.plain(n) for name, score in self.scores.items()},
        }


@dataclass(frozen=True)
class Measurement:
    """Every metric of one run, at one round."""

    run: RunFolder
    round: int
    seeds: tuple[int, ...]
    judge: Judge | None
    n: int
    held_out_from: str
    scores: dict[str, Score]
    """By the metric's name."""
    independent: Independent | None = None
    """The same samples by the independent judge, where the data has one and no judge was named."""
    columns: ColumnFigures | None = None
    """Each column of a table, or a signal's points and lags."""
    unsearched: str = ""
    """Among which training examples copies were searched for; empty where among all."""

    @property
    def notes(self) -> list[str]:
        """What to know of these values, a sentence each."""
        notes = [self.unsearched] if self.unsearched else []
        if self.judge is None:
            return notes
        if self.judge.name == INCEPTION:
            notes.append("With Inception's features the Fréchet distance is FID and the kernel distance KID.")
        if self.n <= self.judge.features:
            notes.append(
                f"{self.n:,} examples cannot fill the covariance of {self.judge.features:,} features: it is singular, "
                "and the Fréchet distance is too large by an amount that shrinks as n grows; compare it at this n only."
            )
        return notes

    def plain(self) -> dict[str, Any]:
        """What `sparring measure --json` prints, and what `measures.json` contains."""
        return {
            "judge": self.judge.name if self.judge else None,
            "judge_accuracy": self.judge.accuracy if self.judge else None,
            "judge_words": self.judge.words if self.judge else None,
            "round": self.round,
            "seeds": list(self.seeds),
            "n": self.n,
            "held_out": self.held_out_from,
            "notes": self.notes,
            "metrics": {name: score.plain(self.n) for name, score in self.scores.items()},
            **({} if self.independent is None else {"independent": self.independent.plain(self.n)}),
            **({} if self.columns is None else self.columns.plain()),
        }


def measure(
    run: RunFolder | str | Path,
    count: int = 1_000,
    by: str | None = None,
    data_dir: Path | None = None,
    source: Path | None = None,
    seeds: Sequence[int] | None = None,
    metrics: Collection[str] = (),
    recipe: Recipe | None = None,
) -> Measurement:
    """Measure `count` samples of every member, those of its latent vectors 0 to `count` - 1.

    Where the classes of a class-conditional run are of unequal size, latent vectors are chosen so that samples have the
    data's shares of them.

    Args:
        run: The run or its folder.
        count: Examples on each side. Of data without a held-out part half is set aside, so fewer may be compared.
        by: The judge's name, as for `judge_for`; None for the one that goes with the data.
        data_dir: Where data sets are kept.
        source: Where to find a user's own file, if it moved.
        seeds: The members to measure; None for all.
        metrics: Names of the metrics to compute; every one that fits if empty.
        recipe: The recipe with the networks themselves, where they exist in this process only.

    Raises:
        UsageError: A judge, a metric, a seed or the count does not fit.
        SparringError: The run has no checkpoint yet.
    """
    run = run if isinstance(run, RunFolder) else RunFolder.open(run)
    if count < MIN_EXAMPLES:
        raise UsageError(f"count must be at least {MIN_EXAMPLES}, not {count}")
    whole = recipe_of(run, source, recipe)
    members = range(len(whole.seeds)) if seeds is None else whole.members_with(seeds)
    recipe = whole.select(members)
    checkpoint = run.load("G.")
    if checkpoint is None:
        raise no_checkpoint(run)
    real = real_data(recipe.data, count, data_dir, recipe.data_classes)
    n = len(real.reference)
    if n < MIN_EXAMPLES:
        raise SparringError(
            f"too few real examples to measure with: {n} to compare with and {len(real.held_out)} to set aside, of "
            f"{MIN_EXAMPLES} each"
        )
    judge = judge_for(recipe.data, by, data_dir)
    second = independent_judge(recipe.data, data_dir) if by is None and judge is not None else None
    z_seeds = z_seeds_in_shares(real.class_shares, recipe.data_classes, n)
    asked = _Asked.of(recipe, real, z_seeds, data_dir) if recipe.data_classes else None
    sides = _Sides.of(recipe, real, judge, metrics, asked)
    both = [sides] if second is None else [sides, sides.by(second, real)]
    gathered, columns = [_Gathered() for _ in both], list[ColumnFigures]()
    for few in _groups(members, n * math.prod(recipe.data.shape)):
        samples = generated(run, n, z_seeds=z_seeds, members=few, recipe=whole)[1]
        for one, into in zip(both, gathered, strict=True):
            into.take(*one.score(samples))
        if recipe.data.is_plotted and not metrics:
            rows = samples.reshape(*samples.shape[:2], -1)
            columns.append(ColumnFigures.of(recipe.data, real.reference.reshape(n, -1), rows))
    scores, *others = [into.scores(one) for one, into in zip(both, gathered, strict=True)]
    independent = Independent(second, others[0]) if second is not None else None
    figures = ColumnFigures.together(columns) if columns else None
    whole = Measurement(run, checkpoint[0], recipe.seeds, judge, n, real.held_out_from, scores, independent, figures)
    searches = any(each.metric.all_training for each in scores.values())
    return dataclasses.replace(whole, unsearched=unsearched(run)) if searches else whole


def keep(measured: Measurement) -> Path:
    """Write a measurement into its run's folder, replacing an older one, but none by the same judge that has more.

    One of a few metrics or seeds would take from the report and the diagnosis what took minutes to measure. For the
    same reason what the independent judge said of the same samples stays where another judge was named.
    """
    new, path = measured.plain(), measured.run.path / FILE
    old = _of_the_same_round(measured.run, new)
    if old and old["judge"] == new["judge"] and _parts(new) < _parts(old):
        say(f"{path} stays as it is: it has more metrics, seeds or judges of round {measured.round:,}")
        return path
    if old and old["judge"] != new["judge"] and (old["seeds"], old["n"]) == (new["seeds"], new["n"]):
        new = {**{name: old[name] for name in old.keys() & {"independent"}}, **new}
    return measured.run.write_text(FILE, json.dumps(new, indent=2) + "\n")


def _of_the_same_round(run: RunFolder, new: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The measurement that is there, if it is of the same round."""
    try:
        old = run.measures
    except SparringError:
        return None
    return old if old is not None and old["round"] == new["round"] else None


def _parts(each: Mapping[str, Any]) -> set[Any]:
    return {*each["seeds"], *each["metrics"], *(each.keys() & {"independent"})}


@dataclass(frozen=True)
class _Asked:
    """Which classes samples and held-out examples are to be of, in a class-conditional run."""

    samples: np.ndarray
    """The class that each sample was asked for, `(n,)`."""
    held_out: np.ndarray
    """That of each held-out example, `(n,)`."""

    @classmethod
    def of(cls, recipe: Recipe, real: Real, z_seeds: Sequence[int], data_dir: Path | None) -> _Asked | None:
        """None where those of held-out examples are not known."""
        try:
            known = classes_of_held_out(recipe.data, real, data_dir)
        except SparringError:
            return None
        return None if known is None else cls(np.array(classes_of_z_seeds(recipe, z_seeds)), known)


@dataclass(frozen=True)
class _Sides:
    """What generated examples are compared with, in the space of each metric, and what held-out ones score there."""

    judge: Judge | None
    reference: Views
    training: Views
    """All of the training data, for metrics that want it."""
    metrics: Mapping[str, Metric]
    real: Mapping[str, float]
    real_errors: Mapping[str, float]
    relative: RelativeMetrics
    asked: _Asked | None
    of_rows: bool = False
    """Whether examples are rows of a table, or signals."""

    @classmethod
    def of(
        cls, recipe: Recipe, real: Real, judge: Judge | None, names: Collection[str], asked: _Asked | None
    ) -> _Sides:
        """For these metrics; every one that fits if empty. Raises UsageError for one that does not."""
        varied, rows = _varies(recipe), recipe.data.is_plotted
        relative = RelativeMetrics.of(
            recipe.data, real.some_training, real.unseen, len(real.reference) if varied else 1, real.training
        )
        reference, held_out = _seen(real, judge, asked)
        fitting = _fitting(recipe.data, reference, real)
        if unknown := sorted(set(names) - {*fitting, *relative.metrics}):
            fit = ", ".join(name for name in all_metrics() if name in fitting or name in relative.metrics)
            raise UsageError(f"the metric {unknown[0]} does not fit this run, or is none; these fit: {fit}")
        metrics = {name: metric for name, metric in fitting.items() if not names or name in names}
        rest = real.training if real.training_without_held_out is None else real.training_without_held_out
        without = _flat(rest)
        score = {n: float(m(_side(m, reference, without), held_out[m.space][None])[0]) for n, m in metrics.items()}
        far = {name: metric for name, metric in metrics.items() if metric.distance}
        errors = {n: float(standard_errors(m, reference[m.space], held_out[m.space][None])[0]) for n, m in far.items()}
        return cls(judge, reference, _flat(real.training), metrics, score, errors, relative.only(names), asked, rows)

    def by(self, judge: Judge, real: Real) -> _Sides:
        """The same sides as another judge sees them, for those metrics only that come from a judge."""
        reference, held_out = _seen(real, judge, self.asked)
        metrics = {n: m for n, m in self.metrics.items() if m.space in OF_A_JUDGE and m.space in reference}
        score = {n: float(m(reference[m.space], held_out[m.space][None])[0]) for n, m in metrics.items()}
        far = {name: metric for name, metric in metrics.items() if metric.distance}
        errors = {n: float(standard_errors(m, reference[m.space], held_out[m.space][None])[0]) for n, m in far.items()}
        none = self.relative.only(("none of them",))
        return _Sides(judge, reference, {}, metrics, score, errors, none, self.asked, self.of_rows)

    def score(self, samples: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Of samples `(P, n, *shape)`: every metric's values, and the standard errors of distances, `(P,)` each."""
        fake = views(samples, self.judge, samples.ndim - 2, self.asked.samples if self.asked else None)
        values = {n: m(_side(m, self.reference, self.training), fake[m.space]) for n, m in self.metrics.items()}
        far = {name: metric for name, metric in self.metrics.items() if metric.distance}
        errors = {n: standard_errors(m, self.reference[m.space], fake[m.space]) for n, m in far.items()}
        return {**values, **self.relative(samples)}, errors

    def of_real(self, name: str, members: np.ndarray) -> Score:
        """The score of these values `(P,)`, beside what real data scores."""
        if name in self.relative.metrics:
            return Score(self.relative.metrics[name], members, self.relative.baseline[name])
        metric = self.metrics[name]
        if not metric.distance:
            return Score(metric, members, self.real[name], of_rows=self.of_rows)
        spread = metric.spread(self.reference[metric.space])
        return Score(metric, members, self.real[name], real_error=self.real_errors[name], spread=spread)


class _Gathered:
    """Values and standard errors of groups of members, as they come."""

    def __init__(self) -> None:
        self.values: dict[str, list[np.ndarray]] = defaultdict(list)
        self.errors: dict[str, list[np.ndarray]] = defaultdict(list)

    def take(self, values: Mapping[str, np.ndarray], errors: Mapping[str, np.ndarray]) -> None:
        """Of the next group, `(members,)` each."""
        for into, these in ((self.values, values), (self.errors, errors)):
            for name, members in these.items():
                into[name].append(members)

    def scores(self, sides: _Sides) -> dict[str, Score]:
        """Of all members, in the metrics' order."""
        made = {name: sides.of_real(name, np.concatenate(members)) for name, members in self.values.items()}
        for name, members in self.errors.items():
            made[name] = dataclasses.replace(made[name], errors=np.concatenate(members))
        return {name: made[name] for name in all_metrics() if name in made}


def _seen(real: Real, judge: Judge | None, asked: _Asked | None) -> tuple[Views, Views]:
    """The reference and the held-out examples in every space; agreement only where the judge knows the classes."""
    reference = views(real.reference, judge, real.reference.ndim - 1)
    held_out = views(real.held_out, judge, real.held_out.ndim - 1, asked.held_out if asked else None)
    knows = AGREEMENT in held_out and held_out[AGREEMENT].mean() >= ClassAccuracy.min_real
    return with_agreement(reference, held_out) if knows else reference, held_out


def _side(metric: Metric, reference: Views, training: Views) -> np.ndarray:
    return (training if metric.all_training else reference)[metric.space]


def _flat(training: np.ndarray | None) -> Views:
    return {} if training is None else {"pixels": training.reshape(len(training), -1)}


def _varies(recipe: Recipe) -> bool:
    """Whether a generator can make more than one example."""
    latent = recipe.latent.draw(RandomStreams(recipe.seeds[:1]), "probe", 2)
    return bool((latent[:, 0] != latent[:, 1]).any())


def _fitting(data: Dataset, reference: Views, real: Real) -> dict[str, Metric]:
    """The metrics that can be computed for such data with what there is to compare with, by name."""
    fitting = fitting_metrics(data, reference.keys())
    return {name: m for name, m in fitting.items() if not (m.all_training and real.training is None)}


def _groups(members: Sequence[int], numbers: int) -> list[Sequence[int]]:
    """Members in groups whose samples fit in memory; one member's samples are so many numbers."""
    step = max(1, AT_ONCE // numbers)
    return [members[k : k + step] for k in range(0, len(members), step)]
