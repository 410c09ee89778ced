from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Plot, Rule
from sparring.rules._reading import Range, Signals, onset
from sparring.rules._telling import told
from sparring.rules._words import answers, of_curve, of_figures

BLIND = 0.2
"""D's lead below which it tells nothing."""
STILL_GAINING = -0.15
"""A G whose samples came so much nearer to the data over the last third of the rounds is being taught."""


@final
@dataclass(frozen=True)
class WeakDiscriminator(Rule):
    """D cannot tell bad samples from real examples, so G is rewarded for bad images.

    It learns too slowly, or is too small, or is told the wrong names. That D answers "undecided" looks like the good
    end; the samples say that it is not.
    """

    weight: ClassVar[float] = 0.8
    remedies: ClassVar[tuple[str, ...]] = (
        "honest-labels",
        "even-steps",
        "usual-rates",
        "wider-networks",
        "faster-discriminator",
        "modern",
    )

    def detect(self, signals: Signals) -> Detection | None:
        if signals.levels is None or not len(signals.logged_rounds) or not signals.known:
            return None
        lead = signals.late("lead")
        holds = (lead < BLIND) & signals.poor & ~signals.gaining(STILL_GAINING) & ~signals.lost
        return Detection(holds, onset(signals.logged_rounds, signals.smooth("lead") < BLIND), signals.fault)

    def told(self, signals: Signals, members: np.ndarray) -> Explanation:
        claim = (
            f"D cannot tell bad samples from real examples: it answers {answers(signals, members)}, "
            "so G is rewarded for bad samples."
        )
        numbers = [of_curve(signals, name, members) for name in ("lead", "d_real", "d_fake", "d_loss", "g_loss")]
        seen = of_figures(signals, ("frechet-distance", "nearest-neighbor", "diversity", "confidence"), members)
        return Explanation(claim, [*numbers, *seen], Plot("curves", ("d_real", "d_fake"), "D's answers", Range()))

    @staticmethod
    def sick() -> Story:
        return told(
            {"d_loss": 0.69, "g_loss": 0.69, "d_real": 0.505, "d_fake": 0.5, "d_gradient": 0.1, "g_gradient": 0.05},
            {
                "frechet-distance": (50.0, 45.0, 45.0, 45.0),
                "modes": 5.0,
                "class-divergence": 0.9,
                "confidence": 0.6,
                "diversity": 0.7,
                "roughness": 1.2,
                "similarity-to-mean": 0.7,
                "nearest-neighbor": 2.2,
                "d_train": 0.505,
                "d_held_out": 0.505,
                "d_generated": 0.5,
            },
        )

    @staticmethod
    def healthy() -> Story:
        """D is undecided and right to be: samples are good."""
        return told({"d_loss": 0.69, "g_loss": 0.7, "d_real": 0.51, "d_fake": 0.49})
