from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Rule, Signs, Told
from sparring.rules._reading import COPIES, Reading, onset
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

    def signs(self, reading: Reading) -> Signs | None:
        if not reading.has("nearest-neighbor", "diversity"):
            return None
        near = reading.now("nearest-neighbor")
        holds = (near < COPIES) & ~reading.lost
        return Signs(holds, onset(reading.looked, reading.figure("nearest-neighbor") < COPIES), 1 - near / COPIES)

    def told(self, reading: Reading, members: np.ndarray) -> Told:
        near = middle(reading.now("nearest-neighbor"), members)
        claim = (
            "The samples are copies: the nearest training example is "
            f"{number(near)} times as far from them as from real examples that are none."
        )
        names = ("nearest-neighbor", "diversity", "frechet-distance")
        plot = figure_plot(reading, "nearest-neighbor", "Distance to the nearest training example (1: as unseen ones)")
        return Told(claim, of_figures(reading, names, members), plot)

    @staticmethod
    def sick() -> Story:
        return told(figures={"nearest-neighbor": (2.0, 0.8, 0.2, 0.1), "frechet-distance": (30.0, 3.0, 1.0)})

    @staticmethod
    def healthy() -> Story:
        """A little nearer to training examples than unseen ones are."""
        return told(figures={"nearest-neighbor": (2.0, 1.0, 0.85, 0.8)})
