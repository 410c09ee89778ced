from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Rule, evidence
from sparring.rules._reading import COPIES, LAST, Range, Signals
from sparring.rules._telling import told
from sparring.rules._words import figure_plot, middle, number, of_figures

GAINING = -0.15
"""Change of the distance from the data over the last third of the rounds, from which on more of them pay."""
FEW_STEPS = 400
"""Steps of both players together, below which no GAN has had the time to go wrong."""
BEGUN, SURE = 0.1, 0.5
"""D's lead from which on it has begun to tell real from generated, and from which on it does."""
FAST = -0.35
"""From here on whatever else there is to see belongs to the beginning of a run."""


@final
@dataclass(frozen=True)
class Undertrained(Rule):
    """Samples are not good yet and still getting better when training ends: it is too early to say what is wrong."""

    weight: ClassVar[float] = 0.96
    remedies: ClassVar[tuple[str, ...]] = ("usual-rates", "adam-for-sgd", "longer")

    def detect(self, signals: Signals) -> Detection | None:
        if 0 < signals.steps < FEW_STEPS:
            sound = ~signals.good & ~signals.lost
            return Detection(sound, np.zeros(signals.members, dtype=np.int64), np.ones(signals.members))
        gains = signals.trend
        if not np.isfinite(gains).any():
            return None
        # A G that stands still before a D that has begun to tell and is far from sure: both are slow.
        lead = signals.late("lead")
        idle = signals.unmoved & signals.poor & (lead > BEGUN) & (lead < SURE) & ~signals.lost
        copies = signals.now("nearest-neighbor") < COPIES
        holds = (signals.gaining(GAINING) & ~signals.good & ~copies & ~signals.lost) | idle
        since = np.full(signals.members, int((1 - LAST) * signals.rounds))
        # Slow gains leave the first place to what holds G back.
        return Detection(holds, since, np.where((gains < FAST) | idle, 1.0, -1.0))

    def told(self, signals: Signals, members: np.ndarray) -> Explanation:
        gains = middle(signals.trend, members)
        if signals.steps < FEW_STEPS:
            claim = f"It is too early to say what is wrong: both players together have taken {signals.steps:,} steps."
        elif signals.unmoved[members].mean() > 0.5:
            claim = (
                "Training has hardly begun: the samples are as far from the data as when they were first looked at "
                f"({number(middle(signals.distance.values[-1], members))}), and D is not sure of anything either."
            )
        else:
            claim = (
                "Training ended early: the samples are not good yet, and came "
                f"{-gains:.0%} nearer to the data over the last third of the rounds."
            )
        steps = np.full(signals.members, float(signals.steps))
        numbers = [evidence("steps of both players", steps, members, Range(low=FEW_STEPS))]
        if np.isfinite(gains):
            numbers.append(evidence("change over the last third", signals.trend, members, Range(low=GAINING)))
        names = ("frechet-distance", "diversity", "confidence", "nearest-neighbor")
        name = "frechet-distance" if signals.has("frechet-distance") else "nearest-neighbor"
        plot = figure_plot(signals, name, "Distance of the samples from the data", log=True)
        return Explanation(claim, [*numbers, *of_figures(signals, names, members)], plot)

    @staticmethod
    def sick() -> Story:
        return told(
            {"d_real": (0.5, 0.8, 0.75, 0.7), "d_fake": (0.5, 0.15, 0.2, 0.25)},
            {
                "frechet-distance": (60.0, 50.0, 38.0, 27.0, 18.0, 12.0),
                "modes": (1.0, 8.0),
                "class-divergence": (2.0, 0.5),
                "confidence": (0.5, 0.7),
                "diversity": (0.2, 0.7),
                "roughness": (1.5, 1.2),
                "nearest-neighbor": (2.8, 2.0),
            },
            rounds=600,
        )

    @staticmethod
    def healthy() -> Story:
        """Samples are good, and have been for a while."""
        return told(figures={"frechet-distance": (40.0, 5.0, 3.0, 3.0, 3.0, 3.0)})
