from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.record.loop import LoopFacts, PlayerFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import GRADIENTS, HERE, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals


@final
@dataclass(frozen=True)
class BugStaleGradients(Rule):
    """A player steps with gradients that an earlier step, or the other player's loss, left behind."""

    weight: ClassVar[float] = 0.992
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop), GRADIENTS)

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        for who in ("D", "G"):
            player = loop.player(who) if loop is not None else PlayerFacts()
            if player.stale:
                other = "D" if who == "G" else "G"
                of_other, own = Text("{who}'s loss", who=other), Text("its own earlier steps")
                source = of_other if player.stale == "other" else own
                return Bug(
                    Text("{who} steps with gradients that {source} left behind", who=who, source=source),
                    "backward passes since its last step whose gradients were not cleared",
                    1,
                    Range(high=0),
                    phrase="they were not cleared before {value} of its backward passes",
                    line=player.stale_line,
                    mended=Text("opt_{who}.zero_grad() before this line", who=who),
                )
        return None

    @staticmethod
    def sick() -> Story:
        return loop_story(d={"stale": "own", "stale_line": HERE})

    @staticmethod
    def healthy() -> Story:
        return loop_story(good=True)
