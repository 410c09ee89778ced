from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.rules import Detection, Evidence, Explanation, Plot, Rule
from sparring.rules._copies import copied
from sparring.rules._ranges import CAN_TELL, SURE, Range
from sparring.rules._signals import CONSTANT, Signals
from sparring.rules._stories import story
from sparring.rules._words import curve_evidence, d_outputs, metric_evidence, quality_evidence

STILL_IMPROVING = -0.2
"""Change of the distance over the last third of the rounds below which G still catches up."""


@final
@dataclass(frozen=True)
class DiscriminatorWins(Rule):
    """D is sure of nearly every example, and G no longer catches up.

    D learned faster than G could follow, and its output for a sample says little about how to make a better one.
    """

    weight: ClassVar[float] = 0.8
    remedies: ClassVar[tuple[str, ...]] = (
        "matching-data-range",
        "equal-steps",
        "usual-lr",
        "wider-networks",
        "cross-entropy",
        "adam-for-sgd",
        "larger-batch",
        "modern",
        "lower-d-lr",
    )

    def detect(self, signals: Signals) -> Detection | None:
        if signals.levels is None or not len(signals.logged_rounds) or not signals.quality_known:
            return None
        lead = signals.final("lead")
        # A D that is ahead by less has won as well where G stays as far from the data as can be said.
        hopeless = (lead > CAN_TELL) & (signals.badness >= 1) & ~copied(signals)
        holds = ((lead > SURE) & signals.poor) | hopeless
        holds &= ~signals.improving(STILL_IMPROVING) & ~signals.diverged
        return Detection(holds=holds, severity=(lead - SURE) / (1 - SURE))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        lead, *curves = (curve_evidence(signals, n, members) for n in ("lead", "d_real", "d_fake", "d_loss", "g_loss"))
        claim, seen = _what_is_seen(signals, members)
        return Explanation(
            claim,
            [lead, *seen, *(each for each in quality_evidence(signals, members) if each not in seen)],
            Plot("curves", ("d_real", "d_fake"), "D's outputs", Range()),
            curves,
            Text("; {outputs}", outputs=d_outputs(signals, members)),
        )

    @staticmethod
    def sick() -> Story:
        return story(
            {
                "d_loss": (0.69, 0.1, 0.03, 0.02),
                "g_loss": (0.7, 3.5, 4.5, 5.0),
                "d_real": (0.5, 0.93, 0.97, 0.98),
                "d_fake": (0.5, 0.06, 0.02, 0.01),
            },
            {
                "frechet-distance": (60.0, 42.0, 40.0, 40.0),
                "confidence": 0.6,
                "nearest-neighbor": 2.2,
                "d_train": (0.5, 0.93, 0.97, 0.98),
                "d_held_out": (0.5, 0.93, 0.96, 0.97),
                "d_generated": (0.5, 0.06, 0.02, 0.01),
            },
        )

    @staticmethod
    def healthy() -> Story:
        """D leads a little, as in most good runs, and samples are good."""
        return story({"d_real": (0.5, 0.8, 0.7), "d_fake": (0.5, 0.2, 0.3)})


def _what_is_seen(signals: Signals, members: np.ndarray) -> tuple[str, list[Evidence]]:
    """How the claim begins, and what of the samples it cites: a G that stands still is called so."""
    stuck = signals.latest("diversity")[members] < CONSTANT
    rough = (signals.latest("roughness") > signals.healthy("roughness").high) | signals.unstructured
    if np.mean(stuck) <= 0.5:
        return "D is far ahead of G, whose samples are far from the data", []
    if not rough[members].any():
        return "G does not train: it makes one sample whatever it is fed, and D is sure", [
            *metric_evidence(signals, ("diversity",), members)
        ]
    seen = metric_evidence(signals, ("diversity", "structure", "roughness"), members)
    if np.mean(rough[members]) <= 0.5:
        return (
            "G does not train: it makes one sample whatever it is fed"
            " (in some seeds its images have no structure), and D is sure"
        ), seen
    return (
        "G does not train: its images have no structure, one speckled picture whatever it is fed, and D is sure"
    ), seen
