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

WITH_LOGITS = ("binary_cross_entropy_with_logits", "soft_margin_loss", "log_sigmoid", "softplus")
"""Losses that apply a sigmoid themselves."""
SOFTMAX = "cross_entropy"
"""The loss that applies a softmax itself."""


@final
@dataclass(frozen=True)
class BugDoubleSigmoid(Rule):
    """A loss that applies a sigmoid (or a softmax) itself is given scores that have passed one already.

    D(x) then never leaves 0.5 to 0.731, whatever D does, and its gradients are small.
    """

    weight: ClassVar[float] = 1.0
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop), SCORES)

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        calls = loop.losses if loop is not None else ()
        found = next((call for call in calls if call.function in (*WITH_LOGITS, SOFTMAX) and call.probability), None)
        if found is None:
            return None
        headline = "The scores pass a sigmoid twice, once before the loss and once in it"
        name = "sigmoids between D's last layer and the loss"
        mended = "take the first sigmoid off, or use binary_cross_entropy (BCELoss)"
        if found.function == SOFTMAX:
            headline = "The scores pass a softmax twice, once before the loss and once in it"
            name = "softmaxes between D's last layer and the loss"
            mended = "take the softmax off, or give nll_loss (NLLLoss) its logarithm"
        phrase = "there are {value} between D's last layer and its cross-entropy"
        return Bug(headline, name, 2, Range(high=1), phrase=phrase, line=found.line, mended=mended)

    @staticmethod
    def sick() -> Story:
        losses = tuple(replace(call, probability=True) for call in SOUND.losses)
        return loop_story(losses=losses, d={"ends_in": "sigmoid", "range": (0.4, 0.6)})

    @staticmethod
    def healthy() -> Story:
        """A sigmoid at D's end, and the loss that expects one."""
        losses = tuple(replace(call, probability=True, function="binary_cross_entropy") for call in SOUND.losses)
        return loop_story(good=True, losses=losses, d={"ends_in": "sigmoid", "range": (0.1, 0.9)})
