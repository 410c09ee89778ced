from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.record.loop import ONE_EXAMPLE, SAME_ROWS, LoopFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import SOUND, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals

OFTEN = 0.5
"""Share of rounds."""
RARELY = "G is fed the same latent vectors for several rounds, and seldom new ones"
ALIKE = {
    "constant": "G is fed one and the same number everywhere, so that all its examples are the same",
    SAME_ROWS: "All latent vectors of a batch are the same, and so are all examples that G makes of them",
}
"""Latent vectors that make examples alike: how they are drawn, and what that means."""


@final
@dataclass(frozen=True)
class BugFixedNoise(Rule):
    """G is fed the same latent vectors in every round, or one vector in all of a batch: it learns few examples."""

    weight: ClassVar[float] = 0.993
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop))

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        if loop is None:
            return None
        repeats, law = loop.latent.repeats > OFTEN, loop.latent.law
        alike = _always_alike(loop) if law == SAME_ROWS or (repeats and law == "constant") else None
        if alike is not None or law == "constant":
            return alike
        if repeats:
            return Bug(
                RARELY if loop.latent.own_renewed else "G is fed the same latent vectors again and again",
                "rounds that were fed the latent vectors of the round before",
                loop.latent.repeats,
                Range(high=OFTEN),
                phrase="the share of rounds with the latent vectors of the round before is {value}",
                line=loop.latent.line,
                mended="draw them in every step: z = torch.randn(batch, size)",
            )
        if loop.latent.own_repeats <= OFTEN:
            return None
        return Bug(
            RARELY
            if loop.latent.own_renewed
            else "G learns from the same latent vectors again and again, while D is shown samples of others",
            "steps of G with the latent vectors of its step before",
            loop.latent.own_repeats,
            Range(high=OFTEN),
            phrase="the share of G's steps with the latent vectors of its step before is {value}",
            line=loop.latent.line,
            mended="draw them in G's step too: z = torch.randn(batch, size)",
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


def _always_alike(loop: LoopFacts) -> Bug | None:
    """A G whose examples are all the same, at all or in a batch: enough for data of one example and for no others."""
    deviation = loop.data.deviation
    varies = loop.data.repeats < OFTEN and (deviation is None or deviation > ONE_EXAMPLE)
    if not (loop.alike and varies):
        return None
    return Bug(
        ALIKE[loop.latent.law],
        "different examples in a batch of G's",
        1,
        Range(low=2),
        phrase="there is {value} in a batch of G's",
        line=loop.latent.line,
        mended="draw latent vectors in every step: z = torch.randn(batch, size)",
    )
