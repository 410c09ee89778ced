from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.record.loop import LoopFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import SCORES, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals

ONE_WAY = 0.9
"""Size of a mean sign above which a player's loss moves all scores that it is of the same way."""
LEANS = 0.25
"""The same where its losses are known to depend on scores of one kind alone: sound ones whose examples were lost from
sight have up to 0.15."""
LABELS_APART = 0.5
"""How far two labels of the same scores are apart at least."""
CROSS_ENTROPIES = ("binary_cross_entropy", "binary_cross_entropy_with_logits")
"""Losses whose labels are 0, 1 or between."""
SAME = 0.02
"""How far apart labels are that are no longer the same."""
SQUARE = "mse_loss"
"""The loss whose direction is no label's: it turns round where a score has reached its label."""
CLEAR = 0.5
"""Size of a mean sign, from 0 to 1, above which a loss pulls one way."""


@final
@dataclass(frozen=True)
class BugLabels(Rule):
    """A player's loss asks for the wrong thing: G labels its examples fake, D has both kinds alike or sees one alone.

    The signs of the gradients of both losses with respect to D's scores show it, whatever the losses are."""

    weight: ClassVar[float] = 0.998
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop), SCORES)

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        if loop is None or loop.broadcast is not None:  # signs say nothing where all labels meet all scores
            return None
        real, fake, g = loop.d.on_real, loop.d.on_fake, loop.g.on_fake
        line = loop.d.loss_line
        squares = {(call.player, call.sees): call.target for call in loop.losses if call.function == SQUARE}
        d_targets, g_target = (squares.get(("D", "real")), squares.get(("D", "fake"))), squares.get(("G", "fake"))
        if real is not None and fake is not None and real * fake > CLEAR**2 and not _differ(*d_targets):
            headline = "D's loss moves its scores of real and generated examples the same way"
            mended = "label real 1 and generated 0"
        elif g is not None and fake is not None and g * fake > CLEAR**2 and not _differ(g_target, d_targets[1]):
            headline = "G's loss moves D's scores of generated examples the way that D's does"
            line = loop.g.loss_line
            mended = "in G's step label generated examples as real: criterion(D(fake), ones)"
        else:
            return _of_one_kind(loop) or _one_label(loop)
        return Bug(
            headline,
            "players that pull the same way",
            2,
            Range(high=1),
            phrase="{value} losses pull the same way where they should be against each other",
            line=line,
            mended=mended,
        )

    @staticmethod
    def sick() -> Story:
        return loop_story(g={"on_fake": 1.0})

    @staticmethod
    def healthy() -> Story:
        """A critic whose scores are high for generated examples: both signs are turned round."""
        return loop_story(good=True, d={"on_real": 1.0, "on_fake": -1.0}, g={"on_fake": 1.0})


def _differ(a: float | None, b: float | None) -> bool:
    """Whether both labels are known, and are not the same."""
    return a is not None and b is not None and a != b


def _has_both_labels(loop: LoopFacts) -> bool:
    """Whether D's loss asks for two answers to generated examples: a slip of the pen, D(fake) in place of D(real)."""
    targets = [call.target for call in loop.losses if call.player == "D" and call.target is not None]
    return bool(targets) and max(targets) - min(targets) >= LABELS_APART


def _one_label(loop: LoopFacts) -> Bug | None:
    """A D that is asked for one and the same answer to both kinds, which no sign shows where that is 0.5."""
    calls = [call for call in loop.losses if call.player == "D" and call.function in CROSS_ENTROPIES]
    targets = [call.target for call in calls if call.target is not None]
    apart = max(targets, default=1.0) - min(targets, default=0.0)
    if len(targets) < len(calls) or not {"real", "fake"} <= {call.sees for call in calls} or apart >= SAME:
        return None
    signs, undecided = (loop.d.on_real, loop.d.on_fake), abs(targets[0] - 0.5) < SAME
    if not undecided or not all(call.unchanged for call in calls) or any(abs(sign or 0) > LEANS for sign in signs):
        return None  # other labels show in the signs, where 1 - D(x) or -D(x) may be what is labeled
    return Bug(
        "D's loss has one and the same label for real and for generated examples",
        "how far the two labels are apart",
        apart,
        Range(low=SAME),
        phrase="they are {value} apart",
        line=loop.d.loss_line,
        mended="label real 1 and generated 0",
    )


def _of_one_kind(loop: LoopFacts) -> Bug | None:
    """A D whose own step is on real or on generated examples alone: all that it can learn is one answer."""
    real, fake = loop.d.on_real, loop.d.on_fake
    if loop.g.on_fake is None:  # generated examples are not recognized
        return None
    of_real, of_fake = (loop.d.learns_of == (kind,) and not loop.d.lost for kind in ("real", "fake"))
    way_of_real, way_of_fake = abs(real or 0), abs(fake or 0)
    if fake is None and loop.fake_line is None and way_of_real > (LEANS if of_real else ONE_WAY):
        headline = "D is never shown generated examples in its own step"
        mended = "add criterion(D(fake.detach()), zeros) to D's loss"
    elif (
        real is None
        and loop.data.line is None
        and (way_of_fake > (LEANS if of_fake else ONE_WAY) or (of_fake and _has_both_labels(loop)))
    ):
        headline = "D is never shown real examples in its own step"
        mended = "add criterion(D(real), ones) to D's loss"
    elif fake is None and of_real and way_of_real > LEANS:
        headline = "D's loss leaves out its scores of generated examples"
        mended = "back-propagate both: loss_real + loss_fake"
    elif real is None and of_fake and way_of_fake > LEANS:
        headline = "D's loss leaves out its scores of real examples"
        mended = "back-propagate both: loss_real + loss_fake"
    else:
        return None
    return Bug(
        headline,
        "kinds of examples that D's loss depends on",
        1,
        Range(low=2),
        phrase="it depends on {value} kind of examples",
        line=loop.d.loss_line,
        mended=mended,
    )
