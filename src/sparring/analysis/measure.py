"""A run measured: every metric that fits its data, for every member, beside what held-out real data scores.

All sides hold the same number of examples, because most figures depend on it: n real ones to compare with, n real ones
that stand where a generator would, n of each member.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from sparring import catalogue
from sparring.analysis.generators import sample
from sparring.datasets import Dataset, LabeledSource, Source
from sparring.datasets._images import Images
from sparring.errors import SparringError, UsageError
from sparring.judges import Judge, judge, names
from sparring.judges.inception import inception
from sparring.judges.network import SMALLEST as SMALLEST_SIDE
from sparring.judges.own import FEWEST, MOST_ASKED, MOST_LEARNT, Pictures, own
from sparring.metrics import SMALLEST, Metric
from sparring.progress import say
from sparring.recipe import reload
from sparring.record import Run
from sparring.record.journal import json_numbers
from sparring.rng import RandomStreams

FILE = "measures.json"
"""Where a run keeps its newest measurement."""
FEW = 16
"""Numbers up to which an example is its own features, so that data without a judge is measured too."""
AT_ONCE = 2**26
"""Numbers of generated examples that are held at once: a quarter of a gigabyte."""
DRAWN_BY = 2**62
"""The seed of the real examples that are drawn: far from the seeds that people give their runs."""
DRAWN_AT_ONCE = 512
"""Of those that a judge learns from."""
OWN, INCEPTION = "own", "inception"
"""Judges that are no files of the package: one trained on the data itself, and the one of published figures."""

Views = Mapping[str, np.ndarray]
"""What metrics look through -> examples as they see them, `(..., D)`."""


@dataclass(frozen=True)
class Real:
    """Real data on both sides of a comparison, each `(N, *shape)` in data units."""

    reference: np.ndarray
    """What generated examples are compared with."""
    held_out: np.ndarray
    """As many others, which stand where generated ones would."""
    training: np.ndarray | None
    """All that a run may have seen; None for data that is drawn without end."""
    unseen_from: str
    """Where `held_out` comes from, in words."""
    put_aside: np.ndarray | None = None
    """`training` without what `held_out` took of it."""


@dataclass(frozen=True)
class Figure:
    """One metric of one run."""

    metric: Metric
    members: np.ndarray
    """`(P,)`; NaN for a member that diverged."""
    real: float
    """What held-out real data scores."""

    def plain(self, n: int) -> dict[str, Any]:
        """As JSON can say it: what is not finite is null."""
        return {
            "members": json_numbers(self.members),
            "real": json_numbers(self.real),
            "better": self.metric.better,
            "n": n,
            "title": self.metric.title,
            "through": self.metric.through,
            "range": json_numbers(self.metric.range),
        }


@dataclass(frozen=True)
class Measurement:
    """Every figure of one run, at one round."""

    run: Run
    round: int
    seeds: tuple[int, ...]
    judge: Judge | None
    n: int
    unseen_from: str
    figures: dict[str, Figure]

    @property
    def notes(self) -> list[str]:
        """What to know of these figures, a sentence each."""
        if self.judge is None:
            return []
        told: list[str] = []
        if self.judge.name == INCEPTION:
            told.append("Through Inception the Fréchet distance is FID and the kernel distance KID.")
        if self.n <= self.judge.features:
            told.append(
                f"{self.n:,} examples cannot fill the covariance of {self.judge.features:,} features: it is singular, "
                "and the Fréchet distance is too large by an amount that shrinks as n grows; compare it at this n only."
            )
        return told

    def plain(self) -> dict[str, Any]:
        """What `sparring measure --json` tells, and what `measures.json` holds."""
        return {
            "judge": self.judge.name if self.judge else None,
            "judge_accuracy": self.judge.accuracy if self.judge else None,
            "judge_words": self.judge.words if self.judge else None,
            "round": self.round,
            "seeds": list(self.seeds),
            "n": self.n,
            "unseen_from": self.unseen_from,
            "notes": self.notes,
            "metrics": {name: figure.plain(self.n) for name, figure in self.figures.items()},
        }


def measure(
    run: Run | str | Path,
    count: int = 1_000,
    by: str | None = None,
    data_dir: Path | None = None,
    source: Path | None = None,
    seeds: Sequence[int] | None = None,
    metrics: Collection[str] = (),
) -> Measurement:
    """Measure `count` examples of every member, those of its latent vectors 0 to `count` - 1.

    `by` names the judge, as for `judge_for`; `metrics` those to measure, every one that fits if none is named. Of data
    without a held-out part half is put aside, so that fewer than `count` may be compared. Raises UsageError for a
    judge, a metric or a count that does not fit.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    if count < SMALLEST:
        raise UsageError(f"count must be at least {SMALLEST}, not {count}")
    recipe = reload(run.recipe, source)
    if seeds is not None:
        recipe = recipe.replace(seeds=seeds)
    held = run.load("G.")
    if held is None:
        raise SparringError(f"{run.path} has no checkpoint yet; let it train a little longer")
    real = real_data(recipe.data, count, data_dir)
    n, chosen = len(real.reference), judge_for(recipe.data, by, data_dir)
    reference = views(real.reference, chosen)
    fitting = _asked_for(metrics, _fitting(recipe.data, reference, real))
    figures = _real_figures(real, reference, views(real.held_out, chosen), fitting)
    told = {name: list[np.ndarray]() for name in figures}
    sides = _sides(reference, real.training)
    for few in _parted(recipe.seeds, n * math.prod(recipe.data.shape)):
        fake = views(sample(run, n, source, seeds=few), chosen)
        for name, figure in figures.items():
            told[name].append(
                figure.metric(sides[figure.metric.whole][figure.metric.through], fake[figure.metric.through])
            )
    done = {name: dataclasses.replace(f, members=np.concatenate(told[name])) for name, f in figures.items()}
    return Measurement(run, held[0], recipe.seeds, chosen, n, real.unseen_from, done)


