from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Rule, evidence
from sparring.rules._ranges import Range
from sparring.rules._signals import COPIES, TREND, Signals
from sparring.rules._stories import story
from sparring.rules._words import metric_evidence, metric_plot, middle, number, title

IMPROVING = -0.15
"""Change of the distance from the data over the last third of the rounds below which more rounds help."""
FEW_STEPS = 400
"""Moves of both players together, below which it is too early for a diagnosis."""
BEGUN, SURE = 0.1, 0.5
"""D's lead above which it has begun to tell real from generated, and above which it can."""
FAST = -0.35
"""Change below which every other finding belongs to the beginning of a run."""


@final
@dataclass(frozen=True)
class Undertrained(Rule):
    """Samples are not good yet and still improving when training ends: it is too early to say what is wrong."""

    weight: ClassVar[float] = 0.96
    remedies: ClassVar[tuple[str, ...]] = ("usual-lr", "adam-for-sgd", "more-rounds")

    def detect(self, signals: Signals) -> Detection | None:
        if 0 < signals.steps < FEW_STEPS:
            early = ~signals.good & ~signals.diverged
            return Detection(early, np.zeros(signals.members, dtype=np.int64), np.ones(signals.members))
        change = signals.change
        if not np.isfinite(change).any():
            return None
        # Samples are unchanged, and D has begun to tell but is far from sure: both players are slow.
        lead = signals.final("lead")
        idle = signals.unchanged & signals.poor & (lead > BEGUN) & (lead < SURE) & ~signals.diverged
        copies = signals.latest("nearest-neighbor") < COPIES
        holds = (signals.improving(IMPROVING) & ~signals.good & ~copies & ~signals.diverged) | idle
        since = np.full(signals.members, int((1 - TREND) * signals.rounds))
        # Where the improvement is slow, what holds G back ranks first.
        return Detection(holds, since, np.where((change < FAST) | idle, 1.0, -1.0))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        change = middle(signals.change, members)
        if signals.steps < FEW_STEPS:
            claim = f"It is too early for a diagnosis: both players together have made {signals.steps:,} steps."
        elif signals.unchanged[members].mean() > 0.5:
            claim = (
                "Training has hardly begun: the samples are as far from the data as at the first evaluation "
                f"({title(signals.distance.name)} {number(middle(signals.distance.values[-1], members))}), and D is "
                "not sure of anything either."
            )
        else:
            claim = (
                f"Training ended early: the samples' distance from the data ({title(signals.distance.name)}) fell by "
                f"{-change:.0%} over the last third of the rounds, and they are not good yet."
            )
        steps = np.full(signals.members, float(signals.steps))
        numbers = [evidence("steps of both players", steps, members, Range(low=FEW_STEPS))]
        if np.isfinite(change):
            numbers.append(
                evidence("change of the distance over the last third", signals.change, members, Range(low=IMPROVING))
            )
        names = ("frechet-distance", "diversity", "confidence", "nearest-neighbor")
        name = "frechet-distance" if signals.has("frechet-distance") else "nearest-neighbor"
        plot = metric_plot(signals, name, log=True)
        return Explanation(claim, [*numbers, *metric_evidence(signals, names, members)], plot)

    @staticmethod
    def sick() -> Story:
        return story(
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
        return story(metrics={"frechet-distance": (40.0, 5.0, 3.0, 3.0, 3.0, 3.0)})
