from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.record.loop import LoopFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import G_LINE, GRADIENTS, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals

HOW = {
    "detach": ": the examples are detached before D scores them",
    "data": ": D is given the examples' .data",
    "numpy": ": the examples pass through numpy",
    "item": ": the examples pass through Python numbers",
    "no_grad": ": G is called under no_grad",
    "round": ": the examples pass a function without a slope (round, floor, sign)",
}
"""How examples leave the graph, in words."""
MENDED = {
    "detach": "leave out detach() in G's step: D(fake)",
    "data": "leave out .data in G's step: D(fake)",
    "numpy": "stay with tensors between G and D",
    "item": "stay with tensors between G and D",
    "no_grad": "call G outside torch.no_grad() in G's step",
    "round": "round only what is saved, not what D is given in G's step",
}

DEFAULT = "compute G's loss from D(G(z)), and backward() before opt_G.step()"

MIN_MOVED = 0.5
"""Share of D's weights that move where D passes gradients on."""


@final
@dataclass(frozen=True)
class BugGeneratorCutOff(Rule):
    """G's loss, or D's part of it, reaches none of G's weights: its examples left the graph on the way to D."""

    weight: ClassVar[float] = 1.0
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop), GRADIENTS)

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        if loop is None or not loop.g.steps:
            return None
        if not loop.g.no_gradient:
            return _of_a_part(loop)
        if not loop.cut_by and loop.d.frozen and (loop.d.moved or 0.0) < MIN_MOVED:
            return None  # it is D that passes no gradient on, to itself neither: `bug-frozen`
        return _cut(
            loop,
            "G's loss reaches none of G's weights",
            "share of G's weights that its loss reaches",
            "the share of G's weights that its loss reaches is {value}",
        )

    @staticmethod
    def sick() -> Story:
        return loop_story(g={"no_gradient": True}, cut=G_LINE, cut_by="detach")

    @staticmethod
    def healthy() -> Story:
        return loop_story(good=True)


def _of_a_part(loop: LoopFacts) -> Bug | None:
    """G learns, as from a distance to targets, and none of that is D's doing."""
    of_real, of_fake = (
        (mine or 0.0) * (theirs or 0.0)
        for mine, theirs in ((loop.g.on_real, loop.d.on_real), (loop.g.on_fake, loop.d.on_fake))
    )
    # Both may step on one loss, which is D's, as while G learns from targets alone at first.
    is_shared = loop.d.on_fake is None and loop.g.on_real is not None  # and G steps first, so that it counts as G's
    if not loop.cut_beside or max(of_real, of_fake) > 0 or is_shared:
        return None
    return _cut(
        loop,
        "D's part of G's loss reaches none of G's weights",
        "share of G's weights that D's part of its loss reaches",
        "the share of G's weights that D's part of its loss reaches is {value}",
    )


def _cut(loop: LoopFacts, claim: str, share: str, phrase: str) -> Bug:
    """The bug, by what reaches none of G's weights and what that share is called."""
    return Bug(
        Text.joined(map(Text.of, [claim, HOW.get(loop.cut_by, "")])),
        share,
        0.0,
        Range(low=0.01),
        phrase=phrase,
        line=loop.cut or loop.g.loss_line,
        mended=MENDED.get(loop.cut_by, DEFAULT),
    )
