from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.record.loop import ONE_EXAMPLE, LoopFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import SOUND, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals

OFTEN = 0.5
"""Share of rounds."""


@final
@dataclass(frozen=True)
class BugFixedNoise(Rule):
    """G is fed the same latent vectors in every round: it learns one batch of examples."""

    weight: ClassVar[float] = 0.993
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop))

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        if loop is None or loop.latent.repeats < OFTEN:
            return None
        if loop.latent.law == "constant":
            return _always_one_number(loop)
        return Bug(
            "G is fed the same latent vectors again and again",
            "rounds that were fed the latent vectors of the round before",
            loop.latent.repeats,
            Range(high=OFTEN),
            phrase="the share of rounds with the latent vectors of the round before is {value}",
            line=loop.latent.line,
            mended="draw them in every step: z = torch.randn(batch, size)",
        )

    @staticmethod
    def sick() -> Story:
        return loop_story(latent=replace(SOUND.latent, repeats=1.0))

    @staticmethod
    def healthy() -> Story:
        """A toy that is fed one constant number on purpose."""
        latent, data = (
            replace(SOUND.latent, shape=(1,), law="constant", repeats=1.0),
            replace(SOUND.data, deviation=0.05),
        )
        return loop_story(good=True, latent=latent, data=data, alike=True)


def _always_one_number(loop: LoopFacts) -> Bug | None:
    """A G that is fed nothing but one number makes one example, which is enough for a pattern and for nothing else."""
    deviation = loop.data.deviation
    varies = loop.data.repeats < OFTEN and (deviation is None or deviation > ONE_EXAMPLE)
    if not (loop.alike and varies):
        return None
    return Bug(
        "G is fed one and the same number everywhere, so that all its examples are the same",
        "different examples in a batch of G's",
        1,
        Range(low=2),
        phrase="there is {value} in a batch of G's",
        line=loop.latent.line,
        mended="draw latent vectors in every step: z = torch.randn(batch, size)",
    )
