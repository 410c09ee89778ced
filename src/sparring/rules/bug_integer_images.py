from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.record.loop import LoopFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import HERE, SOUND, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals


@final
@dataclass(frozen=True)
class BugIntegerImages(Rule):
    """Whole numbers of 8 bits are scaled before they become fractions: they go round at 256, or turn to 0 and 1."""

    weight: ClassVar[float] = 0.995
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop))

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        if loop is None:
            return None
        if loop.data.wraps is not None:
            return Bug(
                "Images are scaled as whole numbers of one byte, which wrap around",
                "lines that compute with 8-bit numbers",
                1,
                Range(high=0),
                phrase="it happens in {value} place",
                line=loop.data.wraps,
                mended="x.float() before scaling: x.float() / 127.5 - 1",
            )
        return None

    @staticmethod
    def sick() -> Story:
        return loop_story(data=replace(SOUND.data, wraps=HERE))

    @staticmethod
    def healthy() -> Story:
        return loop_story(good=True)
