from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Plot, Rule, evidence
from sparring.rules._reading import NEAR, Range, Signals, onset
from sparring.rules._telling import told
from sparring.rules._words import answers, middle, number, of_curve, of_figures

UNDECIDED = 0.6
"""D's lead up to which it counts as undecided: with labels that are not smoothed, good GANs settle at a third or so."""


@final
@dataclass(frozen=True)
class Equilibrium(Rule):
    """The good end: D is undecided, and samples are like the data.

    Either alone is not it: a dead D is undecided too, and samples may be good for now while D runs ahead.
    """

    fault: ClassVar[bool] = False
    weight: ClassVar[float] = 0.5

    def detect(self, signals: Signals) -> Detection | None:
        if signals.levels is None or not len(signals.logged_rounds) or not signals.known:
            return None
        lead = np.abs(signals.late("lead"))
        holds = (lead < UNDECIDED) & signals.good & ~signals.lost
        settled = onset(signals.logged_rounds, np.abs(signals.smooth("lead")) < UNDECIDED)
        return Detection(holds, np.maximum(settled, _good_since(signals)), 1 - lead / UNDECIDED)

    def told(self, signals: Signals, members: np.ndarray) -> Explanation:
        said = f"it answers {answers(signals, members)}"
        claim = f"D is undecided and the samples are like the data: {_course(signals, members)}{said}."
        numbers = [of_curve(signals, name, members) for name in ("lead", "d_loss", "g_loss", "d_real", "d_fake")]
        seen = of_figures(signals, tuple(signals.telling), members)
        if signals.away is not None:
            seen.append(evidence("furthest number from the target", signals.away, members, Range(0, NEAR)))
        level = signals.levels.healthy("d_loss") if signals.levels else Range()
        return Explanation(claim, [*numbers, *seen], Plot("curves", ("d_loss",), "D's loss", level))

    @staticmethod
    def sick() -> Story:
        """What it is named for: here, the good end."""
        return told()

    @staticmethod
    def healthy() -> Story:
        """A dead D: undecided as well, while samples are nothing like the data."""
        return told(
            {"d_loss": 0.693, "g_loss": 0.693, "d_real": 0.5, "d_fake": 0.5},
            {"frechet-distance": 60.0, "confidence": 0.5, "nearest-neighbor": 2.5, "diversity": 0.2, "modes": 2.0},
        )


def _course(signals: Signals, members: np.ndarray) -> str:
    """How D's loss ran, with the number that it came back to."""
    assert signals.levels is not None
    level, now = signals.levels.d_loss, middle(signals.late("d_loss"), members)
    least = middle(np.nan_to_num(signals.smooth("d_loss"), nan=np.inf).min(0), members)
    beside = f"{number(now)} ({number(level)} when it cannot tell)"
    if now - least > 0.1 * abs(level) > 0:
        return f"its loss fell to {number(least)} and came back to {beside}, and "
    return f"its loss is {beside}, and "


def _good_since(signals: Signals) -> np.ndarray:
    """The round of the look from which on every figure was healthy, `(P,)`."""
    if not len(signals.evaluated) or not signals.telling:
        return np.zeros(signals.members, dtype=np.int64)
    good = np.all([signals.healthy(name).holds(signals.figure(name)) for name in signals.telling], axis=0)
    # One look may miss by a hair what the median of the last looks holds.
    return onset(signals.evaluated, good | (np.arange(len(good)) >= len(good) - 2)[:, None])
