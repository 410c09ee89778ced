from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.record.loop import LoopFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import HERE, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals


@final
@dataclass(frozen=True)
class BugUnusedPenalty(Rule):
    """A gradient penalty is computed and learned from by nobody: it is not in the loss, or has no graph."""

    weight: ClassVar[float] = 0.99
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop))

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        if loop is None or not loop.penalties or loop.penalties_used:
            return None
        return Bug(
            "A gradient of D's scores is taken for a penalty, and no loss learns from it",
            "penalties that reach a loss",
            0,
            Range(low=1),
            phrase="{value} of them reach a loss",
            line=loop.penalty_line,
            mended="autograd.grad(..., create_graph=True), and add the penalty to D's loss before backward()",
        )

    @staticmethod
    def sick() -> Story:
        return loop_story(penalties=12, penalties_used=False, penalty_line=HERE)

    @staticmethod
    def healthy() -> Story:
        return loop_story(good=True, penalties=12, penalty_line=HERE)
