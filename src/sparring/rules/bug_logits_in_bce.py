from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.record.loop import LoopFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import SCORES, SOUND, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals

ON_PROBABILITIES = ("binary_cross_entropy", "log")
"""Losses that take probabilities, and a logarithm that a loss is written with by hand."""


@final
@dataclass(frozen=True)
class BugLogitsInBce(Rule):
    """A loss that expects probabilities is given scores without a sigmoid.

    It refuses numbers outside [0, 1] with an error, or where the logarithm is written by hand gives NaN."""

    weight: ClassVar[float] = 1.0
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop), SCORES)

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        calls = loop.losses if loop is not None else ()
        found = next((call for call in calls if call.function in ON_PROBABILITIES and not call.probability), None)
        if loop is None or found is None:
            return None
        seen = [found.ends, loop.d.range if found.unchanged else None]
        low, high = zip(*[span for span in seen if span] or [(0.0, 1.0)], strict=True)
        outside = max(-min(low), max(high) - 1 if found.function != "log" else 0.0)  # numbers above 1 have a logarithm
        if outside <= 0:
            return None
        return Bug(
            "A loss that expects probabilities is given scores without a sigmoid",
            "how far the scores lie outside 0 to 1",
            outside,
            Range(high=0),
            phrase="they lie up to {value} outside 0 to 1",
            line=found.line,
            mended="use binary_cross_entropy_with_logits (BCEWithLogitsLoss), or end D in a sigmoid",
        )

    @staticmethod
    def sick() -> Story:
        losses = tuple(replace(call, function="binary_cross_entropy") for call in SOUND.losses)
        return loop_story(losses=losses, error="RuntimeError: all elements of input should be between 0 and 1")

    @staticmethod
    def healthy() -> Story:
        """A sigmoid at D's end, and the loss that expects one."""
        losses = tuple(replace(call, function="binary_cross_entropy", probability=True) for call in SOUND.losses)
        return loop_story(good=True, losses=losses, d={"ends_in": "sigmoid", "range": (0.1, 0.9)})
