from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.record.loop import LoopFacts, OptimizerFacts, PlayerFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import GRADIENTS, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals

CLEAR = 0.5
"""Size of a mean sign, from 0 to 1, above which a loss pulls D's scores one way."""

MIN_LEFT_OUT = 0.01
"""Share of a player's numbers that no optimizer moves, from which on it matters: an embedding of classes is small."""


@final
@dataclass(frozen=True)
class BugWrongParameters(Rule):
    """An optimizer holds the other player's weights, or none of its own; or 1 % of a player, or more, is in none."""

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
            if each.both and each.others:
                return _moved_by_both(loop, each)
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
        for who in ("G", "D") if loop is not None else ():
            if loop is not None and (left := loop.player(who)).left_out_share >= MIN_LEFT_OUT:
                return _left_out(loop, left, who)
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


def _moved_by_both(loop: LoopFacts | None, shared: OptimizerFacts) -> Bug:
    """Both players have one optimizer, which steps D along the gradients that G's loss leaves there."""
    line = None if loop is None else loop.g.step_line
    return Bug(
        "G and D have one optimizer, which moves D by G's loss too",
        "parameters of D that G's loss moves",
        shared.others,
        Range(high=0),
        phrase="G's loss moves {value} of D's parameters",
        line=line,
        mended=f"opt_G = {shared.kind}(G.parameters(), ...), opt_D = {shared.kind}(D.parameters(), ...)",
    )


def _left_out(loop: LoopFacts, player: PlayerFacts, who: str) -> Bug:
    """A part of a player that its loss has gradients for, as an unused one has not."""
    kind = next((each.kind for each in loop.optimizers if each.player == who), "Adam")
    return Bug(
        Text(
            "Weights of {who} are in no optimizer, though they get gradients ({layer}, for one)",
            who=who,
            layer=player.left_out[0],
        ),
        Text("parameters of {who} in no optimizer", who=who),
        len(player.left_out),
        Range(high=0),
        phrase="that goes for {value} of its parameters",
        line=player.step_line,
        mended=Text(
            "{code}, or requires_grad_(False) for what is not to be trained",
            code=f"opt_{who} = {kind}({who}.parameters(), ...)",
        ),
    )
