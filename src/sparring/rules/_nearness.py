"""What it takes to call samples like the data: a distance from them, with its interval, among enough examples.

That no number is unhealthy is not enough: where only simple statistics of the samples are known, noise of the right
colors has healthy ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.languages import Text
from sparring.metrics import all_metrics
from sparring.rules._certainty import CONFIDENCE, Certainty, error_of_share
from sparring.rules._evidence import Evidence, number
from sparring.rules._ranges import CAN_TELL, POOR, Range

if TYPE_CHECKING:
    from sparring.rules._measured import Measured
    from sparring.rules._signals import Signals

DISTANCE, ACCURACY = "frechet-distance", "class-accuracy"
ENOUGH = 100
"""Examples on either side without which a distance cannot tell samples from real examples: with 50, and a judge that
was trained on as many, speckle was nearly as near to pictures as other pictures were."""
FAR = 5.0
"""Multiple of the upper end of the distance's healthy range above which samples are as far from the data as those of a
G that nobody teaches: where D was at fault it was at least 8, and at most 3 where nothing was wrong with D."""
OWN = "own:"
"""How the names of judges begin that were trained on the images that they judge."""


class Nearness:
    """How sure it is that samples are like the data."""

    def __init__(self, signals: Signals):
        self._signals = signals
        self._baseline: dict[str, Any] = signals.story.real_baseline or {}

    @property
    def _measured(self) -> Measured | None:
        """The measurement that the distance comes from, where it is one."""
        measured = self._signals.measured
        return measured if measured and measured.has_judge and measured.has(DISTANCE) else None

    @property
    def is_own(self) -> bool:
        """Whether the data states itself how near samples are: it has a target, or known modes."""
        signals = self._signals
        modes = signals.has("high-quality") or bool(signals.measured and signals.measured.has("high-quality"))
        return modes or signals.target_errors is not None

    @cached_property
    def error(self) -> np.ndarray:
        """The standard error of each member's distance that comes from how few samples there were, `(P,)`."""
        measured = self._measured
        if measured is not None:
            return measured.error(DISTANCE)
        errors = self._signals.story.evaluation_errors.get(DISTANCE)
        if errors is None or not len(errors):
            return np.zeros(self._signals.members)
        return np.nan_to_num(errors[-1])

    @property
    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Between which values each member's distance lies with a confidence of 95 %, `(P,)` each."""
        values, healthy = self._signals.quality(DISTANCE)
        distance = Certainty(DISTANCE, values, self.error, healthy)
        return distance.low, distance.high

    @property
    def of_real(self) -> tuple[float, float, float]:
        """What held-out real data scores in the distance, and its 95 % interval."""
        measured, errors = self._measured, self._baseline.get("errors") or {}
        real = measured.real(DISTANCE) if measured else self._signals.real(DISTANCE)
        error = measured.real(DISTANCE, "real_error") if measured else float(errors.get(DISTANCE) or 0.0)
        reach = CONFIDENCE * (error if np.isfinite(error) else 0.0)
        return real, max(real - reach, 0.0), real + reach

    @cached_property
    def far(self) -> np.ndarray:
        """Members whose samples are as far from the data as if nobody had taught G, bool `(P,)`.

        Samples that are not good may be all that G can do, or a penalty lets it: nobody is to blame for these.
        """
        signals = self._signals
        if self.is_own or DISTANCE not in signals.quality_metrics:
            return signals.poor
        values, healthy = signals.quality(DISTANCE)
        return values > FAR * healthy.high

    @property
    def unseen(self) -> np.ndarray:
        """Members of which D cannot tell samples that are so far from the data, bool `(P,)`."""
        return (self._signals.final("lead") < CAN_TELL) & ~self._signals.ranks & self.far

    @property
    def last(self) -> dict[str, tuple[np.ndarray, Range]]:
        """Distances and numbers of variety at the last evaluation, with healthy ranges; not those that were measured.

        Verdicts rest on the median of several evaluations, which one that is out of line does not change; but a G that
        collapses at the very end is out of line once.
        """
        signals = self._signals
        known = [n for n in signals.quality_metrics if signals.has(n) and not all_metrics()[n].demanding]
        known = [n for n in known if all_metrics()[n].distance or all_metrics()[n].variety]
        measured = signals.measured
        known = [n for n in known if measured is None or not measured.has(n)]
        return {n: (signals.metric(n)[-1], signals.healthy(n)) for n in known if len(signals.metric(n))}

    @cached_property
    def poor_at_last(self) -> np.ndarray:
        """Members whose samples were far from healthy at the last evaluation, bool `(P,)`."""
        excess = [healthy.excess(values) for values, healthy in self.last.values()]
        return np.max([np.zeros(self._signals.members), *excess], axis=0) > POOR

    @cached_property
    def is_sure(self) -> np.ndarray:
        """Members of which it is known that their samples are like the data, bool `(P,)`."""
        signals = self._signals
        if self.missing:
            return np.zeros(signals.members, dtype=bool)
        good = signals.good & ~self.poor_at_last
        if self.is_own:
            return good
        return good & np.all([each.is_sure for each in (*self.numbers, *self.by_independent_judge)], axis=0)

    @cached_property
    def is_likely(self) -> np.ndarray:
        """Members all of whose numbers are healthy, though not for certain, as samples are few, bool `(P,)`."""
        if self.missing or self.is_own:
            return self.is_sure
        judged = [each.holds for each in self.by_independent_judge]
        return np.all([self._signals.good, ~self.poor_at_last, *judged], axis=0)

    @cached_property
    def numbers(self) -> list[Certainty]:
        """The distance, and each share of examples that must be in its healthy range for samples to be good."""
        names = [n for n in self._signals.quality_metrics if _must_hold(n)]
        known = [(n, *self._signals.quality(n)) for n in names]
        return [Certainty(n, values, self._error(n, values), healthy) for n, values, healthy in known]

    @cached_property
    def by_independent_judge(self) -> list[Certainty]:
        """The same by the judge that no setting was chosen by; empty where it was not asked."""
        judged = self._measured.independent if self._measured else None
        if judged is None:
            return []
        names = [name for name in all_metrics() if _must_hold(name) and judged.has(name)]
        return [Certainty(n, judged.values(n), judged.error(n), judged.healthy(n)) for n in names]

    def _error(self, name: str, values: np.ndarray) -> np.ndarray:
        return self.error if name == DISTANCE else error_of_share(values, self.count)

    @property
    def count(self) -> int:
        """Examples on either side."""
        return self._measured.count if self._measured else int(self._baseline.get("n") or 0)

    @property
    def _judge(self) -> str:
        """The name of the judge whose features the distance is in; empty where there is none."""
        return str((self._measured.event if self._measured else self._baseline).get("judge") or "")

    @cached_property
    def missing(self) -> str:
        """What is missing to say of any member that its samples are like the data; empty where nothing is."""
        signals = self._signals
        loop = signals.story.loop
        if loop is not None and loop.data.given_differ:
            return Text(
                "samples were compared with the examples that D is given, and those in data= are not the same (the "
                "tails of their distributions differ)"
            )
        if loop is not None and loop.data.changes:
            return Text(
                "what D is given changes as training goes on, as in a curriculum, and samples were compared with what "
                "it was given first (sparring.watch(..., data=all_of_them) compares them with the data)"
            )
        if self.is_own:
            return self._missing_of_classes
        measured = self._measured
        if measured is None and not len(signals.evaluated_rounds):
            story = signals.story
            if story.status == "unfinished" and (self._baseline.get("metrics") or not story.log_points):
                return Text("the samples have not been evaluated yet")
            if any(event["event"] == "measured" for event in story.events):
                return Text(
                    "no metrics of samples were logged, and those measured since are of too few samples, or not of all "
                    "seeds (`sparring measure` without flags is)"
                )
            return Text("no metrics of samples were logged (`sparring measure` does it)")
        if measured is None and not (signals.has_judge and signals.has(DISTANCE)):
            return _said_of_judge(self._baseline.get("judge_missing") or "")
        if self.count < ENOUGH:
            return Text(
                "samples were compared with {count} examples, which are too few to tell ({needed} are needed)",
                count=f"{self.count:,}",
                needed=ENOUGH,
            )
        if not np.isfinite(signals.quality(DISTANCE)[0]).any():
            last = signals.evaluated_rounds[-1]
            return Text("samples were evaluated at round {round}, and not since", round=f"{last:,}")
        if self._judge.startswith(OWN) and not self.by_independent_judge:
            return Text(
                "one judge alone compared samples with the data, and it was trained on these very images "
                "(`sparring measure` asks the independent judge too, with more samples)"
            )
        return self._missing_of_classes

    @property
    def _missing_of_classes(self) -> str:
        """What is missing to say that samples are of the classes that G was asked for.

        Sparring's own discriminators look at the classes: D would know samples of others by them.
        """
        signals = self._signals
        recipe, loop = signals.story.recipe, signals.story.loop
        if loop is not None and loop.latent.conditions:
            return Text(
                "G is also given classes or attributes that no judge knows, and a D of your own need not look at them"
            )
        is_known = signals.has(ACCURACY) or bool(signals.measured and signals.measured.has(ACCURACY))
        if not recipe.get("conditional") or "yours" not in recipe["discriminator"] or is_known:
            return ""
        if signals.has("confidence") and not (signals.measured and signals.measured.has_judge):
            if loop is not None and not loop.data.labeled:
                return Text(
                    "the run does not keep the classes of real examples, without which no judge says whether samples "
                    "are of the classes that G was asked for"
                )
            return Text(
                "evaluations do not say whether samples are of the classes that G was asked for "
                "(`sparring measure` does)"
            )
        return Text("no judge knows the classes that G was asked for, and a D of your own need not look at them")

    def with_interval(self, numbers: Sequence[Evidence], members: np.ndarray) -> list[Evidence]:
        """Evidence of these members in which the distance says its interval, and what real data scores beside it."""
        title = all_metrics()[DISTANCE].title
        return [replace(each, phrase=self._phrase(members)) if each.name == title else each for each in numbers]

    def _phrase(self, members: np.ndarray) -> Text:
        """`the Fréchet distance is {value} (95 % interval 2.1 to 3), where held-out real data score 0.8 (0.6 to 1)`."""
        ends = ""
        low, high = (values[members] for values in self.interval)
        if self.error.any() and np.isfinite(low).any():
            lowest, highest = number(float(np.nanmin(low))), number(float(np.nanmax(high)))
            ends = Text(" (95 % interval {low} to {high})", low=lowest, high=highest)
        real, low, high = self.of_real
        between = Text(" ({low} to {high})", low=number(low), high=number(high)) if high > low else ""
        return Text(
            "the {title} is {value}{ends}, where held-out real data score {real}{between}",
            title=Text(all_metrics()[DISTANCE].title),
            ends=ends,
            real=number(real),
            between=between,
        )


def _must_hold(name: str) -> bool:
    """Whether samples are good only where this metric is in its healthy range for certain."""
    return name == DISTANCE or all_metrics()[name].share


def _said_of_judge(logged: str) -> str:
    """Why no judge compared samples with the data, as the journal says it."""
    if not logged:
        return Text("no judge compared samples with the data (`sparring measure` does it)")
    return Text.read(
        logged,
        "{count} images are too few to train a judge on ({needed} are needed)",
        "{count} examples are too few to compare samples with ({needed} needed)",
    )
