"""A run measured: every metric that fits its data, for every member, beside what held-out real data scores.

All sides hold the same number of examples, because most figures depend on it: n real ones to compare with, n real ones
that stand where a generator would, n of each member.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sparring import catalogue
from sparring.chance import Chance
from sparring.datasets import Dataset
from sparring.datasets._images import Images
from sparring.errors import SparringError, UsageError
from sparring.generators import sample
from sparring.judges import Judge, judge, names
from sparring.metrics import SMALLEST, Metric
from sparring.recipe import reload
from sparring.record import Run

FILE = "measures.json"
"""Where a run keeps its newest measurement."""
FEW = 16
"""Numbers up to which an example is its own features, so that data without a judge is measured too."""
AT_ONCE = 2**26
"""Numbers of generated examples that are held at once: a quarter of a gigabyte."""
DRAWN_BY = 2**62
"""The seed of the real examples that are drawn: far from the seeds that people give their runs."""

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
            "members": [_finite(value) for value in self.members],
            "real": _finite(self.real),
            "better": self.metric.better,
            "n": n,
            "title": self.metric.title,
            "through": self.metric.through,
            "range": [_finite(end) for end in self.metric.range],
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

    def plain(self) -> dict[str, Any]:
        """What `sparring measure --json` tells, and what `measures.json` holds."""
        return {
            "judge": self.judge.name if self.judge else None,
            "judge_accuracy": self.judge.accuracy if self.judge else None,
            "round": self.round,
            "seeds": list(self.seeds),
            "n": self.n,
            "unseen_from": self.unseen_from,
            "metrics": {name: figure.plain(self.n) for name, figure in self.figures.items()},
        }


def measure(
    run: Run | str | Path,
    count: int = 1_000,
    by: str | None = None,
    data_dir: Path | None = None,
    source: Path | None = None,
    seeds: Sequence[int] | None = None,
) -> Measurement:
    """Measure `count` examples of every member, those of its latent vectors 0 to `count` - 1.

    `by` names the judge; else it is the one that goes with the data, if any. Of data without a held-out part half is
    put aside, so that fewer than `count` may be compared. Raises UsageError for a judge or a count that does not fit.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    if count < SMALLEST:
        raise UsageError(f"count must be at least {SMALLEST}, not {count}")
    recipe = reload(run.recipe, source)
    if seeds is not None:
        recipe = recipe.with_(seeds=seeds)
    held = run.load("G.")
    if held is None:
        raise SparringError(f"{run.path} has no checkpoint yet; let it train a little longer")
    real = real_data(recipe.data, count, data_dir)
    n, chosen = len(real.reference), judge_of(recipe.data, by)
    figures = _real_figures(real, chosen, _fitting(recipe.data, chosen, real))
    told = {name: list[np.ndarray]() for name in figures}
    sides = _sides(real, chosen)
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
    n = min(count, len(training) // 2)
    whole = _units(training)
    return Real(
        whole[order[:n]],
        whole[order[n : 2 * n]],
        whole,
        "other training examples",
        np.delete(whole, order[n : 2 * n], 0),
    )


def views(examples: np.ndarray, by: Judge | None) -> Views:
    """Examples `(..., N, *shape)` in data units as each kind of metric sees them.

    Here `(...)` is nothing, or P members.
    """
    shape = examples.shape[2:] if examples.ndim in (3, 5) else examples.shape[1:]
    lead = examples.shape[: examples.ndim - len(shape)]
    flat = examples.reshape(*lead, -1)
    seen = {"pixels": flat, "coordinates": flat}
    if by is not None:
        opinion = by(examples.reshape(-1, *shape))
        seen["features"] = opinion.features.reshape(*lead, -1)
        seen["classes"] = opinion.probabilities.reshape(*lead, -1)
        # A judge that is shown what is no number answers something; the member must stay lost.
        lost = ~np.isfinite(flat).all(-1)
        seen["features"][lost], seen["classes"][lost] = np.nan, np.nan
    elif flat.shape[-1] <= FEW:
        seen["features"] = flat
    return seen


def _sides(real: Real, by: Judge | None) -> dict[bool, Views]:
    """What generated examples are compared with: whether a metric wants all of the training data -> views."""
    training = real.training if real.training is not None else real.reference
    return {False: views(real.reference, by), True: {"pixels": training.reshape(len(training), -1)}}


def _real_figures(real: Real, by: Judge | None, metrics: Mapping[str, Metric]) -> dict[str, Figure]:
    """Each metric with what held-out data scores, and no member yet."""
    aside = real if real.put_aside is None else dataclasses.replace(real, training=real.put_aside)
    sides, unseen = _sides(aside, by), views(real.held_out, by)
    none = np.empty(0)
    return {
        name: Figure(m, none, float(m(sides[m.whole][m.through], unseen[m.through][None])[0]))
        for name, m in metrics.items()
    }


def _fitting(data: Dataset, by: Judge | None, real: Real) -> dict[str, Metric]:
    """The metrics that have something to look through and to compare with, by name."""
    through = set(views(real.reference[:1], by)) - (set() if data.modes else {"coordinates"})
    found: dict[str, Metric] = {}
    for name in catalogue.cards("metrics"):
        leaf = catalogue.find("metrics", name)
        if leaf.through in through and not (leaf.whole and real.training is None):
            known = {"centres": data.modes.centres, "sd": data.modes.sd} if data.modes else {}
            found[name] = leaf(**known) if leaf.through == "coordinates" else leaf()
    return found


def _drawn(data: Dataset, count: int, data_dir: Path | None) -> Real:
    """From data without end: two rounds of one member's draws."""
    sides: list[np.ndarray] = []
    for round in (0, 1):
        chance = Chance((DRAWN_BY,))
        chance.begin(round)
        drawn = data.open(data_dir, "cpu").draw(chance, count)[0]
        sides.append(data.in_data_units(drawn).float().numpy())
    return Real(sides[0], sides[1], None, "other draws from the same law")


def _parted(seeds: Sequence[int], numbers: int) -> list[Sequence[int]]:
    """Seeds in parts whose examples fit in memory; a member's examples are so many numbers."""
    step = max(1, AT_ONCE // numbers)
    return [seeds[k : k + step] for k in range(0, len(seeds), step)]


def _units(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) / 255


def _finite(number: Any) -> float | None:
    value = float(number)
    return float(f"{value:.6g}") if math.isfinite(value) else None
