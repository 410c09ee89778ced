from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.rules import Detection, Explanation, Plot, Rule, evidence
from sparring.rules._bounds import SIGMOIDS, Bounds, after_two_sigmoids
from sparring.rules._ranges import PROBABILITY, Range
from sparring.rules._signals import Signals
from sparring.rules._spans import between
from sparring.rules._stories import LSGAN, story
from sparring.rules._words import curve_evidence, metric_evidence


@final
@dataclass(frozen=True)
class BoundedScores(Rule):
    """D's last layer keeps its scores in too narrow a range: a sigmoid before a loss that takes logits.

    Such a loss applies a sigmoid of its own. Of a score between 0 and 1 it makes a D(x) between 0.5 and 0.731, so that
    D can call nothing generated, and both gradients pass through two sigmoids.
    """

    weight: ClassVar[float] = 0.99
    anytime: ClassVar[bool] = True
    remedies: ClassVar[tuple[str, ...]] = ("unbounded-discriminator", "least-squares", "fully-connected-discriminator")

    def detect(self, signals: Signals) -> Detection | None:
        holds = _holding(signals) if signals.story.loop is None else None  # of a loop, `bug-double-sigmoid` knows
        if holds is None:
            return None
        since = np.zeros(signals.members, dtype=np.int64)
        holds = holds & ~signals.good & ~signals.diverged
        return Detection(holds=holds, severity=np.ones(signals.members), since=since)

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        bounds = _bounds(signals)
        assert bounds is not None
        (low, high), every = bounds.outputs, np.ones(signals.members)
        ends = [
            evidence(
                "lowest possible D(x)", low * every, members, Range(high=bounds.healthy.low), "D(x) is at least {value}"
            ),
            evidence(
                "highest possible D(x)",
                high * every,
                members,
                Range(low=bounds.healthy.high),
                "D(x) is at most {value}",
            ),
        ]
        curves = [curve_evidence(signals, name, members) for name in ("d_real", "d_fake", "d_loss", "g_loss")]
        return Explanation(
            "D's last layer bounds its scores, and the loss is made for scores of any size",
            ends,
            Plot("curves", ("d_real", "d_fake"), "D's outputs", Range()),
            [*curves, *metric_evidence(signals, ("frechet-distance",), members)],
            Text("; its scores lie {between}", between=between(bounds.scores)),
        )

    @staticmethod
    def sick() -> Story:
        """A D of one's own that ends in a sigmoid, and cross-entropy on logits."""
        return story(
            {"d_real": (0.62, 0.7, 0.72), "d_fake": (0.62, 0.53, 0.51), "d_loss": (0.72, 0.53), "g_loss": (0.48, 0.68)},
            {"frechet-distance": 30.0, "confidence": 0.6, "diversity": 0.6, "class-divergence": 1.0},
            ranges={"discriminator": [0.0, 1.0], "d_output": list(SIGMOIDS)},
            jitter=0.005,
        )

    @staticmethod
    def healthy() -> Story:
        """Least squares, for which scores between 0 and 1 are enough."""
        return story(
            {"d_loss": 0.11, "g_loss": 0.15, "d_real": 0.6, "d_fake": 0.4},
            levels=LSGAN,
            ranges={"discriminator": [0.0, 1.0], "d_output": [0.0, 1.0]},
        )


def _bounds(signals: Signals) -> Bounds | None:
    """What D can say: as the journal states it, or as the curves of an older one show."""
    stated = Bounds.of(signals.story, signals.levels)
    if stated is None and signals.levels is not None and _two_sigmoids(signals).any():
        return Bounds(signals.levels, (0.0, 1.0), SIGMOIDS)
    return stated


def _holding(signals: Signals) -> np.ndarray | None:
    """Members whose D cannot say what the loss asks for, bool `(P,)`; None where nothing tells."""
    bounds = _bounds(signals)
    if bounds is None or not bounds.too_narrow:
        return None
    stated = "d_output" in signals.story.output_ranges
    return np.ones(signals.members, dtype=bool) if stated else _two_sigmoids(signals)


def _two_sigmoids(signals: Signals) -> np.ndarray:
    """Members whose curves look as after two sigmoids, bool `(P,)`; none where D's outputs are no probabilities."""
    if signals.levels is None or signals.levels.sure != PROBABILITY or signals.levels.output != PROBABILITY:
        return np.zeros(signals.members, dtype=bool)
    return after_two_sigmoids(signals.smoothed("d_real"), signals.smoothed("d_fake"))
