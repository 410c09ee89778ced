from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._signals import ALIKE, NEAR_MEAN, Signals
from sparring.rules._stories import story
from sparring.rules._words import metric_evidence, metric_plot

SPECKLED = 1.3
"""Roughness above which samples are noise around the mean rather than the mean."""


@final
@dataclass(frozen=True)
class AverageImage(Rule):
    """Samples are the smooth mean of the data, not examples of it.

    G hedges: the mean image differs from every real example by little.
    """

    weight: ClassVar[float] = 0.79
    fades: ClassVar[bool] = True
    remedies: ClassVar[tuple[str, ...]] = ("usual-lr", "wider-networks", "cross-entropy", "modern", "larger-latent")

    def detect(self, signals: Signals) -> Detection | None:
        if not signals.has("diversity", "similarity-to-mean"):
            return None
        alike, near = signals.latest("diversity"), signals.latest("similarity-to-mean")
        smooth = ~(signals.latest("roughness") > SPECKLED)  # points have no roughness
        holds = signals.mean_like & smooth & ~signals.diverged
        degree = np.minimum(1 - alike / ALIKE, near / NEAR_MEAN - 1)
        # A G whose samples are unchanged may have begun like this: what keeps it from learning ranks first.
        return Detection(holds=holds, severity=np.where(signals.unchanged, -0.6, degree))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return Explanation(
            "The samples are the mean of the data",
            metric_evidence(signals, ("similarity-to-mean", "diversity"), members),
            metric_plot(signals, "similarity-to-mean", log=True),
            metric_evidence(signals, ("roughness", "confidence", "frechet-distance"), members),
        )

    @staticmethod
    def sick() -> Story:
        return story(
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
        """The mean of the data in the beginning, examples in the end."""
        return story(metrics={"diversity": (0.1, 0.9, 0.95), "similarity-to-mean": (2.0, 1.1, 1.05)})
