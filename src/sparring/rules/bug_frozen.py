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

MIN_MOVED = 0.5
"""Share of the weights of a player that a step should move at the least; some may be frozen on purpose."""


@final
@dataclass(frozen=True)
class BugFrozen(Rule):
    """A player's weights do not move: they are not to be trained, or no gradient reaches them."""

    weight: ClassVar[float] = 0.99
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop), GRADIENTS)

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        for who in ("G", "D"):
            player = loop.player(who) if loop is not None else PlayerFacts()
            share = 1.0 if player.moved is None else player.moved
            mine = [each for each in loop.optimizers if each.player == who] if loop is not None else []
            has_optimizer = any(each.own and each.lr > 0 for each in mine)
            if share < MIN_MOVED and has_optimizer and not player.no_gradient:
                which = Text(" ({layer}, for one)", layer=player.frozen[0]) if player.frozen else ""
                mended = "requires_grad_(True) for what is to be trained, and every parameter in the optimizer"
                if not player.steps:
                    which = Text(": its optimizer makes no step")
                    mended = Text("opt_{who}.step() after {who}'s backward()", who=who)
                return Bug(
                    Text("Weights of {who} do not move{which}", who=who, which=which),
                    Text("share of {who}'s weights that a step moves", who=who),
                    share,
                    Range(low=MIN_MOVED),
                    phrase="the share of weights that a step moves is {value}",
                    line=player.step_line,
                    mended=mended,
                )
        return None

    @staticmethod
    def sick() -> Story:
        return loop_story(d={"moved": 0.25, "frozen": ("main.0.weight",)})

    @staticmethod
    def healthy() -> Story:
        return loop_story(good=True)
