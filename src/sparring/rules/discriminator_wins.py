from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Plot, Rule, Signs, Told
from sparring.rules._reading import SURE, Range, Reading, onset
from sparring.rules._telling import told
from sparring.rules._words import answers, of_curve, of_figures

STILL_GAINING = -0.2
"""A G whose samples came so much nearer to the data over the last third of the rounds is not beaten."""


@final
@dataclass(frozen=True)
class DiscriminatorWins(Rule):
    """D is sure of nearly every example, and G no longer gains on it.

    It learned faster than G could follow, and what it answers to a fake says little about how to make a better one.
    """

    weight: ClassVar[float] = 0.8
    remedies: ClassVar[tuple[str, ...]] = (
        "matching-scale",
        "even-steps",
        "usual-rates",
        "wider-networks",
        "cross-entropy",
        "adam-for-sgd",
        "larger-batch",
        "modern",
        "slower-discriminator",
    )

    def signs(self, reading: Reading) -> Signs | None:
        if reading.levels is None or not len(reading.noted) or not reading.known:
            return None
        lead = reading.late("lead")
        holds = (lead > SURE) & reading.poor & ~reading.gaining(STILL_GAINING) & ~reading.lost
        return Signs(holds, onset(reading.noted, reading.smooth("lead") > SURE), (lead - SURE) / (1 - SURE))

    def told(self, reading: Reading, members: np.ndarray) -> Told:
        claim = f"D is far ahead of G: it answers {answers(reading, members)}, and G no longer gains on it."
        numbers = [of_curve(reading, name, members) for name in ("lead", "d_real", "d_fake", "d_loss", "g_loss")]
        seen = of_figures(reading, ("frechet-distance", "nearest-neighbor"), members)
        return Told(claim, [*numbers, *seen], Plot("curves", ("d_real", "d_fake"), "D's answers", Range()))

    @staticmethod
    def sick() -> Story:
        return told(
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
        """D leads, as it does in most good runs, and samples are good."""
        return told({"d_real": (0.5, 0.8, 0.7), "d_fake": (0.5, 0.2, 0.3)})
