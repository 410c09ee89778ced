from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.record.loop import LoopFacts, PlayerFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import SCORES, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals


@final
@dataclass(frozen=True)
class BugEvalMode(Rule):
    """A player trains in evaluation mode: its batch norm follows old statistics, its dropout does nothing."""

    weight: ClassVar[float] = 0.985
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop), SCORES)

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        for who in ("G", "D"):
            player = loop.player(who) if loop is not None else PlayerFacts()
            if player.in_eval:
                return Bug(
                    Text(
                        "{who} trains in evaluation mode ({layer} is)", who=who, layer=player.in_eval[0] or player.name
                    ),
                    Text("layers of {who} in evaluation mode", who=who),
                    len(player.in_eval),
                    Range(high=0),
                    phrase="{value} of its batch norm and dropout layers are",
                    line=player.loss_line,
                    mended=Text("{who}.train() before the step, after every {who}.eval()", who=who),
                )
        return None

    @staticmethod
    def sick() -> Story:
        return loop_story(g={"in_eval": ("main.1", "main.4")})

    @staticmethod
    def healthy() -> Story:
        return loop_story(good=True)
