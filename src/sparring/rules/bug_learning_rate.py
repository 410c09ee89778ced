from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.record.loop import LoopFacts, OptimizerFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import SOUND, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals

USUAL = {
    "Adam": (1e-6, 0.05),
    "AdamW": (1e-6, 0.05),
    "RMSprop": (1e-6, 0.05),
    "SGD": (1e-6, 2.0),
}
"""Learning rates that GANs train with, generously; other optimizers are judged as SGD."""

MAX_IDLE, MIN_IDLE = 0.5, 100
"""Share of its steps, and how many of them, that a player may make with a thousandth of its highest learning rate."""


@final
@dataclass(frozen=True)
class BugLearningRate(Rule):
    """A learning rate of 0, or far from what any optimizer of its kind is used with, or that falls far too soon."""

    weight: ClassVar[float] = 0.9905
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story))

    @staticmethod
    def _bug(story: Story) -> Bug | None:
        loop = story.loop
        for each in loop.optimizers if loop is not None else ():
            low, high = USUAL.get(each.kind, USUAL["SGD"])
            lr = each.lr if each.highest is None else each.highest  # a schedule may end at 0
            if not (low <= lr <= high or (lr < low and each.rises)):
                return Bug(
                    Text("{who}'s learning rate is no usual one", who=each.player),
                    Text("learning rate of {who}'s {optimizer}", who=each.player, optimizer=each.kind),
                    lr,
                    Range(low, high),
                    phrase="it is {value}",
                    mended=_mended(each, lr),
                )
        return None if loop is None else _idle(loop, story.round)

    @staticmethod
    def sick() -> Story:
        return loop_story(optimizers=(OptimizerFacts("D", "Adam", 0.5, 8, 0), OptimizerFacts("G", "Adam", 2e-4, 10, 0)))

    @staticmethod
    def healthy() -> Story:
        """A schedule that has come to its end."""
        ended = tuple(replace(each, lr=4e-7, highest=2e-4) for each in SOUND.optimizers)
        return loop_story(good=True, optimizers=ended)


def _idle(loop: LoopFacts, rounds: int) -> Bug | None:
    """Of a player that has all but stopped long before the end, or before now."""
    for each in loop.optimizers:
        steps = rounds * loop.player("G" if each.player == "G" else "D").steps
        idle = steps - each.idle if each.idle >= 0 and each.highest else 0
        if idle > max(MIN_IDLE, MAX_IDLE * steps):
            return Bug(
                Text("{who}'s learning rate fell to next to nothing far too soon", who=each.player),
                Text("steps of opt_{who} at a thousandth of the highest learning rate, or less", who=each.player),
                idle,
                Range(high=max(MIN_IDLE, MAX_IDLE * steps)),
                phrase=Text("{value} of its {steps} steps moved next to nothing", steps=f"{steps:,.0f}"),
                mended=Text("let the schedule of opt_{who} reach its end with the run's last step", who=each.player),
            )
    return None


def _mended(optimizer: OptimizerFacts, lr: float) -> Text:
    """A usual rate; of a schedule that starts from one, what it multiplies it by."""
    low, high = USUAL.get(optimizer.kind, USUAL["SGD"])
    base = optimizer.settings.get("initial_lr")
    if isinstance(base, float) and lr < low <= base <= high:
        return Text(
            "let the schedule of opt_{who} give a factor, 1 at first, which LambdaLR multiplies lr by: {base} becomes "
            "{lr}",
            who=optimizer.player,
            base=f"{base:g}",
            lr=f"{lr:g}",
        )
    return Text("lr=2e-4 for Adam; opt_{who} has {lr}", who=optimizer.player, lr=f"{lr:g}")
