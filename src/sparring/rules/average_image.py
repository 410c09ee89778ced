from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._reading import ALIKE, NEAR_AVERAGE, Signals, onset
from sparring.rules._telling import told
from sparring.rules._words import figure_plot, middle, number, of_figures

SPECKLED = 1.3
"""Roughness above which they are speckle around the average rather than the average."""


@final
@dataclass(frozen=True)
class AverageImage(Rule):
    """Samples are a smooth average of the data, not examples of it.

    G hedges: what lies between all examples is wrong about each of them by little.
    """

    weight: ClassVar[float] = 0.79
    remedies: ClassVar[tuple[str, ...]] = ("usual-rates", "wider-networks", "cross-entropy", "modern", "larger-latent")

    def detect(self, signals: Signals) -> Detection | None:
        if not signals.has("diversity", "similarity-to-mean"):
            return None
        alike, near = signals.now("diversity"), signals.now("similarity-to-mean")
        smooth = ~(signals.now("roughness") > SPECKLED)  # points have no roughness
        holds = signals.averages & smooth & ~signals.lost
        then = (signals.figure("diversity") < ALIKE) & (signals.figure("similarity-to-mean") > NEAR_AVERAGE)
        degree = np.minimum(1 - alike / ALIKE, near / NEAR_AVERAGE - 1)
        # A G that gives what it gave at the first look may have been born so: what keeps it from learning goes first.
        return Detection(holds, onset(signals.evaluated, then), np.where(signals.unmoved, -0.6, degree))

    def told(self, signals: Signals, members: np.ndarray) -> Explanation:
        near = middle(signals.now("similarity-to-mean"), members)
        alike = middle(signals.now("diversity"), members)
        claim = (
            f"The samples are the average of the data: {near:.1f} times as near to it as real examples are, "
            f"and {number(alike)} times as far from one another."
        )
        names = ("similarity-to-mean", "diversity", "roughness", "confidence", "frechet-distance")
        plot = figure_plot(
            signals, "similarity-to-mean", "Nearness to the data's average (1: as real examples)", log=True
        )
        return Explanation(claim, of_figures(signals, names, members), plot)

    @staticmethod
    def sick() -> Story:
        return told(
            {"d_real": (0.5, 0.9), "d_fake": (0.5, 0.1), "d_loss": (0.69, 0.2), "g_loss": (0.7, 2.4)},
            {
                "frechet-distance": (50.0, 35.0, 34.0, 34.0),
                "modes": 2.0,
                "class-divergence": 1.7,
                "confidence": 0.6,
                "diversity": 0.08,
                "roughness": 0.7,
                "similarity-to-mean": (1.0, 2.6),
                "nearest-neighbor": 1.5,
            },
        )

    @staticmethod
    def healthy() -> Story:
        """The average on the way, examples in the end."""
        return told(figures={"diversity": (0.1, 0.9, 0.95), "similarity-to-mean": (2.0, 1.1, 1.05)})
