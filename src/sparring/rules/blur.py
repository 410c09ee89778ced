from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Rule, evidence
from sparring.rules._artifacts import artifact
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals
from sparring.rules._stories import story
from sparring.rules._words import metric_evidence, metric_plot


@final
@dataclass(frozen=True)
class Blur(Rule):
    """Samples are blurred: they lack the fine detail of real images.

    G smooths or enlarges what it has made, is too small for detail, or is trained by a D that does not see it. Only
    found for images.
    """

    weight: ClassVar[float] = 0.91
    fades: ClassVar[bool] = True
    remedies: ClassVar[tuple[str, ...]] = (
        "no-label-swapping",
        "wider-networks",
        "fully-connected-generator",
        "higher-d-lr",
        "more-rounds",
        "modern",
    )

    def detect(self, signals: Signals) -> Detection | None:
        if not signals.has("sharpness"):
            return None
        return artifact(signals, "sharpness", Range(high=signals.healthy("sharpness").low))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        fine = evidence(
            "sharpness",
            signals.latest("sharpness"),
            members,
            signals.healthy("sharpness").at_least,
            "they have {value} of the fine detail of real images",
            percent=True,
        )
        return Explanation(
            "The samples are blurred",
            [fine],
            metric_plot(signals, "sharpness"),
            metric_evidence(signals, ("roughness", "diversity", "frechet-distance", "nearest-neighbor"), members),
        )

    @staticmethod
    def sick() -> Story:
        """A G that averages over neighboring pixels in the end."""
        return story(
            {"d_real": (0.5, 0.9, 0.95), "d_fake": (0.5, 0.1, 0.05), "d_loss": (0.69, 0.1), "g_loss": (0.7, 3.2)},
            {"sharpness": (0.3, 0.06, 0.05), "roughness": (1.0, 0.5), "frechet-distance": (40.0, 14.0, 13.0)},
        )

    @staticmethod
    def healthy() -> Story:
        """Blurred in the beginning, sharp in the end."""
        return story(metrics={"sharpness": (0.1, 0.4, 0.8, 0.9)})
