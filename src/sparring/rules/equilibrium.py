from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.rules import Detection, Explanation, Plot, Rule, evidence
from sparring.rules._copies import copied
from sparring.rules._doubt import MAX_RIGHT
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals
from sparring.rules._stories import story
from sparring.rules._words import curve_evidence, d_outputs, middle, number, quality_evidence, title

MAX_LEAD = 0.6
"""D's lead up to which it is not sure: without label smoothing, good GANs settle at about a third."""


@final
@dataclass(frozen=True)
class Equilibrium(Rule):
    """The good outcome: neither player wins, and samples are like the data.

    Either alone is not enough: a D that learned nothing does not win, and a leading D may face good samples. That
    samples are like the data is known only by a distance from it: in a judge's features, from modes or from a target.
    Its 95 % interval, and that of each share of examples, must be healthy as a whole in at least half of the members; a
    judge that was trained on these very images is not believed alone. Copies of training examples are no good outcome.
    """

    fault: ClassVar[bool] = False
    weight: ClassVar[float] = 0.5
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        if signals.levels is None or not len(signals.logged_rounds) or not signals.quality_known:
            return None
        lead = np.abs(signals.final("lead"))
        sees_through = signals.latest("d_right") > MAX_RIGHT  # False where it is not known
        balanced = (lead < MAX_LEAD) & ~sees_through & ~signals.d_died & ~signals.diverged & ~copied(signals)
        sure, likely = balanced & signals.nearness.is_sure, balanced & signals.nearness.is_likely
        # What half of the members show for certain, others whose numbers are healthy too need not show again.
        return Detection(holds=likely if 2 * sure.sum() >= len(sure) else sure, severity=1 - lead / MAX_LEAD)

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        lead, *curves = (curve_evidence(signals, n, members) for n in ("lead", "d_loss", "g_loss", "d_real", "d_fake"))
        level = signals.levels.healthy("d_loss") if signals.levels else Range()
        right = evidence(title("d_right"), signals.latest("d_right"), members, Range(high=MAX_RIGHT), percent=True)
        return Explanation(
            "Neither player wins and the samples are like the data",
            [*signals.nearness.with_interval(quality_evidence(signals, members), members), lead],
            Plot("curves", ("d_loss",), "D's loss", level),
            [*curves, *([right] if right.is_known else [])],
            _of_players(signals, members),
        )

    @staticmethod
    def sick() -> Story:
        """What it is named for: here, the good outcome."""
        return story()

    @staticmethod
    def healthy() -> Story:
        """A D that learned nothing: it does not win either, while samples are nothing like the data."""
        return story(
            {"d_loss": 0.693, "g_loss": 0.693, "d_real": 0.5, "d_fake": 0.5},
            {"frechet-distance": 60.0, "confidence": 0.5, "nearest-neighbor": 2.5, "diversity": 0.2, "modes": 2.0},
        )


def _of_players(signals: Signals, members: np.ndarray) -> Text:
    """What the game looks like: D's loss, its outputs, and how often it is right where that is known."""
    loss, outputs = _loss(signals, members), d_outputs(signals, members)
    right = middle(signals.latest("d_right"), members)
    if not np.isfinite(right):
        return Text("; {loss}, and {outputs}", loss=loss, outputs=outputs)
    return Text(
        "; {loss}, {outputs}, and D is right about {right} of the pairs of a real and a generated example",
        loss=loss,
        outputs=outputs,
        right=f"{right:.0%}",
    )


def _loss(signals: Signals, members: np.ndarray) -> Text:
    """How D's loss developed, and its level at equilibrium."""
    assert signals.levels is not None
    level, now = signals.levels.d_loss, middle(signals.final("d_loss"), members)
    lowest = middle(np.nan_to_num(signals.smoothed("d_loss"), nan=np.inf).min(0), members)
    loop = signals.story.loop
    final = Text("{now} ({level} at equilibrium)", now=number(now), level=number(level))
    if loop is not None and "classes" in loop.d.terms:
        final = Text(
            "{now} without its cross-entropy of classes ({level} at equilibrium)", now=number(now), level=number(level)
        )
    if now - lowest > 0.1 * abs(level) > 0:
        return Text("D's loss fell to {lowest} and rose again to {final}", lowest=number(lowest), final=final)
    return Text("D's loss is {final}", final=final)
