from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.record.loop import LoopFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import GRADIENTS, HERE, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals

LOST = {
    "real": "D learns nothing of real examples: the gradients of its loss on them are cleared before its step",
    "fake": "D learns nothing of generated examples: the gradients of its loss on them are cleared before its step",
}


@final
@dataclass(frozen=True)
class BugLostGradients(Rule):
    """Gradients are cleared before a step: a player's, or D's between its two backward passes.

    Then the player learns nothing, or D learns of one kind of examples alone.
    """

    weight: ClassVar[float] = 0.9925
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop), GRADIENTS)

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        if loop is None:
            return None
        for who in ("D", "G"):
            if loop.player(who).lost == "all":
                return _cleared_after(who, loop)
        if loop.d.lost not in LOST:
            return None
        return Bug(
            LOST[loop.d.lost],
            "kinds of examples that D's step learns of, of two",
            1,
            Range(low=2),
            phrase="its step learns of {value} of the two kinds of examples",
            line=loop.d.lost_line,
            mended=Text("opt_{who}.zero_grad() once, before the first backward() of the step", who="D"),
        )

    @staticmethod
    def sick() -> Story:
        return loop_story(d={"lost": "real", "lost_line": HERE})

    @staticmethod
    def healthy() -> Story:
        return loop_story(good=True)


def _cleared_after(who: str, loop: LoopFacts) -> Bug:
    """Of a player whose gradients are cleared when all of its losses have been back-propagated."""
    return Bug(
        Text("{who} learns nothing: the gradients of its loss are cleared between backward() and step()", who=who),
        Text("gradients of {who}'s loss that its step finds", who=who),
        0,
        Range(low=1),
        phrase="its step finds {value} of them",
        line=loop.player(who).step_line,
        mended=Text("opt_{who}.zero_grad() before backward(), and not between it and step()", who=who),
    )
