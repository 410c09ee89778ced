from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.record.loop import LoopFacts, PlayerFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import GRADIENTS, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals


@final
@dataclass(frozen=True)
class BugInit(Rule):
    """Weights begin with one value everywhere: their units all learn the same."""

    weight: ClassVar[float] = 0.994
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop), GRADIENTS)

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        for who in ("G", "D"):
            player = loop.player(who) if loop is not None else PlayerFacts()
            if player.constant:
                return Bug(
                    Text(
                        "Weights of {who} begin with one value everywhere ({layer})", who=who, layer=player.constant[0]
                    ),
                    Text("layers of {who} whose weights are constant", who=who),
                    len(player.constant),
                    Range(high=0),
                    phrase="{value} of its layers do",
                    mended="nn.init.normal_(weight, 0.0, 0.02), or torch's own initialization",
                )
        return None

    @staticmethod
    def sick() -> Story:
        return loop_story(g={"constant": ("main.0.weight",)})

    @staticmethod
    def healthy() -> Story:
        return loop_story(good=True)
