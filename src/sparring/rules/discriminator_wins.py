from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Plot, Rule
from sparring.rules._reading import SURE, Range, Signals, onset
from sparring.rules._telling import told
from sparring.rules._words import answers, of_curve, of_figures

STILL_GAINING = -0.2
"""A G whose samples came so much nearer to the data over the last third of the rounds is not beaten."""


@final
@dataclass(frozen=True)
class DiscriminatorWins(Rule):
    """D is sure of nearly every example, and G no longer gains on it.

    It learned faster than G could follow, and what it answers to a fake says little about how to make a better one.
    """

    weight: ClassVar[float] = 0.8
    remedies: ClassVar[tuple[str, ...]] = (
        "matching-scale",
        "even-steps",
        "usual-rates",
        "wider-networks",
        "cross-entropy",
        "adam-for-sgd",
        "larger-batch",
        "modern",
        "slower-discriminator",
    )

    def detect(self, signals: Signals) -> Detection | None:
        if signals.levels is None or not len(signals.logged_rounds) or not signals.known:
            return None
        lead = signals.late("lead")
        holds = (lead > SURE) & signals.poor & ~signals.gaining(STILL_GAINING) & ~signals.lost
        return Detection(holds, onset(signals.logged_rounds, signals.smooth("lead") > SURE), (lead - SURE) / (1 - SURE))

    def told(self, signals: Signals, members: np.ndarray) -> Explanation:
        claim = f"D is far ahead of G: it answers {answers(signals, members)}, and G no longer gains on it."
        numbers = [of_curve(signals, name, members) for name in ("lead", "d_real", "d_fake", "d_loss", "g_loss")]
        seen = of_figures(signals, ("frechet-distance", "nearest-neighbor"), members)
        return Explanation(claim, [*numbers, *seen], Plot("curves", ("d_real", "d_fake"), "D's answers", Range()))

    @staticmethod
    def sick() -> Story:
        return told(
            {
                "d_loss": (0.69, 0.1, 0.03, 0.02),
                "g_loss": (0.7, 3.5, 4.5, 5.0),
                "d_real": (0.5, 0.93, 0.97, 0.98),
                "d_fake": (0.5, 0.06, 0.02, 0.01),
            },
            {
                "frechet-distance": (60.0, 42.0, 40.0, 40.0),
                "confidence": 0.6,
                "nearest-neighbor": 2.2,
                "d_train": (0.5, 0.93, 0.97, 0.98),
                "d_held_out": (0.5, 0.93, 0.96, 0.97),
                "d_generated": (0.5, 0.06, 0.02, 0.01),
            },
        )

    @staticmethod
    def healthy() -> Story:
        """D leads, as it does in most good runs, and samples are good."""
        return told({"d_real": (0.5, 0.8, 0.7), "d_fake": (0.5, 0.2, 0.3)})
