from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Rule, evidence
from sparring.rules._artifacts import ALONE, explained
from sparring.rules._copies import is_measured
from sparring.rules._signals import Signals
from sparring.rules._stories import story
from sparring.rules._words import metric_evidence, metric_plot, title

NAME = "class-accuracy"
IGNORED = 0.75
"""Below this multiple of real data's accuracy G ignores the classes. From there to the healthy range it has not learned
them well, which is not yet to ignore them."""


@final
@dataclass(frozen=True)
class IgnoredClasses(Rule):
    """Samples are not of the classes that G was asked for, though they may be good samples of the data.

    D does not look at the classes that it is given, so that nothing teaches G what they mean, or G does not look at
    them. Only found in class-conditional runs whose judge knows the classes.
    """

    weight: ClassVar[float] = 0.88
    fades: ClassVar[bool] = True
    remedies: ClassVar[tuple[str, ...]] = (
        "fully-connected-discriminator",
        "fully-connected-generator",
        "more-rounds",
        "modern",
    )

    def detect(self, signals: Signals) -> Detection | None:
        if not (signals.has(NAME) or is_measured(signals, NAME)):
            return None
        (values, healthy), measured = signals.quality(NAME), signals.measured
        real = measured.real(NAME) if measured and measured.has(NAME) else signals.real(NAME)
        # Noise, or samples that are all alike, are of no class.
        nothing_to_see = explained(signals, np.zeros(signals.members, dtype=bool)) | (signals.badness >= 1)
        severity = np.where(nothing_to_see, -1.0, ALONE + (1 - ALONE) * healthy.excess(values))
        holds = (values < IGNORED * real) & ~signals.diverged
        return Detection(holds=holds, severity=severity)

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        right = evidence(
            title(NAME),
            signals.quality(NAME)[0],
            members,
            signals.quality(NAME)[1],
            "the judge takes {value} of them for the class asked for",
            percent=True,
        )
        return Explanation(
            "The samples are not of the classes that G was asked for",
            [right],
            metric_plot(signals, NAME if signals.has(NAME) else "class-divergence"),
            metric_evidence(signals, ("class-divergence", "frechet-distance", "diversity"), members),
        )

    @staticmethod
    def sick() -> Story:
        """Good samples, each of any class."""
        return story(metrics={NAME: (0.1, 0.11, 0.1)})

    @staticmethod
    def healthy() -> Story:
        """Of any class in the beginning, of those asked for in the end."""
        return story(metrics={NAME: (0.1, 0.7, 0.92, 0.95)})
