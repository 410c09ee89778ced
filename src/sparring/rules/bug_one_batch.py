from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.record.loop import UNORDERED, LoopFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import SOUND, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals

OFTEN = 0.5
"""Share of rounds."""


@final
@dataclass(frozen=True)
class BugOneBatch(Rule):
    """D is shown the same real examples in every round, or sorted ones: one class after another.

    What moves one way for as long as the loop runs is a curriculum, as a blur that fades, and no mistake."""

    weight: ClassVar[float] = 0.991
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop))

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        if loop is None:
            return None
        if loop.data.repeats > OFTEN and not loop.data.may_be_all:
            return Bug(
                "D is shown the same batch of real examples again and again",
                "rounds that were shown the batch of the round before",
                loop.data.repeats,
                Range(high=OFTEN),
                phrase="the share of rounds with the batch of the round before is {value}",
                line=loop.data.line,
                mended="take a new batch in every round: for x in loader: ...",
            )
        if loop.data.spread is not None and loop.data.spread > UNORDERED:
            return Bug(
                "Batches of real examples are not drawn at random: the data are sorted",
                "variance of the batches' means, random batches: 1",
                loop.data.spread,
                Range(high=UNORDERED),
                phrase="their means differ {value} times as much as those of random batches",
                line=loop.data.line,
                mended="DataLoader(data, batch_size, shuffle=True)",
            )
        return None

    @staticmethod
    def sick() -> Story:
        return loop_story(data=replace(SOUND.data, repeats=1.0))

    @staticmethod
    def healthy() -> Story:
        """All the examples there are, in every step."""
        return loop_story(good=True, data=replace(SOUND.data, repeats=1.0, total=SOUND.data.size))
