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
class Checkerboard(Rule):
    """Samples have a regular pattern of 2 or 4 pixels that real images do not have.

    A transposed convolution adds up more terms at some pixels than at others where its stride does not divide its
    kernel: 3 x 3 with stride 2. Upsampling followed by a convolution has no such pattern, nor has a kernel of 4 x 4
    once G is trained. Only found for images with a side of 16 pixels or more.
    """

    weight: ClassVar[float] = 0.93
    fades: ClassVar[bool] = True
    remedies: ClassVar[tuple[str, ...]] = ("resize-convolution", "more-rounds", "modern")

    def detect(self, signals: Signals) -> Detection | None:
        if not signals.has("checkerboard"):
            return None
        return artifact(signals, "checkerboard", Range(low=signals.healthy("checkerboard").high))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        pattern = evidence(
            "checkerboard",
            signals.latest("checkerboard"),
            members,
            signals.healthy("checkerboard"),
            "patterns of 2 and 4 pixels stand out {value} times as much as in real images",
        )
        return Explanation(
            "The samples have a checkered pattern",
            [pattern],
            metric_plot(signals, "checkerboard", log=True),
            metric_evidence(signals, ("roughness", "sharpness", "frechet-distance", "nearest-neighbor"), members),
        )

    @staticmethod
    def sick() -> Story:
        """A G of 3 x 3 transposed convolutions with stride 2: D tells its samples by their pattern."""
        return story(
            {"d_real": (0.5, 0.9, 0.95), "d_fake": (0.5, 0.1, 0.05), "d_loss": (0.69, 0.1), "g_loss": (0.7, 3.2)},
            {"checkerboard": (12.0, 6.0, 5.0), "roughness": (2.0, 1.6), "frechet-distance": (40.0, 14.0, 13.0)},
        )

    @staticmethod
    def healthy() -> Story:
        """A pattern in the beginning, which G learned to avoid."""
        return story(metrics={"checkerboard": (8.0, 2.0, 1.1, 1.0)})
