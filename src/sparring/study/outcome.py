"""The outcome of a study: the one number of every member that cells are compared by. Loads no torch.

As text: a metric or a curve (`frechet-distance`, `d_loss`), one of its summaries (`best(frechet-distance)`,
`mean(d_loss)`), the time until it reaches a target (`seconds-to(frechet-distance, 2)`), or what it is after so much
training (`at-seconds(frechet-distance, 600)`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sparring import catalogue
from sparring.errors import UsageError, shortened
from sparring.languages import Text
from sparring.metrics import all_metrics
from sparring.record.story import CURVES, GRADIENTS, TITLES
from sparring.study.results import Quantity, Row, Series, Values

How = Literal["", "final", "best", "last", "mean", "seconds-to", "rounds-to", "at-seconds", "at-rounds"]
SUMMARIES = ("final", "best", "last", "mean")
TIMES = ("seconds-to", "rounds-to")
MOMENTS = ("at-seconds", "at-rounds")
DISTANCE = "distance"
"""The distance from the data by which a run's own best checkpoint is chosen."""
UNITS = {"seconds-to": "s", "rounds-to": "rounds"}
TIMES_TO = {
    "seconds-to": {
        "higher": Text("seconds until {metric} is at least {target}"),
        "as-real": Text("seconds until {metric} is as near to real data's as {target}"),
        "lower": Text("seconds until {metric} is at most {target}"),
    },
    "rounds-to": {
        "higher": Text("rounds until {metric} is at least {target}"),
        "as-real": Text("rounds until {metric} is as near to real data's as {target}"),
        "lower": Text("rounds until {metric} is at most {target}"),
    },
}
CLOCKS = {"seconds-to": "seconds", "rounds-to": "rounds"}
FORM = re.compile(r"(?P<how>[a-z]+(?:-[a-z]+)?)\((?P<name>[^,()]+)(?:,\s*(?P<number>[^,()]+))?\)")
OTHERS = {
    DISTANCE: Quantity(name=DISTANCE, title=Text("distance from the data"), better="lower"),
    "seconds": Quantity(name="seconds", title=Text("training time"), unit="s", better="lower"),
    **{name: Quantity(name=name, title=title) for name, title in TITLES.items()},
}
"""Quantities that are no metric of the catalogue."""
NO_OUTCOMES = (*GRADIENTS, "lead")
"""Of these: curves of which a study's table has no value."""


def quantity_of(name: str) -> Quantity:
    """Title, unit and direction of a metric or a curve; one that this version does not know goes by its name."""
    metric = all_metrics().get(name)
    if metric is None:
        return OTHERS.get(name, Quantity(name=name, title=name))
    unit = f"{metric.unit}, as a ratio to held-out real data" if metric.relative else metric.unit
    return Quantity(name=name, title=metric.title, unit=unit, better=metric.better, linear=metric.linear)


