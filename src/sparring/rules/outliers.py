from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.rules import Detection, Evidence, Explanation, Rule, evidence
from sparring.rules._artifacts import explained
from sparring.rules._signals import Signals
from sparring.rules._stories import story
from sparring.rules._words import metric_evidence, metric_plot, title

NAME = "outliers"


@final
@dataclass(frozen=True)
class Outliers(Rule):
    """Some samples are nothing like the data: nearly blank, or noise, among others that may be good.

    Distances and precision hardly show a wrong twentieth. What is found of all samples, or of D, mostly explains more,
    and then comes first. Only found for images.
    """

    weight: ClassVar[float] = 0.62  # even at its highest, below D that is sure of poor samples (0.64)
    fades: ClassVar[bool] = True
    remedies: ClassVar[tuple[str, ...]] = ("more-rounds", "usual-lr", "r1-r2-penalty", "modern")

    def detect(self, signals: Signals) -> Detection | None:
        measured = signals.measured is not None and signals.measured.has(NAME)
        if not (signals.has(NAME) or measured):
            return None
        values, healthy = signals.quality(NAME)
        severity = np.where(explained(signals, np.zeros(signals.members, dtype=bool)), -1.0, healthy.excess(values))
        return Detection(holds=(values > healthy.high) & ~signals.diverged, severity=severity)

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        values, _ = signals.quality(NAME)
        some = float(np.median(values[members])) < 0.5
        return Explanation(
            "Some samples are nothing like the data" if some else "Most samples are nothing like the data",
            [_share(signals, members)],
            metric_plot(signals, NAME),
            metric_evidence(signals, ("roughness", "structure", "diversity", "frechet-distance"), members),
        )

    @staticmethod
    def sick() -> Story:
        """A G that makes noise from one latent vector in twenty."""
        return story(metrics={"outliers": (0.6, 0.06, 0.05, 0.05)})

    @staticmethod
    def healthy() -> Story:
        """Noise in the beginning, images in the end."""
        return story(metrics={"outliers": (0.6, 0.05, 0.01, 0.004)})


def _share(signals: Signals, members: np.ndarray) -> Evidence:
    """`13 of 256 samples, 5%, are nearly blank, noise or of extreme contrast, as next to no training image is`."""
    values, healthy = signals.quality(NAME)
    measured, baseline = signals.measured, signals.story.real_baseline or {}
    counted = measured.count if measured is not None and measured.has(NAME) else int(baseline.get("samples") or 0)
    many = values[members]
    many = many[many > healthy.high]
    phrase = Text(
        "{outliers} of {samples} samples, {value}, are nearly blank, noise or of extreme contrast, as next to no "
        "training image is",
        outliers=f"{np.median(many) * counted if len(many) else 0:,.0f}",
        samples=f"{counted:,}",
    )
    return evidence(title(NAME), values, members, healthy, phrase, percent=True)
