from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._reading import COPIES, Signals, onset
from sparring.rules._telling import told
from sparring.rules._words import figure_plot, middle, number, of_figures


@final
@dataclass(frozen=True)
class Memorization(Rule):
    """Samples are copies of training examples.

    They look perfect, and nothing new was made. Told where the data has an end, and samples differ from one another.
    """

    weight: ClassVar[float] = 0.97
    remedies: ClassVar[tuple[str, ...]] = ("plain-generator", "augmentation", "flatter-discriminator")

    def detect(self, signals: Signals) -> Detection | None:
        if not signals.has("nearest-neighbor", "diversity"):
            return None
        near = signals.now("nearest-neighbor")
        holds = (near < COPIES) & ~signals.lost
        return Detection(
            holds, onset(signals.evaluated, signals.figure("nearest-neighbor") < COPIES), 1 - near / COPIES
        )

    def told(self, signals: Signals, members: np.ndarray) -> Explanation:
        near = middle(signals.now("nearest-neighbor"), members)
        claim = (
            "The samples are copies: the nearest training example is "
            f"{number(near)} times as far from them as from real examples that are none."
        )
        names = ("nearest-neighbor", "diversity", "frechet-distance")
        plot = figure_plot(signals, "nearest-neighbor", "Distance to the nearest training example (1: as unseen ones)")
        return Explanation(claim, of_figures(signals, names, members), plot)

    @staticmethod
    def sick() -> Story:
        return told(figures={"nearest-neighbor": (2.0, 0.8, 0.2, 0.1), "frechet-distance": (30.0, 3.0, 1.0)})

    @staticmethod
    def healthy() -> Story:
        """A little nearer to training examples than unseen ones are."""
        return told(figures={"nearest-neighbor": (2.0, 1.0, 0.85, 0.8)})
