"""What `sparring measure` found of the samples that a run has now: it knows more of them than evaluations do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparring.metrics import all_metrics
from sparring.record import Story
from sparring.rules._certainty import error_of_share
from sparring.rules._ranges import Range

INCEPTION = "inception"
"""The judge whose distances have another unit than those of all others."""


@dataclass(frozen=True)
class Measured:
    """A measurement of every member, as new as the last evaluation and of as many samples, or more."""

    story: Story
    event: dict[str, Any]

    @classmethod
    def of(cls, story: Story) -> Measured | None:
        """The newest one; None where there is none that says more than the last evaluation does."""
        event = next((event for event in reversed(story.events) if event["event"] == "measured"), None)
        if event is None or event["judge"] == INCEPTION:
            return None
        rounds = story.evaluations[0]
        newest, count = int(rounds[-1]) if len(rounds) else 0, (story.real_baseline or {}).get("n") or 0
        if event["round"] < newest or event["n"] < count or sorted(event["seeds"]) != sorted(story.seeds):
            return None
        return cls(story, event)

    @property
    def round(self) -> int:
        """Whose samples were measured."""
        return int(self.event["round"])

    @property
    def count(self) -> int:
        """Examples on either side."""
        return int(self.event["n"])

    @property
    def has_judge(self) -> bool:
        """Whether it used a judge's features."""
        return bool(self.event["judge"])

    @property
    def independent(self) -> Measured | None:
        """The same samples by the independent judge, by which no setting was chosen; None where there is none."""
        independent = self.event.get("independent")
        return replace(self, event={**self.event, **independent, "independent": None}) if independent else None

    def has(self, name: str) -> bool:
        """Whether it has this metric, which says something of such data: real data scores enough in it. One that this
        version lacks says nothing."""
        known = name in self.event["metrics"] and name in all_metrics() and np.isfinite(self.real(name))
        return bool(known and self.real(name) >= all_metrics()[name].min_real)

    def values(self, name: str, key: str = "members") -> np.ndarray:
        """A metric's values, `(P,)`, or with the key `errors` their standard errors; NaN for what it does not state."""
        stated = self.event["metrics"][name].get(key) or [None] * len(self.event["seeds"])
        if list(self.event["seeds"]) == self.story.seeds:  # where members differ in numbers, a seed is that of several
            return np.array(stated, dtype=np.float64)
        by_seed = dict(zip(self.event["seeds"], stated, strict=True))
        return np.array([by_seed[seed] for seed in self.story.seeds], dtype=np.float64)

    def error(self, name: str) -> np.ndarray:
        """The standard error of a metric's values, `(P,)`: as it is stated, else that of a share; 0 where unknown."""
        if self.event["metrics"][name].get("errors"):
            return np.nan_to_num(self.values(name, "errors"))
        share = all_metrics()[name].share
        return error_of_share(self.values(name), self.count) if share else np.zeros(len(self.story.seeds))

    def real(self, name: str, key: str = "real") -> float:
        """What real data scores in a metric, or with the key `real_error` its standard error; NaN if not stated."""
        value = self.event["metrics"][name].get(key)
        return float("nan") if value is None else float(value)

    def farthest(self, name: str) -> list[tuple[str, ...]]:
        """Which column, or which two, a metric of the farthest is about, of each member; empty where not stated."""
        stated = (self.event.get("farthest") or {}).get(name) or [()] * len(self.event["seeds"])
        by_seed = dict(zip(self.event["seeds"], map(tuple, stated), strict=True))
        same = list(self.event["seeds"]) == self.story.seeds
        return list(map(tuple, stated)) if same else [by_seed[seed] for seed in self.story.seeds]

    def healthy(self, name: str) -> Range:
        """The healthy range of a metric, beside what real data scores in this measurement."""
        declared = all_metrics()[name].healthy_of(of_rows(self.story))
        return Range.of(declared, self.real(name), self.spread(name))

    def spread(self, name: str) -> float | None:
        """How far real examples are from their mean, in the unit of this distance; None where it is not stated."""
        return self.event["metrics"][name].get("spread")


def of_rows(story: Story) -> bool:
    """Whether examples are rows of a table, or signals: these alone have columns to compare."""
    return "column-distance" in ((story.real_baseline or {}).get("metrics") or {})


def without_numbers(story: Story) -> np.ndarray:
    """Members of whose newest samples no metric is finite, as of one that makes NaN, bool `(P,)`.

    A G that a last step took to NaN, or whose averaged weights overflow, may have losses that were all finite.
    """
    newest = next((event["metrics"] for event in reversed(story.log_points) if "metrics" in event), {})
    values = story.evaluations[1]
    known = [values[name][-1] for name in all_metrics() if name in newest]  # what was not computed then says nothing
    measured = Measured.of(story)
    if measured is not None:
        known = [measured.values(name) for name in measured.event["metrics"] if measured.has(name)] or known
    return np.all(~np.isfinite(np.stack(known)), axis=0) if known else np.zeros(len(story.seeds), dtype=bool)


def evaluated(story: Story) -> Story:
    """The story of a run that nobody evaluated while it trained, with its measurement as its only evaluation.

    Other stories stay as they are.
    """
    measured = None if len(story.evaluations[0]) else Measured.of(story)
    if measured is None:
        return story
    names = [name for name, metric in all_metrics().items() if metric.quick and measured.has(name)]
    distances = [name for name in names if all_metrics()[name].distance]
    baseline = {
        "event": "real-baseline",
        "round": 0,
        "n": measured.count,
        "judge": measured.event["judge"],
        "errors": {name: measured.real(name, "real_error") for name in distances},
        "spreads": {name: measured.spread(name) for name in distances},
        "metrics": {name: measured.real(name) for name in names},
    }
    evaluation = {
        "event": "log",
        "round": measured.round,
        "logged": [],
        "metrics": {name: measured.values(name).tolist() for name in names},
        "errors": {name: measured.error(name).tolist() for name in distances},
    }
    return Story(story.recipe, [*story.events, baseline, evaluation])
