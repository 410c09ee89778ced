"""What can be wrong with a GAN, or right, one rule in a file. A rule reads a run's story and nothing else; no torch.

A rule judges every member by itself. What it finds is a `Finding`: the claim in one sentence, the members that it holds
for, since which round, and the numbers behind it, each with its healthy range for the run's objective. The sentence is
made of those numbers that are reasons (`_evidence.py`): a fault is never explained by a number in its healthy range.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, ClassVar, final

import numpy as np

from sparring import catalogue
from sparring.record import Story
from sparring.record.loop import Line
from sparring.rules._copies import copied as copied
from sparring.rules._evidence import Evidence as Evidence
from sparring.rules._evidence import Explanation as Explanation
from sparring.rules._evidence import Plot as Plot
from sparring.rules._evidence import evidence as evidence
from sparring.rules._ranges import Levels as Levels
from sparring.rules._ranges import Range as Range
from sparring.rules._series import SMOOTHING as SMOOTHING
from sparring.rules._series import moving_mean as moving_mean
from sparring.rules._series import steady_onset
from sparring.rules._signals import FINAL_EVALUATIONS as FINAL_EVALUATIONS
from sparring.rules._signals import NEAR as NEAR
from sparring.rules._signals import Signals as Signals
from sparring.rules._signals import counted as counted

MIN_SHARE = 0.25
"""A finding that holds for a smaller share of the members is reported only where nothing else is found of these."""


@dataclass(frozen=True, kw_only=True)
class Detection:
    """What a rule detects in each of P members."""

    holds: np.ndarray
    """Whether the member has what the rule is named for, bool `(P,)`."""
    severity: np.ndarray
    """How far beyond the healthy range, float `(P,)` in [0, 1]. Negative, to -1, where other findings should come
    first."""
    since: np.ndarray | None = None
    """Since which round, `(P,)`, where the rule knows better than asking it again at every earlier log point."""
    lasting: np.ndarray | None = None
    """Members, bool `(P,)`, in which more training does not mend it, though it is too early to say more."""
    blemish: np.ndarray | None = None
    """Members, bool `(P,)`, in which it is to be seen but explains nothing: reported, and no verdict."""


@dataclass(frozen=True)
class Finding:
    """What a rule found in a run."""

    rule: str
    fault: bool
    """Whether this is something wrong."""
    claim: str
    """One sentence."""
    members: tuple[Any, ...]
    """The seeds of the members that it holds for; where members differ in numbers, what they are called."""
    of: int
    """How many members the run has."""
    reasons: tuple[Evidence, ...]
    """What the claim cites: of a fault, numbers outside their healthy range, else inside."""
    evidence: tuple[Evidence, ...]
    """All numbers behind it, these included."""
    plot: Plot
    remedies: tuple[str, ...]
    """Names of remedies that may help, the most promising first."""
    strength: float
    """What findings are sorted by: the share of members, the rule's weight, how far beyond the healthy range."""
    onset: Callable[[], int] = field(repr=False, compare=False)
    """Works out `since`, which takes as long as several diagnoses."""
    line: Line | None = None
    """Where in the user's own loop it happens; None for a run of `train`."""
    mended: str = ""
    """That line as it should be, or what to do there."""
    voters: frozenset[Any] = frozenset()
    """The members, named as in `members`, that this explains most of; known once there is a diagnosis."""
    blemishes: frozenset[Any] = frozenset()
    """Those of the members in which it is to be seen but explains nothing."""
    fades: bool = False
    """Whether every G begins like this."""

    def __getstate__(self) -> dict[str, Any]:
        """For pickle, which keeps no function that would work it out later."""
        return self.__dict__ | {"onset": partial(int, self.since)}

    @cached_property
    def since(self) -> int:
        """The round from which diagnoses would have found this, but for few, until now; the median over members."""
        return self.onset()

    @property
    def votes(self) -> int:
        """Of how many members this explains most."""
        return len(self.voters)

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
    """The share of members that a finding must hold for to be reported beside what else is found of them."""
    fades: ClassVar[bool] = False
    """Whether every G begins like this, so that more training may mend it."""
    anytime: ClassVar[bool] = False
    """Whether it is found in members, too, of which it is too early to say what is wrong (`Progress.unfinished`): only
    what more training cannot mend."""

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
        detection = self.detected(signals)
        if detection is None or not self._is_reported(detection.holds.sum(), signals):
            return None
        members = np.flatnonzero(detection.holds)
        explanation = self.explain(signals, members)
        with_reason = explanation.has_reason(self.fault)
        if not with_reason.all():  # what there is no reason for is not claimed
            members = members[with_reason]
            if not self._is_reported(len(members), signals):
                return None
            explanation = self.explain(signals, members)
        severity = float(np.clip(np.nan_to_num(detection.severity[members]), -1, 1).mean())
        return Finding(
            rule=catalogue.name_of(type(self)) or type(self).__name__,
            fault=self.fault,
            claim=explanation.claim(self.fault),
            members=tuple(signals.story.names[m] for m in members),
            of=signals.members,
            reasons=explanation.cited(self.fault),
            evidence=tuple(e for e in (*explanation.reasons, *explanation.context) if e.is_known),
            plot=explanation.plot,
            remedies=tuple(dict.fromkeys((*explanation.remedies, *self.remedies))),
            strength=round(self.weight * (0.8 + 0.2 * severity) * len(members) / signals.members, 4),
            onset=lambda: int(np.median(self._since(signals, detection)[members])),
            line=explanation.line,
            mended=explanation.mended,
            blemishes=frozenset(signals.story.names[m] for m in members[detection.blemish[members]])
            if detection.blemish is not None
            else frozenset(),
            fades=self.fades,
        )

    def detected(self, signals: Signals) -> Detection | None:
        """What it detects, but for members of which it is too early to say so."""
        detection = self.detect(signals)
        if detection is None or self.anytime:
            return detection
        lasting = False if detection.lasting is None else detection.lasting
        return replace(detection, holds=detection.holds & (~signals.progress.unfinished | lasting))

    def _is_reported(self, count: int, signals: Signals) -> bool:
        return count > 0 and count / signals.members >= self.min_share

    def _since(self, signals: Signals, detection: Detection) -> np.ndarray:
        """The round since which diagnoses would have found it, but for few, `(P,)`."""
        if detection.since is not None:
            return detection.since
        rounds = [*signals.earlier_rounds, signals.rounds]
        then = [self.detected(signals.at(round)) for round in signals.earlier_rounds]
        holds = np.array([*(np.zeros_like(detection.holds) if d is None else d.holds for d in then), detection.holds])
        return np.array(rounds)[steady_onset(holds)]
