from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Rule, evidence
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals
from sparring.rules._stories import story
from sparring.rules._words import metric_evidence, metric_plot, middle, number, title

PART = 0.6
"""Share of the rounds, the last ones, in which swings are searched for."""
MAX_SWING = 0.35
"""Standard deviation of the logarithm of the distance about its trend above which samples oscillate: their distance
then rises and falls by a factor of about 1.4."""
MAX_LEAD_SWING = 0.3
"""Standard deviation of D's smoothed lead above which the players oscillate."""
MIN_EVALUATIONS = 6
"""Evaluations without which no swing is found."""
MIN_TURNS = 3
"""How often the direction must change."""


@final
@dataclass(frozen=True)
class Oscillation(Rule):
    """The players chase each other: samples get better and worse by turns, and training does not settle.

    G moves to where D is fooled, D follows, and G moves on, instead of both settling.
    """

    weight: ClassVar[float] = 0.84
    remedies: ClassVar[tuple[str, ...]] = (
        "equal-steps",
        "usual-lr",
        "lower-momentum",
        "r1-r2-penalty",
        "modern",
    )

    def detect(self, signals: Signals) -> Detection | None:
        late = _late(signals)
        if late.sum() < MIN_EVALUATIONS:
            return None
        swing, turns = _swings(signals)
        lead_swing = _lead_swing(signals)
        holds = (
            ((swing > MAX_SWING) | (lead_swing > MAX_LEAD_SWING))
            & (turns >= MIN_TURNS)
            & ~signals.good
            & ~signals.diverged
        )
        severity = np.maximum(swing / MAX_SWING, np.nan_to_num(lead_swing) / MAX_LEAD_SWING) - 1
        return Detection(holds=holds, severity=severity)

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        swing, turns = _swings(signals)
        late = signals.distance.values[_late(signals)][:, members]
        name = "frechet-distance" if signals.has("frechet-distance") else "nearest-neighbor"
        low, high = (number(float(np.nanmedian(np.nanpercentile(late, q, axis=0)))) for q in (10, 90))
        of_distance = "the samples' distance from the data swings by {value} (SD of its logarithm)"
        reasons = [
            evidence("swing of the distance (SD of its logarithm)", swing, members, Range(high=MAX_SWING), of_distance),
            evidence("swing of D's lead (SD)", _lead_swing(signals), members, Range(high=MAX_LEAD_SWING)),
        ]
        return Explanation(
            "The players chase each other",
            reasons,
            metric_plot(signals, name, log=True),
            metric_evidence(signals, ("frechet-distance", "diversity"), members),
            f"; that distance ({_distance_name(signals)}) went back and forth between {low} and {high} and turned "
            f"{middle(turns, members):.0f} times",
        )

    @staticmethod
    def sick() -> Story:
        swings = [6.0, 40.0] * 12
        return story(
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
        """Losses are noisy from round to round; samples are not."""
        return story(jitter=0.08)


def _distance_name(signals: Signals) -> str:
    return title(signals.distance.name)


def _late(signals: Signals) -> np.ndarray:
    """Which points of the distance lie in that part, bool `(T,)`."""
    return signals.distance.rounds >= (1 - PART) * signals.rounds


def _swings(signals: Signals) -> tuple[np.ndarray, np.ndarray]:
    """Of the logarithm of the distance about its line: standard deviation and number of turns, each `(P,)`."""
    late = _late(signals)
    x, y = signals.distance.rounds[late].astype(float), np.log(np.maximum(signals.distance.values[late], 1e-9))
    x = x - x.mean()
    slope = (x[:, None] * (y - y.mean(0))).sum(0) / (x**2).sum()
    rest = y - y.mean(0) - slope * x[:, None]
    # A turn counts only if it is as large as a swing; small ones are noise.
    return rest.std(0, ddof=1), _turns(rest, MAX_SWING)


def _turns(values: np.ndarray, size: float) -> np.ndarray:
    """How often each column of `(T, P)` rises by at least `size` after it fell by that, and the reverse."""
    turns = np.zeros(values.shape[1])
    for member, column in enumerate(values.T):
        extreme, direction = column[0], 0
        for value in column[1:]:
            if (direction >= 0 and value > extreme) or (direction <= 0 and value < extreme):
                if direction == 0 and abs(value - extreme) > size:
                    direction = 1 if value > extreme else -1
                extreme = value if direction else extreme
            elif abs(value - extreme) > size:
                turns[member] += 1
                extreme, direction = value, -direction
    return turns


def _lead_swing(signals: Signals) -> np.ndarray:
    """Standard deviation of D's lead over that part, smoothed so that single batches do not count, `(P,)`."""
    lead = signals.smoothed("lead")
    return lead[int((1 - PART) * len(lead)) :].std(0)
