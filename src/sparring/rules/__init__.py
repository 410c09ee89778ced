"""What can be wrong with a GAN, or right, one rule in a file. A rule reads a run's story and nothing else; no torch.

A rule judges every member by itself. What it finds is a `Finding`: the claim in one sentence, the members that it holds
for, since which round, and the numbers behind it, each with its healthy range for the run's objective.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import numpy as np

from sparring import catalogue
from sparring.record import Story
from sparring.record.journal import json_numbers
from sparring.rules._ranges import Levels as Levels
from sparring.rules._ranges import Range as Range
from sparring.rules._series import SMOOTHING as SMOOTHING
from sparring.rules._series import moving_mean as moving_mean
from sparring.rules._signals import NEAR as NEAR
from sparring.rules._signals import Signals as Signals

MIN_SHARE = 0.25
"""A finding that holds for a smaller share of the members is not reported."""
Drawn = Literal["curves", "evaluations"]
"""Where a plot's values come from: every logged round, or the rounds at which samples were evaluated."""


@dataclass(frozen=True)
class Evidence:
    """One number behind a finding, over the members that it holds for."""

    name: str
    """As it is shown: `D(real)`, `diversity`."""
    value: float
    """The median over those members."""
    min: float
    max: float
    healthy: Range

    def plain(self) -> dict[str, Any]:
        """For JSON; an open end of the healthy range is null."""
        numbers = {"value": self.value, "min": self.min, "max": self.max}
        return {
            "name": self.name,
            **{key: json_numbers(number) for key, number in numbers.items()},
            "healthy": [json_numbers(self.healthy.low), json_numbers(self.healthy.high)],
        }


@dataclass(frozen=True)
class Plot:
    """The plot that shows a finding: some values over the rounds, and their healthy range."""

    drawn: Drawn
    names: tuple[str, ...]
    title: str
    healthy: Range
    log: bool = False
    """Whether the axis of the values is logarithmic."""


@dataclass(frozen=True)
class Detection:
    """What a rule detects in each of P members."""

    holds: np.ndarray
    """Whether the member has what the rule is named for, bool `(P,)`."""
    since: np.ndarray
    """Since which round, `(P,)`; means something only where it holds."""
    severity: np.ndarray
    """How far beyond the healthy range, float `(P,)` in [0, 1]. Negative, to -1, where other findings should come
    first."""


@dataclass(frozen=True)
class Explanation:
    """A finding in words and numbers."""

    claim: str
    """One plain sentence that names a number."""
    evidence: Sequence[Evidence]
    plot: Plot


@dataclass(frozen=True)
class Finding:
    """What a rule found in a run."""

    rule: str
    fault: bool
    """Whether this is something wrong."""
    claim: str
    members: tuple[int, ...]
    """The seeds of the members that it holds for."""
    of: int
    """How many members the run has."""
    since: int
    """Since which round it holds, in the median over those members."""
    evidence: tuple[Evidence, ...]
    plot: Plot
    remedies: tuple[str, ...]
    """Names of remedies that may help, the most promising first."""
    strength: float
    """What findings are sorted by: the share of members, the rule's weight, how far beyond the healthy range."""

    @property
    def widespread(self) -> bool:
        """Whether it holds for most members."""
        return 2 * len(self.members) > self.of


class Rule(ABC):
    """Leaves are final frozen dataclasses."""

    fault: ClassVar[bool] = True
    """Whether what it finds is something wrong."""
    weight: ClassVar[float]
    """How much its finding explains, (0, 1]: a cause ranks above what follows from it."""
    remedies: ClassVar[tuple[str, ...]] = ()
    """Names of remedies, the most promising first."""
    min_share: ClassVar[float] = MIN_SHARE
    """The share of members that a finding must hold for to be reported."""

    @abstractmethod
    def detect(self, signals: Signals) -> Detection | None:
        """What it detects in each member; None where the journal lacks what it needs."""

    @abstractmethod
    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        """The finding for these members, an array of indices."""

    @staticmethod
    @abstractmethod
    def sick() -> Story:
        """A story in which it finds what it is named for."""

    @staticmethod
    @abstractmethod
    def healthy() -> Story:
        """A similar story in which it finds nothing."""

    @final
    def __call__(self, story: Story) -> Finding | None:
        """What this rule finds in a story; None where it finds nothing."""
        return self.find(Signals(story))

    @final
    def find(self, signals: Signals) -> Finding | None:
        """The same for a story that is already prepared."""
        detection = self.detect(signals)
        if detection is None or not detection.holds.any() or detection.holds.mean() < self.min_share:
            return None
        members = np.flatnonzero(detection.holds)
        explanation = self.explain(signals, members)
        severity = float(np.clip(np.nan_to_num(detection.severity[members]), -1, 1).mean())
        return Finding(
            rule=catalogue.name_of(type(self)) or type(self).__name__,
            fault=self.fault,
            claim=explanation.claim,
            members=tuple(signals.story.seeds[m] for m in members),
            of=signals.members,
            since=int(np.median(detection.since[members])),
            evidence=tuple(explanation.evidence),
            plot=explanation.plot,
            remedies=self.remedies,
            strength=round(self.weight * (0.8 + 0.2 * severity) * len(members) / signals.members, 4),
        )


def evidence(name: str, values: np.ndarray, members: np.ndarray, healthy: Range) -> Evidence:
    """Evidence from `values` `(P,)` of these members; what is not finite is left out."""
    chosen = values[members]
    chosen = chosen[np.isfinite(chosen)]
    if not len(chosen):
        return Evidence(name, float("nan"), float("nan"), float("nan"), healthy)
    return Evidence(name, float(np.median(chosen)), float(chosen.min()), float(chosen.max()), healthy)
