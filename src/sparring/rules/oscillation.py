from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
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
MAX_LOSS_SWING = 0.15
"""Standard deviation of the logarithm of G's smoothed loss about its trend above which the players oscillate, where D
is ahead of neither: in sound runs it was at most 0.1."""
UNDECIDED = 0.5
"""D's lead, either way, up to which it is ahead of neither in the mean."""
CHASE = 0.8
"""Severity of swings of the loss alone: where the players chase each other, D cannot tell for that reason."""
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
        if not len(signals.distance.rounds):
            return None
        (swing, turns), (loss_swing, loss_turns) = _swings(signals), _loss_swings(signals)
        lead_swing = _lead_swing(signals)
        of_samples = ((swing > MAX_SWING) | (lead_swing > MAX_LEAD_SWING)) & (turns >= MIN_TURNS)
        of_loss = (loss_swing > MAX_LOSS_SWING) & (loss_turns >= MIN_TURNS)
        of_loss &= (np.abs(signals.final("lead")) < UNDECIDED) & signals.poor
        severity = np.nan_to_num(np.fmax(swing / MAX_SWING, lead_swing / MAX_LEAD_SWING)) - 1
        severity = np.where(of_samples, severity, 0.0)
        holds = (of_samples | of_loss) & ~signals.good & ~signals.diverged
        severity = np.where(of_loss, np.maximum(severity, CHASE), severity)
        # Who chases another for so long comes nearer and goes away by turns: that is no progress.
        return Detection(holds=holds, severity=severity, lasting=of_loss & (not signals.progress.has_few))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        (swing, turns), (loss_swing, _) = _swings(signals), _loss_swings(signals)
        late = signals.distance.values[_late(signals)][:, members]
        name = "frechet-distance" if signals.has("frechet-distance") else "nearest-neighbor"
        of_distance = "the samples' distance from the data swings by {value} (SD of its logarithm)"
        of_loss = "G's loss swings by {value} (SD of the logarithm of its moving mean)"
        reasons = [
            evidence("swing of the distance (SD of its logarithm)", swing, members, Range(high=MAX_SWING), of_distance),
            evidence("swing of D's lead (SD)", _lead_swing(signals), members, Range(high=MAX_LEAD_SWING)),
            evidence("swing of G's loss (SD of its log)", loss_swing, members, Range(high=MAX_LOSS_SWING), of_loss),
        ]
        low, high = (number(float(np.nanmedian(np.nanpercentile(late, q, axis=0)))) for q in (10, 90))
        turned = Text(
            "; that distance ({distance}) went back and forth between {low} and {high} and turned {times} times",
            distance=Text(title(signals.distance.name)),
            low=low,
            high=high,
            times=f"{middle(turns, members):.0f}",
        )
        of_samples = bool(np.isfinite(turns[members]).all() and middle(turns, members) >= MIN_TURNS)
        return Explanation(
            "The players chase each other",
            reasons,
            metric_plot(signals, name, log=True),
            metric_evidence(signals, ("frechet-distance", "diversity"), members),
            turned if of_samples else "",
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


def _late(signals: Signals) -> np.ndarray:
    """Which points of the distance lie in that part, bool `(T,)`."""
    return signals.distance.rounds >= (1 - PART) * signals.rounds


def _swings(signals: Signals) -> tuple[np.ndarray, np.ndarray]:
    """Of the logarithm of the distance about its line: standard deviation and number of turns, each `(P,)`.

    NaN where there are too few evaluations.
    """
    late = _late(signals)
    if late.sum() < MIN_EVALUATIONS:
        return np.full(signals.members, np.nan), np.full(signals.members, np.nan)
    # A turn counts only if it is as large as a swing; small ones are noise.
    return _about_line(signals.distance.rounds[late], signals.distance.values[late], MAX_SWING)


def _loss_swings(signals: Signals) -> tuple[np.ndarray, np.ndarray]:
    """The same of G's smoothed loss; NaN where that need not be positive."""
    late = signals.logged_rounds >= (1 - PART) * signals.rounds
    if signals.levels is None or signals.levels.g_loss <= 0 or late.sum() < MIN_EVALUATIONS:
        return np.full(signals.members, np.nan), np.full(signals.members, np.nan)
    return _about_line(signals.logged_rounds[late], signals.smoothed("g_loss")[late], MAX_LOSS_SWING)


def _about_line(rounds: np.ndarray, values: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray]:
    """Of the logarithm of values `(T, P)` about their line: standard deviation, and turns of that size, each `(P,)`."""
    x, y = rounds.astype(float) - rounds.mean(), np.log(np.maximum(values, 1e-9))
    slope = (x[:, None] * (y - y.mean(0))).sum(0) / (x**2).sum()
    rest = y - y.mean(0) - slope * x[:, None]
    return rest.std(0, ddof=1), _turns(rest, size)


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
    late = lead[int((1 - PART) * len(lead)) :]
    return late.std(0) if len(late) else np.zeros(lead.shape[1])
