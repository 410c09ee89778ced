from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.record.loop import LoopFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals


@final
@dataclass(frozen=True)
class BugSharedWeights(Rule):
    """Both players hold the same weights, and train them: each step of one undoes the other's."""

    weight: ClassVar[float] = 0.995
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop))

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        if loop is None or not loop.shared:
            return None
        return Bug(
            "G and D share weights, which each pulls its own way",
            "parameters that both players hold",
            loop.shared,
            Range(high=0),
            phrase="they have {value} parameters in common",
            mended="make layers for each: copy.deepcopy(...), or build them twice",
        )

    @staticmethod
    def sick() -> Story:
        return loop_story(shared=4)

    @staticmethod
    def healthy() -> Story:
        return loop_story(good=True)
