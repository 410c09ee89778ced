from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._reading import ROUGH, ROUGHER, Signals, noise, onset
from sparring.rules._telling import told
from sparring.rules._words import figure_plot, middle, of_figures

STILL_GAINING = -0.3
"""Every G begins with noise: one whose samples came so much nearer over the last third of the rounds is on its way."""


@final
@dataclass(frozen=True)
class NoiseOutput(Rule):
    """Samples are noise: neighboring pixels have little to do with one another, and no pattern shows.

    G has not learned that pixels belong together. Told for images alone.
    """

    weight: ClassVar[float] = 0.9
    remedies: ClassVar[tuple[str, ...]] = (
        "matching-scale",
        "cross-entropy",
        "even-steps",
        "usual-rates",
        "honest-labels",
        "modern",
    )

    def detect(self, signals: Signals) -> Detection | None:
        if not signals.has("roughness", "nearest-neighbor"):
            return None
        rough = signals.now("roughness")
        holds = signals.noise & ~signals.good & ~signals.gaining(STILL_GAINING) & ~signals.lost
        then = noise(signals.figure("roughness"), signals.figure("nearest-neighbor"))
        # What is little rougher than the data may as well be blobs: what keeps G from learning then goes first.
        return Detection(holds, onset(signals.evaluated, then), (rough - ROUGHER) / (ROUGH - ROUGHER))

    def told(self, signals: Signals, members: np.ndarray) -> Explanation:
        rough = middle(signals.now("roughness"), members)
        claim = f"The samples are noise: neighboring pixels differ {rough:.1f} times as much as in real images."
        names = ("roughness", "nearest-neighbor", "confidence", "frechet-distance")
        plot = figure_plot(signals, "roughness", "Roughness of the samples (1: as in real images)", log=True)
        return Explanation(claim, of_figures(signals, names, members), plot)

    @staticmethod
    def sick() -> Story:
        return told(
            {"d_real": (0.5, 0.97), "d_fake": (0.5, 0.02), "d_loss": (0.69, 0.05), "g_loss": (0.7, 4.0)},
            {
                "frechet-distance": (60.0, 58.0),
                "modes": 2.0,
                "class-divergence": 1.6,
                "confidence": 0.5,
                "diversity": 0.9,
                "roughness": (2.6, 2.4),
                "similarity-to-mean": 0.8,
                "nearest-neighbor": 2.8,
            },
        )

    @staticmethod
    def healthy() -> Story:
        """It began with noise."""
        return told(figures={"roughness": (2.6, 1.2, 1.05, 1.0)})
