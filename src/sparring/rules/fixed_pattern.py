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
class FixedPattern(Rule):
    """All samples have the same flaw at the same place: a dead pixel, a border, a mark.

    D does not see the place, since its strides or crops leave it out or a penalty keeps it from telling, or G cannot
    make what is there, since an output is saturated or its padding shows. Only found for images.
    """

    weight: ClassVar[float] = 0.91
    fades: ClassVar[bool] = True
    remedies: ClassVar[tuple[str, ...]] = (
        "matching-data-range",
        "fully-connected-generator",
        "more-rounds",
        "modern",
    )

    def detect(self, signals: Signals) -> Detection | None:
        if not signals.has("fixed-pattern"):
            return None
        return artifact(signals, "fixed-pattern", Range(low=signals.healthy("fixed-pattern").high))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        flaw = evidence(
            "fixed pattern",
            signals.latest("fixed-pattern"),
            members,
            signals.healthy("fixed-pattern"),
            "at one pixel, and not around it, the mean sample differs from the mean real image by {value} of the range",
            percent=True,
        )
        return Explanation(
            "All samples have the same flaw at the same place",
            [flaw],
            metric_plot(signals, "fixed-pattern"),
            metric_evidence(signals, ("diversity", "frechet-distance", "nearest-neighbor"), members),
        )

    @staticmethod
    def sick() -> Story:
        """A G that writes one corner pixel, whatever it makes."""
        return story(metrics={"fixed-pattern": (0.6, 0.5, 0.5, 0.5)})

    @staticmethod
    def healthy() -> Story:
        """Marks in the beginning, none in the end."""
        return story(metrics={"fixed-pattern": (0.6, 0.2, 0.05, 0.03)})
