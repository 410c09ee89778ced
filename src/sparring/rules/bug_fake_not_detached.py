from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.record.loop import LoopFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import GRADIENTS, HERE, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals


@final
@dataclass(frozen=True)
class BugFakeNotDetached(Rule):
    """D's loss sends gradients into G that are still there when G steps: G then also learns to be recognized."""

    weight: ClassVar[float] = 0.996
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop), GRADIENTS)

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        if loop is None or not loop.d_loss_reaches_g or loop.g.stale != "other":
            return None
        return Bug(
            "D's loss sends gradients into G, which G's step then follows too",
            "losses of D that reach G's weights",
            1,
            Range(high=0),
            phrase="{value} of D's losses reaches G's weights, and they are not cleared",
            line=loop.fake_line,
            mended="D(fake.detach()) in D's step, and opt_G.zero_grad() before G's backward()",
        )

    @staticmethod
    def sick() -> Story:
        return loop_story(d_loss_reaches_g=True, g={"stale": "other", "stale_line": HERE})

    @staticmethod
    def healthy() -> Story:
        """D's loss reaches G, which costs time, but G's gradients are cleared before its own backward pass."""
        return loop_story(good=True, d_loss_reaches_g=True)
