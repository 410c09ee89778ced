from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.rules import Detection, Explanation, Plot, Rule, evidence
from sparring.rules._ranges import Range
from sparring.rules._signals import ALIKE, DIED, Signals
from sparring.rules._stories import story
from sparring.rules._words import curve_evidence, d_outputs, quality_evidence

STILL_IMPROVING = -0.15
"""Change of the distance over the last third of the rounds below which G still learns from D."""

REPEATING = 0.5
"""Share of samples that are the same as another above which G can make but few."""


@final
@dataclass(frozen=True)
class WeakDiscriminator(Rule):
    """D cannot tell bad samples from real examples, so G is rewarded for bad samples.

    D learns too slowly, or is too small, or is trained with wrong labels. Its outputs alone look like equilibrium; the
    samples show that it is not.
    """

    weight: ClassVar[float] = 0.8
    remedies: ClassVar[tuple[str, ...]] = (
        "no-label-swapping",
        "equal-steps",
        "usual-lr",
        "wider-networks",
        "higher-d-lr",
        "modern",
    )

    def detect(self, signals: Signals) -> Detection | None:
        if signals.levels is None or not len(signals.logged_rounds) or not signals.quality_known:
            return None
        holds = (signals.nearness.unseen | signals.d_died) & ~signals.improving(STILL_IMPROVING) & ~signals.diverged
        holds &= ~_makes_few(signals)
        return Detection(holds=holds, severity=signals.badness)

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        curves = [curve_evidence(signals, name, members) for name in ("lead", "d_real", "d_fake", "d_loss", "g_loss")]
        died = bool(signals.d_died[members].mean() > 0.5)
        phrase = "its gradient is {value} of what it was"
        gradient = evidence(
            "D's gradient, as a share of its largest",
            signals.share_of_largest("d_gradient"),
            members,
            Range(low=DIED),
            phrase,
            percent=True,
        )
        blind = "D cannot tell bad samples from real examples, so G is rewarded for bad ones"
        quality = quality_evidence(signals, members)
        return Explanation(
            "D has died: it says the same of every example, so G learns nothing more" if died else blind,
            [gradient, *quality] if died else [*quality, gradient],
            Plot("curves", ("d_real", "d_fake"), "D's outputs", Range()),
            curves,
            Text(", while {outputs}", outputs=d_outputs(signals, members)),
        )

    @staticmethod
    def sick() -> Story:
        return story(
            {"d_loss": 0.69, "g_loss": 0.69, "d_real": 0.505, "d_fake": 0.5, "d_gradient": 0.1, "g_gradient": 0.05},
            {
                "frechet-distance": (50.0, 45.0, 45.0, 45.0),
                "modes": 5.0,
                "class-divergence": 0.9,
                "confidence": 0.6,
                "diversity": 0.7,
                "roughness": 1.2,
                "similarity-to-mean": 0.7,
                "nearest-neighbor": 2.2,
                "d_train": 0.505,
                "d_held_out": 0.505,
                "d_generated": 0.5,
            },
        )

    @staticmethod
    def healthy() -> Story:
        """D cannot tell, and samples are good."""
        return story({"d_loss": 0.69, "g_loss": 0.7, "d_real": 0.51, "d_fake": 0.49})


def _makes_few(signals: Signals) -> np.ndarray:
    """Members most of whose samples are the same as another, though these differ: no D can teach such a G more, bool
    `(P,)`. What its latent vectors are makes them few."""
    if not signals.has("repeats"):
        return np.zeros(signals.members, dtype=bool)
    return (signals.quality("repeats")[0] > REPEATING) & (signals.latest("diversity") >= ALIKE)