def keep(measured: Measurement) -> Path:
    """Write a measurement into its run's folder, in the place of an older one."""
    return measured.run.write_text(FILE, json.dumps(measured.plain(), indent=2) + "\n")


def judge_of(data: Dataset, by: str | None = None) -> Judge | None:
    """The judge that goes with a data set, or the one called `by`. None where there is none.

    Raises UsageError for one that cannot look at such data.
    """
    if by is None:
        name = catalogue.name_of(type(data))
        by = {"stacked-mnist": "mnist"}.get(name or "", name)
        return judge(by) if by in names() else None
    chosen = judge(by)
    if not chosen.sees(data.shape):
        raise UsageError(chosen.refusal(data.shape))
    return chosen


def judge_for(data: Dataset, by: str | None = None, data_dir: Path | None = None) -> Judge | None:
    """The judge to measure with: `judge_of`; of images that come with none, or for "own", one that is trained on them.

    "inception" looks through Inception. Raises SparringError when that cannot be had, UsageError like `judge_of`.
    """
    if by == INCEPTION:
        chosen = inception()
        if not chosen.sees(data.shape):
            raise UsageError(chosen.refusal(data.shape))
        return chosen
    chosen = None if by == OWN else judge_of(data, by)
    if chosen is not None or (by is None and (len(data.shape) != 3 or min(data.shape[1:]) < SMALLEST_SIDE)):
        return chosen
    if len(data.shape) != 3:
        raise UsageError(f"a judge looks at images, not at examples of shape {data.shape}")
    learn, ask = pictures(data, data_dir)
    if by is None and len(learn.pixels) < FEWEST:
        say(f"{len(learn.pixels):,} images are too few to train a judge on ({FEWEST}): measured by their pixels only")
        return None
    return own(learn, ask)


def pictures(data: Dataset, data_dir: Path | None) -> tuple[Pictures, Pictures]:
    """What a judge of the data's own learns from and what it is then asked of.

    Of data without a held-out part half is learnt from, so that what stands where a generator would is as new to the
    judge as what a generator makes.
    """
    source = data.open(data_dir, "cpu")
    if not isinstance(source, Images):
        whole, places = _drawn_pictures(data, source, MOST_LEARNT + MOST_ASKED), np.arange(MOST_LEARNT + MOST_ASKED)
        return whole.at(places[:MOST_LEARNT]), whole.at(places[MOST_LEARNT:])
    pixels, labels = source.pixels.numpy(), source.labels
    if labels is None and source.read_labels is not None:
        labels = source.read_labels()
    whole, order = Pictures(pixels, labels), np.random.default_rng(0).permutation(len(pixels))
    learnt = len(order) // 2 if data.held_out(data_dir) is None else 4 * len(order) // 5
    return whole.at(order[:learnt][:MOST_LEARNT]), whole.at(order[learnt:][:MOST_ASKED])


def real_data(data: Dataset, count: int, data_dir: Path | None = None) -> Real:
    """At most `count` real examples for each side, the same ones every time.

    Held-out ones are the publisher's where there are any; else half of the training data stands in for them.
    """
    source = data.open(data_dir, "cpu")
    if not isinstance(source, Images):
        return _drawn(data, count, data_dir)
    training = source.pixels.numpy()
    order = np.random.default_rng(0).permutation(len(training))
    unseen = data.held_out(data_dir)
    if unseen is not None:
        n = min(count, len(training), len(unseen))
        chosen = np.random.default_rng(1).permutation(len(unseen))[:n]
        return Real(_units(training[order[:n]]), _units(unseen[chosen]), _units(training), "its test split")
    half = len(training) // 2
    n, whole = min(count, half), _units(training)
    aside = order[half : half + n]  # a judge of the data's own learns from the first half
    return Real(whole[order[:n]], whole[aside], whole, "other training examples", np.delete(whole, aside, 0))


