from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Rule, evidence
from sparring.rules._reading import Range, Signals
from sparring.rules._telling import told
from sparring.rules._words import figure_plot, middle, of_figures

PART = 0.6
"""Of the rounds, the last ones: the part in which swings are looked for."""
SWINGS = 0.35
"""Standard deviation of the logarithm of a distance about its own trend, from which on samples come and go: they are
then half as near to the data again as they were, and back."""
ANSWERS_SWING = 0.3
"""Standard deviation of D's lead, smoothed, from which on the players chase each other."""
LOOKS = 6
"""Looks at samples, at least, that a swing is told from."""
TURNS = 3
"""Times, at least, that it turns."""


@final
@dataclass(frozen=True)
class Oscillation(Rule):
    """The players chase each other in circles: samples get better and worse by turns, and training does not settle.

    G moves to where D is fooled, D follows, and G moves on, instead of both coming to rest.
    """

    weight: ClassVar[float] = 0.84
    remedies: ClassVar[tuple[str, ...]] = (
        "even-steps",
        "usual-rates",
        "less-momentum",
        "flatter-discriminator",
        "modern",
    )

    def detect(self, signals: Signals) -> Detection | None:
        late = _late(signals)
        if late.sum() < LOOKS:
            return None
        swing, turns = _swings(signals)
        chase = _chase(signals)
        holds = ((swing > SWINGS) | (chase > ANSWERS_SWING)) & (turns >= TURNS) & ~signals.good & ~signals.lost
        since = np.full(signals.members, signals.distance.rounds[late][0])
        severity = np.maximum(swing / SWINGS, np.nan_to_num(chase) / ANSWERS_SWING) - 1
        return Detection(holds, since, severity)

    def told(self, signals: Signals, members: np.ndarray) -> Explanation:
        swing, turns = _swings(signals)
        held = signals.distance.values[_late(signals)][:, members]
        name = "frechet-distance" if signals.has("frechet-distance") else "nearest-neighbor"
        low, high = (float(np.nanmedian(np.nanpercentile(held, q, axis=0))) for q in (10, 90))
        claim = (
            f"The players chase each other: the samples' distance from the data went from {low:.3g} to {high:.3g} and "
            f"back, and turned {middle(turns, members):.0f} times."
        )
        numbers = [
            evidence("swing of the distance", swing, members, Range(high=SWINGS)),
            evidence("swing of D's lead", _chase(signals), members, Range(high=ANSWERS_SWING)),
            *of_figures(signals, ("frechet-distance", "diversity"), members),
        ]
        return Explanation(
            claim, numbers, figure_plot(signals, name, "Distance of the samples from the data", log=True)
        )

    @staticmethod
    def sick() -> Story:
        swings = [6.0, 40.0] * 12
        return told(
            {"d_real": [0.55, 0.85] * 12, "d_fake": [0.5, 0.1] * 12},
            {
                "frechet-distance": swings[:20],
                "modes": [9.0, 5.0] * 10,
                "class-divergence": [0.2, 0.8] * 10,
                "confidence": 0.85,
                "diversity": [0.9, 0.65] * 10,
                "nearest-neighbor": [1.3, 2.0] * 10,
            },
        )

    @staticmethod
    def healthy() -> Story:
        """Losses jitter from round to round; samples do not."""
        return told(jitter=0.08)


def _late(signals: Signals) -> np.ndarray:
    return signals.distance.rounds >= (1 - PART) * signals.rounds


def _swings(signals: Signals) -> tuple[np.ndarray, np.ndarray]:
    """Of the logarithm of the distance about its line: standard deviation and number of turns, each `(P,)`."""
    late = _late(signals)
    x, y = signals.distance.rounds[late].astype(float), np.log(np.maximum(signals.distance.values[late], 1e-9))
    x = x - x.mean()
    slope = (x[:, None] * (y - y.mean(0))).sum(0) / (x**2).sum()
    rest = y - y.mean(0) - slope * x[:, None]
    # A turn counts only where it is worth a part of the swing; small ones are jitter.
    return rest.std(0, ddof=1), _turns(rest, SWINGS)


def _turns(values: np.ndarray, worth: float) -> np.ndarray:
    """How often each column of `(L, P)` goes up by `worth` after it went down by that, and the reverse."""
    turns = np.zeros(values.shape[1])
    for member, column in enumerate(values.T):
        at, way = column[0], 0
        for value in column[1:]:
            if (way >= 0 and value > at) or (way <= 0 and value < at):
                if way == 0 and abs(value - at) > worth:
                    way = 1 if value > at else -1
                at = value if way else at
            elif abs(value - at) > worth:
                turns[member] += 1
                at, way = value, -way
    return turns


def _chase(signals: Signals) -> np.ndarray:
    """Standard deviation of D's lead over that part, smoothed so that a batch's luck does not count, `(P,)`."""
    lead = signals.smooth("lead")
    return lead[int((1 - PART) * len(lead)) :].std(0)
