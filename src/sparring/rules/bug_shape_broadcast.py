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
class BugShapeBroadcast(Rule):
    """Scores (B, 1) and labels (B,) are broadcast to (B, B): every score is compared with every label."""

    weight: ClassVar[float] = 0.997
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop))

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        if loop is None or loop.broadcast is None:
            return None
        size = max(2, loop.data.size)
        return Bug(
            "Scores and labels differ in shape, as (B, 1) and (B,) do, and torch compares every score with every label",
            "comparisons for each score",
            size,
            Range(high=1),
            phrase="each score is compared with {value} labels",
            line=loop.broadcast,
            mended="give both the same shape: D(x).view(-1) for labels (B,), or labels.view_as(scores)",
        )

    @staticmethod
    def sick() -> Story:
        return loop_story(broadcast=HERE)

    @staticmethod
    def healthy() -> Story:
        return loop_story(good=True)
