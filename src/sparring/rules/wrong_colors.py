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
class WrongColors(Rule):
    """Samples have other colors than the data: another brightness or contrast, a tint, too little or too much color.

    A color is lost on the way, channels are exchanged, or G has not learned them. Exchanged channels are found only
    where colors differ in frequency. Only found for images with three channels, or with alpha too.
    """

    weight: ClassVar[float] = 0.91
    fades: ClassVar[bool] = True
    remedies: ClassVar[tuple[str, ...]] = (
        "matching-data-range",
        "fully-connected-generator",
        "usual-lr",
        "more-rounds",
        "modern",
    )

    def detect(self, signals: Signals) -> Detection | None:
        if not signals.has("colors"):
            return None
        return artifact(signals, "colors", Range(low=signals.healthy("colors").high))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        apart = evidence(
            "color distance",
            signals.latest("colors"),
            members,
            signals.healthy("colors"),
            "they lie {value} times the variance of the data's colors away from these",
        )
        return Explanation(
            "The samples' colors are not those of the data",
            [apart],
            metric_plot(signals, "colors", log=True),
            metric_evidence(signals, ("diversity", "frechet-distance", "nearest-neighbor"), members),
        )

    @staticmethod
    def sick() -> Story:
        """A G that loses a color."""
        return story(
            {"d_real": (0.5, 0.9, 0.95), "d_fake": (0.5, 0.1, 0.05), "d_loss": (0.69, 0.1), "g_loss": (0.7, 3.2)},
            {"colors": (1.5, 0.9, 0.8), "frechet-distance": (40.0, 14.0, 13.0)},
        )

    @staticmethod
    def healthy() -> Story:
        """Gray in the beginning, the data's colors in the end."""
        return story(metrics={"colors": (1.0, 0.2, 0.05, 0.03)})