@dataclass(frozen=True)
class Outcome:
    """What every member of a study is judged by."""

    name: str = ""
    """A metric, a curve, or `distance`. Empty: the Fréchet distance where all cells have it, else `distance`."""
    how: How = ""
    """Empty: as measured after the last round, or the last evaluation where that was not measured."""
    number: float | None = None
    """The target of a time, or the seconds or rounds of a moment."""

    @classmethod
    def read(cls, text: str) -> Outcome:
        """From its text. Raises UsageError for what is none."""
        text = text.strip()
        if not text:
            return cls()
        form = FORM.fullmatch(text)
        if form is None:
            return cls(_known(text))
        how, name, number = form["how"], _known(form["name"].strip()), form["number"]
        known = (*SUMMARIES, *TIMES, *MOMENTS)
        if how not in known:
            raise UsageError(f"{shortened(text)}: {catalogue.unknown('outcomes', how, known)}")
        if (number is None) != (how in SUMMARIES):
            takes = f"{how}({name})" if how in SUMMARIES else f"{how}({name}, 2)"
            raise UsageError(f"the outcome {shortened(text)!r} is written {takes}")
        return cls(name, how, None if number is None else _number(text, number))  # pyright: ignore[reportArgumentType]

    @classmethod
    def wanted(cls, text: str) -> Outcome:
        """From the text of a study that is yet to be trained. Raises UsageError also for what would never be known."""
        made = cls.read(text)
        how, name, written = made.how, made.name, shortened(text.strip())
        if name in NO_OUTCOMES:
            raise UsageError(catalogue.unknown("outcomes", name, _offered()))
        if how and name == "seconds":
            raise UsageError(f"the outcome {written!r} is written seconds")
        # A curve is logged rather than evaluated; of D's outputs at evaluations neither direction is better.
        if (how in (*TIMES, *MOMENTS) and name in CURVES) or (how == "best" and name in TITLES):
            raise UsageError(
                f"the outcome {written!r} is never known, as {name} is no metric of samples: "
                f"write final({name}), last({name}) or mean({name})"
            )
        return made

    @property
    def text(self) -> str:
        """What `read` reads."""
        if not self.how:
            return self.name
        number = "" if self.number is None else f", {self.number:g}"
        return f"{self.how}({self.name}{number})"

    def check(self, evaluated: Collection[str], races: bool = False) -> None:
        """Raises UsageError for a metric that this data does not have, before anything is trained for it.

        Args:
            evaluated: The metrics of evaluations; those that are not quick are known at the end only.
            races: Whether cells are compared by it at the looks of a race: at an evaluation, where one is better.
        """
        if races and self.name not in ("", DISTANCE):
            raced = [name for name in all_metrics() if name in evaluated and quantity_of(name).better is not None]
            if self.name not in raced:
                raise UsageError(
                    f"a race cannot compare cells by {self.name} while they train: choose another outcome "
                    f"({', '.join(raced)}), or leave out the race"
                )
        metric = all_metrics().get(self.name)
        if metric is None or self.name in evaluated or not (metric.quick or self.how):
            return
        known = ", ".join(name for name in all_metrics() if name in evaluated)
        when = "evaluated while this data is trained on" if metric.quick else "known before the end of a run"
        raise UsageError(f"{self.name} is not {when}; these are: {known}")

    def named(self, name: str) -> Outcome:
        """The same of another quantity."""
        return Outcome(name, self.how, self.number)

    @property
    def quantity(self) -> Quantity:
        """Its title, unit and direction."""
        of = quantity_of(self.name)
        if self.how in TIMES:
            title = Text(_compared(of, self.how), metric=Text(of.title), target=f"{self.number:g}")
            return Quantity(name=self.text, title=title, unit=UNITS[self.how], better="lower")
        titles = {
            "final": Text("{metric} at the last evaluation"),
            "best": Text("best {metric}"),
            "last": Text("{metric} over the last 5 % of the rounds"),
            "mean": Text("mean {metric} over training"),
            "at-seconds": Text("{metric} after {number} s of training"),
            "at-rounds": Text("{metric} after {number} rounds"),
        }
        how = titles.get(self.how)
        title = Text(of.title) if how is None else how.filled(metric=Text(of.title), number=self.number)
        return Quantity(name=self.text, title=title, unit=of.unit, better=of.better, linear=of.linear)

    def of(self, row: Row, real: float | None) -> tuple[float | None, bool]:
        """The outcome of a member, and whether it is a time that was not reached within its training.

        `real` is what real data scores, for metrics that should be as near to that as possible. A member that diverged
        has no outcome, and never reaches a target.
        """
        values, series = row.values.get(self.name, Values()), row.series.get(self.name)
        if self.how in TIMES:
            return self._time(row, series, real)
        if row.diverged:
            return None, False
        if self.how in MOMENTS:
            return self._at(series), False
        if self.how:
            return getattr(values, self.how), False
        return next((v for v in (values.measured, values.last, values.final) if v is not None), None), False

    def _time(self, row: Row, series: Series | None, real: float | None) -> tuple[float | None, bool]:
        if series is None:
            return None, False
        times = series.seconds if self.how == "seconds-to" else series.rounds
        for time, value in zip(times, series.values, strict=True):
            if value is not None and self._reached(value, real) and not row.diverged:
                return float(time), False
        return (row.seconds if self.how == "seconds-to" else float(row.rounds)), True

    def _reached(self, value: float, real: float | None) -> bool:
        target, better = self.number or 0.0, quantity_of(self.name).better
        if better == "higher":
            return value >= target
        if better == "as-real" and real is not None:
            return abs(value - real) <= abs(target - real)
        return value <= target

    def _at(self, series: Series | None) -> float | None:
        """The last value that was taken by then."""
        if series is None:
            return None
        times = series.seconds if self.how == "at-seconds" else series.rounds
        past = [v for t, v in zip(times, series.values, strict=True) if t <= (self.number or 0.0)]
        return past[-1] if past else None


def _compared(of: Quantity, how: str) -> str:
    """What a time to a target is called."""
    titles = TIMES_TO[how]
    return titles.get(of.better or "", titles["lower"])


def _known(name: str) -> str:
    if name not in (*all_metrics(), *OTHERS, *NO_OUTCOMES):
        raise UsageError(catalogue.unknown("outcomes", name, _offered()))
    return name


def _offered() -> list[str]:
    return [*all_metrics(), *(each for each in OTHERS if each not in NO_OUTCOMES)]


def _number(text: str, number: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"the outcome {shortened(text)!r} takes a number, not {number!r}")
    return value
