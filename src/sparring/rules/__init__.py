"""What can be wrong with a GAN, or right, one rule in a file. A rule reads a run's story and nothing else; no torch.

A rule looks at every member by itself. What it finds is a `Finding`: the claim in one sentence, the members that it
holds for, since which round, and the numbers behind it, each with the range that is healthy for the run's objective.
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
from sparring.rules._reading import FIGURES as FIGURES
from sparring.rules._reading import NEAR as NEAR
from sparring.rules._reading import Levels as Levels
from sparring.rules._reading import Range as Range
from sparring.rules._reading import Signals as Signals

LEAST_SHARE = 0.25
"""Of the members: a finding that holds for fewer is not told."""
Drawn = Literal["curves", "evaluations"]
"""Where a plot's numbers come from: every noted round, or the ticks at which samples were looked at."""


@dataclass(frozen=True)
class Evidence:
    """One number behind a finding, of the members that it holds for."""

    name: str
    """As people call it: `D(real)`, `diversity`."""
    value: float
    """Median over those members."""
    least: float
    most: float
    healthy: Range

    def plain(self) -> dict[str, Any]:
        """For JSON; an open end of the healthy range is null."""
        numbers = {"value": self.value, "least": self.least, "most": self.most}
        return {
            "name": self.name,
            **{key: json_numbers(number) for key, number in numbers.items()},
            "healthy": [json_numbers(self.healthy.low), json_numbers(self.healthy.high)],
        }


@dataclass(frozen=True)
class Plot:
    """The picture that shows a finding: some numbers over the rounds, and the range that is healthy for them."""

    drawn: Drawn
    names: tuple[str, ...]
    title: str
    healthy: Range
    log: bool = False
    """Whether the axis is logarithmic."""


@dataclass(frozen=True)
class Detection:
    """What a rule saw in each of P members."""

    holds: np.ndarray
    """bool `(P,)`."""
    since: np.ndarray
    """The round from which on, `(P,)`; means something only where it holds."""
    severity: np.ndarray
    """How far beyond the healthy range, float `(P,)` in [0, 1]; below 0, to -1, where others should go before it."""


@dataclass(frozen=True)
class Explanation:
    """A finding in words and numbers."""

    claim: str
    """One plain sentence."""
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
    """Seeds that it holds for."""
    of: int
    """Members of the run."""
    since: int
    """The round from which on it held, in the median over those members."""
    evidence: tuple[Evidence, ...]
    plot: Plot
    remedies: tuple[str, ...]
    """Names of those that may help, the likeliest first; the recipe decides which of them fit."""
    strength: float
    """For the order of findings: the share of members, how much this explains, how far beyond the healthy range."""

    @property
    def widespread(self) -> bool:
        """Whether it holds for most members."""
        return 2 * len(self.members) > self.of


class Rule(ABC):
    """Leaves are final frozen dataclasses."""

    fault: ClassVar[bool] = True
    """Whether what it finds is something wrong."""
    weight: ClassVar[float]
    """How much its finding explains, (0, 1]: what is nearer to the cause goes before what follows from it."""
    remedies: ClassVar[tuple[str, ...]] = ()
    """Names of remedies, the likeliest first."""
    least_share: ClassVar[float] = LEAST_SHARE
    """Of the members, for a finding to be told."""

    @abstractmethod
    def detect(self, signals: Signals) -> Detection | None:
        """What it sees in each member; None where the journal does not tell what it needs."""

    @abstractmethod
    def told(self, signals: Signals, members: np.ndarray) -> Explanation:
        """The finding for these members, an index array."""

    @staticmethod
    @abstractmethod
    def sick() -> Story:
        """A story in which it finds what it is named for."""

    @staticmethod
    @abstractmethod
    def healthy() -> Story:
        """A story, not unlike, in which it finds nothing."""

    @final
    def __call__(self, story: Story) -> Finding | None:
        """What this rule finds in a story."""
        return self.find(Signals(story))

    @final
    def find(self, signals: Signals) -> Finding | None:
        """The same for a story that was read already."""
        detect = self.detect(signals)
        if detect is None or not detect.holds.any() or detect.holds.mean() < self.least_share:
            return None
        members = np.flatnonzero(detect.holds)
        told = self.told(signals, members)
        name = catalogue.name_of(type(self))
        severity = float(np.clip(np.nan_to_num(detect.severity[members]), -1, 1).mean())
        return Finding(
            rule=name or type(self).__name__,
            fault=self.fault,
            claim=told.claim,
            members=tuple(signals.story.seeds[m] for m in members),
            of=signals.members,
            since=int(np.median(detect.since[members])),
            evidence=tuple(told.evidence),
            plot=told.plot,
            remedies=self.remedies,
            strength=round(self.weight * (0.8 + 0.2 * severity) * len(members) / signals.members, 4),
        )


def evidence(name: str, values: np.ndarray, members: np.ndarray, healthy: Range) -> Evidence:
    """Of values `(P,)`, those of these members."""
    held = values[members]
    held = held[np.isfinite(held)]
    if not len(held):
        return Evidence(name, float("nan"), float("nan"), float("nan"), healthy)
    return Evidence(name, float(np.median(held)), float(held.min()), float(held.max()), healthy)
