from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Plot, Rule, evidence
from sparring.rules._ranges import Range
from sparring.rules._series import onset
from sparring.rules._signals import NEAR, Signals
from sparring.rules._stories import story
from sparring.rules._words import curve_evidence, d_outputs, metric_evidence, middle, number

MAX_LEAD = 0.6
"""D's lead up to which it cannot tell: without label smoothing, good GANs settle at about a third."""


@final
@dataclass(frozen=True)
class Equilibrium(Rule):
    """The good outcome: D cannot tell real from generated, and samples are like the data.

    Either alone is not enough: a D that learned nothing cannot tell either, and a leading D may face good samples.
    """

    fault: ClassVar[bool] = False
    weight: ClassVar[float] = 0.5

    def detect(self, signals: Signals) -> Detection | None:
        if signals.levels is None or not len(signals.logged_rounds) or not signals.quality_known:
            return None
        lead = np.abs(signals.final("lead"))
        holds = (lead < MAX_LEAD) & signals.good & ~signals.diverged
        settled = onset(signals.logged_rounds, np.abs(signals.smoothed("lead")) < MAX_LEAD)
        return Detection(holds, np.maximum(settled, _good_since(signals)), 1 - lead / MAX_LEAD)

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        claim = (
            f"D cannot tell real from generated and the samples are like the data: {_loss(signals, members)}, and "
            f"{d_outputs(signals, members)}."
        )
        numbers = [curve_evidence(signals, name, members) for name in ("lead", "d_loss", "g_loss", "d_real", "d_fake")]
        of_samples = metric_evidence(signals, tuple(signals.quality_metrics), members)
        if signals.target_error is not None:
            of_samples.append(
                evidence("largest distance from the target", signals.target_error, members, Range(0, NEAR))
            )
        level = signals.levels.healthy("d_loss") if signals.levels else Range()
        return Explanation(claim, [*numbers, *of_samples], Plot("curves", ("d_loss",), "D's loss", level))

    @staticmethod
    def sick() -> Story:
        """What it is named for: here, the good outcome."""
        return story()

    @staticmethod
    def healthy() -> Story:
        """A D that learned nothing: it cannot tell either, while samples are nothing like the data."""
        return story(
            {"d_loss": 0.693, "g_loss": 0.693, "d_real": 0.5, "d_fake": 0.5},
            {"frechet-distance": 60.0, "confidence": 0.5, "nearest-neighbor": 2.5, "diversity": 0.2, "modes": 2.0},
        )


def _loss(signals: Signals, members: np.ndarray) -> str:
    """How D's loss developed, and its level at equilibrium."""
    assert signals.levels is not None
    level, now = signals.levels.d_loss, middle(signals.final("d_loss"), members)
    lowest = middle(np.nan_to_num(signals.smoothed("d_loss"), nan=np.inf).min(0), members)
    final = f"{number(now)} ({number(level)} at equilibrium)"
    if now - lowest > 0.1 * abs(level) > 0:
        return f"D's loss fell to {number(lowest)} and rose again to {final}"
    return f"D's loss is {final}"


def _good_since(signals: Signals) -> np.ndarray:
    """The round of the evaluation since which every metric has been healthy, `(P,)`."""
    if not len(signals.evaluated_rounds) or not signals.quality_metrics:
        return np.zeros(signals.members, dtype=np.int64)
    good = np.all([signals.healthy(name).contains(signals.metric(name)) for name in signals.quality_metrics], axis=0)
    # A single evaluation may be slightly outside where the median of the last ones is not.
    return onset(signals.evaluated_rounds, good | (np.arange(len(good)) >= len(good) - 2)[:, None])
