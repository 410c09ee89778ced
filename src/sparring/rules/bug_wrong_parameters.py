from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.record.loop import LoopFacts, OptimizerFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import GRADIENTS, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals

CLEAR = 0.5
"""Size of a mean sign, from 0 to 1, above which a loss pulls D's scores one way."""


@final
@dataclass(frozen=True)
class BugWrongParameters(Rule):
    """An optimizer holds the other player's weights, or none of its own."""

    weight: ClassVar[float] = 1.0
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop), GRADIENTS)

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        for each in loop.optimizers if loop is not None else ():
            other = "D" if each.player == "G" else "G"
            if each.others:
                return Bug(
                    Text("{who}'s optimizer also holds {other}'s weights", who=each.player, other=other),
                    Text("parameters of {other} in {who}'s optimizer", who=each.player, other=other),
                    each.others,
                    Range(high=0),
                    phrase="{value} of its parameters are not its player's",
                    mended=f"opt_{each.player} = {each.kind}({each.player}.parameters(), ...)",
                )
            if not each.own:
                return Bug(
                    Text("{who}'s optimizer holds none of {who}'s weights", who=each.player),
                    Text("parameters of {who} in its optimizer", who=each.player),
                    0,
                    Range(low=1),
                    phrase="it holds {value} of them",
                    mended=f"opt_{each.player} = {each.kind}({each.player}.parameters(), ...)",
                )
        # Only D's own loss has a reason to see real examples without G's doing so too.
        if loop is None or loop.d.on_real is not None or loop.d.on_fake is None or abs(loop.g.on_real or 0.0) < CLEAR:
            return None
        return Bug(
            "D steps on G's loss, and G on D's: each after the other's backward pass",
            "players that step on their own loss",
            0,
            Range(low=2),
            phrase="{value} of the two step on their own loss",
            line=loop.d.step_line,
            mended="opt_d.step() after D's loss, and opt_g.step() after G's",
        )

    @staticmethod
    def sick() -> Story:
        return loop_story(
            optimizers=(OptimizerFacts("D", "Adam", 2e-4, 0, 10), OptimizerFacts("G", "Adam", 2e-4, 10, 0))
        )

    @staticmethod
    def healthy() -> Story:
        return loop_story(good=True)