def views(examples: np.ndarray, by: Judge | None) -> Views:
    """Examples `(..., N, *shape)` in data units as each kind of metric sees them.

    Here `(...)` is nothing, or P members. Without a judge's classes there are none.
    """
    shape = examples.shape[2:] if examples.ndim in (3, 5) else examples.shape[1:]
    lead = examples.shape[: examples.ndim - len(shape)]
    flat = examples.reshape(*lead, -1)
    seen = {"pixels": flat, "coordinates": flat}
    if by is not None:
        opinion = by(examples.reshape(-1, *shape))
        told = {"features": opinion.features, "classes": opinion.probabilities}
        seen |= {name: array.reshape(*lead, -1) for name, array in told.items() if array is not None}
        # A judge that is shown what is no number answers something; the member must stay lost.
        lost = ~np.isfinite(flat).all(-1)
        for name in told.keys() & seen.keys():
            seen[name][lost] = np.nan
    elif flat.shape[-1] <= FEW:
        seen["features"] = flat
    return seen


def _sides(reference: Views, training: np.ndarray | None) -> dict[bool, Views]:
    """What generated examples are compared with: whether a metric wants all of the training data -> views."""
    whole = {} if training is None else {"pixels": training.reshape(len(training), -1)}
    return {False: reference, True: whole}


def _real_figures(real: Real, reference: Views, unseen: Views, metrics: Mapping[str, Metric]) -> dict[str, Figure]:
    """Each metric with what held-out data scores, and no member yet."""
    sides = _sides(reference, real.training if real.put_aside is None else real.put_aside)
    none = np.empty(0)
    return {
        name: Figure(m, none, float(m(sides[m.whole][m.through], unseen[m.through][None])[0]))
        for name, m in metrics.items()
    }


def _fitting(data: Dataset, reference: Views, real: Real) -> dict[str, Metric]:
    """The metrics that have something to look through and to compare with, by name."""
    through = set(reference) - (set() if data.modes else {"coordinates"})
    found: dict[str, Metric] = {}
    for name in catalogue.entries("metrics"):
        leaf = catalogue.find("metrics", name)
        if leaf.through in through and not (leaf.whole and real.training is None):
            known = {"centers": data.modes.centers, "sd": data.modes.sd} if data.modes else {}
            found[name] = leaf(**known) if leaf.through == "coordinates" else leaf()
    return found


def _asked_for(names: Collection[str], fitting: dict[str, Metric]) -> dict[str, Metric]:
    if odd := sorted(set(names) - set(fitting)):
        raise UsageError(f"the metric {odd[0]} does not fit this run, or is none; these fit: {', '.join(fitting)}")
    return {name: metric for name, metric in fitting.items() if not names or name in names}


def _drawn(data: Dataset, count: int, data_dir: Path | None) -> Real:
    """From data without end: two rounds of one member's draws."""
    sides: list[np.ndarray] = []
    for round in (0, 1):
        rng = RandomStreams((DRAWN_BY,))
        rng.begin(round)
        drawn = data.open(data_dir, "cpu").draw(rng, count)[0]
        sides.append(data.in_data_units(drawn).float().numpy())
    return Real(sides[0], sides[1], None, "other draws from the same law")


def _drawn_pictures(data: Dataset, source: Source, count: int) -> Pictures:
    """Images from data without end, others than `_drawn` gives."""
    rng, pixels, labels = RandomStreams((DRAWN_BY + 1,)), list[np.ndarray](), list[np.ndarray]()
    for round in range(-(-count // DRAWN_AT_ONCE)):
        rng.begin(round)
        if data.classes:
            drawn, classes = cast(LabeledSource, source).draw_with_classes(rng, DRAWN_AT_ONCE)
            labels.append(classes[0].numpy())
        else:
            drawn = source.draw(rng, DRAWN_AT_ONCE)
        pixels.append((255 * data.in_data_units(drawn[0]).float().clamp(0, 1)).round().to(torch.uint8).numpy())
    return Pictures(np.concatenate(pixels)[:count], np.concatenate(labels)[:count] if labels else None)


def _parted(seeds: Sequence[int], numbers: int) -> list[Sequence[int]]:
    """Seeds in parts whose examples fit in memory; a member's examples are so many numbers."""
    step = max(1, AT_ONCE // numbers)
    return [seeds[k : k + step] for k in range(0, len(seeds), step)]


def _units(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) / 255
