from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._noise import ROUGH, ROUGHER
from sparring.rules._signals import CONSTANT, Signals
from sparring.rules._stories import story
from sparring.rules._words import metric_evidence, metric_plot

STILL_IMPROVING = -0.3
"""Change of the distance over the last third of the rounds below which G still learns: every G begins with noise."""


@final
@dataclass(frozen=True)
class NoiseOutput(Rule):
    """Samples are noise: neighboring pixels have little to do with one another, and no pattern shows.

    G has not learned that pixels belong together. Only found for images.
    """

    weight: ClassVar[float] = 0.9
    fades: ClassVar[bool] = True
    remedies: ClassVar[tuple[str, ...]] = (
        "matching-data-range",
        "cross-entropy",
        "equal-steps",
        "usual-lr",
        "no-label-swapping",
        "modern",
    )

    def detect(self, signals: Signals) -> Detection | None:
        if not signals.has("roughness", "nearest-neighbor"):
            return None
        rough = signals.latest("roughness")
        holds = signals.noise & ~signals.good & ~signals.improving(STILL_IMPROVING) & ~signals.diverged
        # Samples that are little rougher than the data may not be noise: what keeps G from learning then ranks first.
        # Nor does a G that makes one example of noise show more than that it has not begun.
        degree = (rough - ROUGHER) / (ROUGH - ROUGHER)
        return Detection(holds=holds, severity=np.where(signals.latest("diversity") < CONSTANT, -1.0, degree))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        shown = "structure" if np.mean(signals.unstructured[members]) > 0.5 else "roughness"
        return Explanation(
            "The samples are noise",
            metric_evidence(signals, ("structure", "roughness", "nearest-neighbor"), members),
            metric_plot(signals, shown, log=shown == "roughness"),
            metric_evidence(signals, ("confidence", "frechet-distance"), members),
        )

    @staticmethod
    def sick() -> Story:
        return story(
            {"d_real": (0.5, 0.97), "d_fake": (0.5, 0.02), "d_loss": (0.69, 0.05), "g_loss": (0.7, 4.0)},
            {
                "frechet-distance": (60.0, 58.0),
                "modes": 2.0,
                "class-divergence": 1.6,
                "confidence": 0.5,
                "diversity": 0.9,
                "roughness": (2.6, 2.4),
                "structure": (0.05, 0.08),
                "similarity-to-mean": 0.8,
                "nearest-neighbor": 2.8,
            },
        )

    @staticmethod
    def healthy() -> Story:
        """Noise in the beginning, images in the end."""
        return story(metrics={"roughness": (2.6, 1.2, 1.05, 1.0)})
