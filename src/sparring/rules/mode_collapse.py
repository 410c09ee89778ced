from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import all_metrics
from sparring.record import Story
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._ranges import Range
from sparring.rules._series import onset
from sparring.rules._signals import CONSTANT, Signals
from sparring.rules._stories import story
from sparring.rules._words import metric_evidence, metric_plot, middle, number

OFF_MODES = 0.25
"""Share of what real data has in `high-quality` below which most points lie on no mode at all."""


@final
@dataclass(frozen=True)
class ModeCollapse(Rule):
    """Samples lack variety: G makes a few kinds of examples, however many the data has.

    Once G has found something that D takes for real, nothing pushes it to find the rest.
    """

    weight: ClassVar[float] = 0.82
    remedies: ClassVar[tuple[str, ...]] = (
        "larger-latent",
        "larger-batch",
        "wider-networks",
        "equal-steps",
        "usual-lr",
        "modern",
        "packing",
    )

    def detect(self, signals: Signals) -> Detection | None:
        known = signals.metrics_with("variety")
        if not known:
            return None
        lack = np.max([_varied(signals, name).excess(signals.latest(name)) for name in known], axis=0)
        then = np.any([~_varied(signals, name).contains(signals.metric(name)) for name in known], axis=0)
        holds = (lack > 0) & ~signals.noise & ~signals.diverged
        # A G with constant output never began to learn, rather than collapsed.
        other_rule = signals.mean_like | _unlike(signals) | (signals.latest("diversity") < CONSTANT)
        return Detection(holds, onset(signals.evaluated_rounds, then), np.where(other_rule, -0.6, lack))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        count, name = _mode_count(signals, members)
        claim = f"The samples lack variety: {', and '.join([*count, *_variety(signals, members)])}."
        names = ("diversity", "modes", "class-divergence", "reached-modes", "mode-divergence", "confidence")
        return Explanation(claim, metric_evidence(signals, names, members), metric_plot(signals, name))

    @staticmethod
    def sick() -> Story:
        return story(
            {"d_real": (0.5, 0.9), "d_fake": (0.5, 0.15), "d_loss": (0.69, 0.2), "g_loss": (0.7, 2.3)},
            {
                "frechet-distance": (50.0, 30.0, 28.0, 28.0),
                "modes": (8.0, 2.0),
                "class-divergence": (0.6, 1.6),
                "confidence": 0.9,
                "diversity": (0.7, 0.15),
                "similarity-to-mean": 0.95,
                "nearest-neighbor": 1.1,
            },
        )

    @staticmethod
    def healthy() -> Story:
        """Few kinds at the beginning, all in the end."""
        return story(metrics={"modes": (2.0, 7.0, 10.0, 10.0), "diversity": (0.2, 0.8, 0.95)})


def _varied(signals: Signals, name: str) -> Range:
    """The values of a metric at which samples do not lack variety."""
    variety = all_metrics()[name].variety
    return Range.of(variety, signals.real(name)) if variety else Range()


def _unlike(signals: Signals) -> np.ndarray:
    """Members whose few kinds of samples are not like the data either: more is wrong than a lack of variety."""
    if signals.has("high-quality"):
        return signals.latest("high-quality") < OFF_MODES * signals.real("high-quality")
    near = signals.latest("nearest-neighbor")
    return near > signals.healthy("nearest-neighbor").high if signals.has("nearest-neighbor") else near > np.inf


def _mode_count(signals: Signals, members: np.ndarray) -> tuple[list[str], str]:
    """How many modes are generated, in words, and the metric to plot."""
    for name, what in (("modes", "classes"), ("reached-modes", "modes")):
        if signals.has(name):
            now, real = middle(signals.latest(name), members), signals.real(name)
            if now < real:
                return [f"they cover {now:.0f} of {real:.0f} {what}"], name
    order = ("diversity", "class-divergence", "mode-divergence", *signals.metrics_with("variety"))
    return [], next(name for name in order if signals.has(name))


def _variety(signals: Signals, members: np.ndarray) -> list[str]:
    """Their diversity, or else how unevenly they are spread over classes or modes."""
    for name, words in (
        ("diversity", "their diversity is {}, where real examples have 1"),
        ("class-divergence", "their class divergence from the data is {} nats"),
        ("mode-divergence", "their mode divergence from the data is {} nats"),
    ):
        if signals.has(name) and np.isfinite(now := middle(signals.latest(name), members)):
            return [words.format(number(now))]
    return []
