from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Plot, Rule, evidence
from sparring.rules._ranges import Range
from sparring.rules._series import onset
from sparring.rules._signals import Signals
from sparring.rules._stories import WASSERSTEIN, story
from sparring.rules._words import title

EXPLODED = 1_000.0
"""A loss or a gradient has exploded above this many times its first absolute value, or 1 if that is larger."""
LAST = 0.1
"""Share of a curve's points, the last ones, of which more than half must have exploded."""
WATCHED = ("d_loss", "g_loss", "d_gradient", "g_gradient")


@final
@dataclass(frozen=True)
class Divergence(Rule):
    """Numbers explode, or are no longer finite: what comes after that round means nothing.

    A step that is too long for the gradient moves the weights to where gradients are larger still. A member that has
    diverged is named and counted, and its numbers are never replaced.
    """

    weight: ClassVar[float] = 1.0
    remedies: ClassVar[tuple[str, ...]] = (
        "gradient-penalty",
        "usual-lr",
        "lower-lr",
        "gradient-clipping",
        "cross-entropy",
        "modern",
    )
    min_share: ClassVar[float] = 0.0

    def detect(self, signals: Signals) -> Detection | None:
        if not len(signals.logged_rounds):
            return None
        exploded = np.any([_exploded(signals, name) for name in WATCHED], axis=0)
        now = exploded[-max(1, int(LAST * len(exploded))) :].mean(0) > 0.5
        holds = signals.diverged | now
        since = np.where(signals.diverged, _last_finite(signals), onset(signals.logged_rounds, exploded))
        since = np.minimum(since, np.where(exploded.any(0), signals.logged_rounds[exploded.argmax(0)], since))
        return Detection(holds, since, np.where(signals.diverged, 1.0, 0.8))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        detection = self.detect(signals)
        assert detection is not None
        seeds = signals.story.seeds
        began = sorted((int(detection.since[m]), seeds[m]) for m in members)
        named = ", ".join(f"seed {seed} at round {round:,}" for round, seed in began[:8])
        rest = f" and {len(began) - 8:,} more" if len(began) > 8 else ""
        what = "became infinite or NaN" if signals.diverged[members].any() else "exploded"
        claim = (
            f"Losses or gradients of {len(members):,} of {signals.members:,} seeds {what}; it began with {named}{rest}."
        )
        finite = np.mean([np.isfinite(signals.curve(n)) for n in _known(signals)], axis=(0, 1))
        numbers = [
            evidence("round at which it began", detection.since.astype(float), members, Range()),
            evidence("share of rounds with finite numbers", finite, members, Range(low=1.0)),
        ]
        for name in _known(signals):
            size = np.abs(signals.curve(name))
            largest = np.where(np.isfinite(size), size, 0.0).max(0)
            healthy = Range(high=float(np.median(EXPLODED * _first_size(size)[members])))
            numbers.append(evidence(f"largest absolute value of {title(name)}", largest, members, healthy))
        return Explanation(
            claim, numbers, Plot("curves", ("d_gradient", "g_gradient"), "Gradient norms", Range(), log=True)
        )

    @staticmethod
    def sick() -> Story:
        return story(
            {
                "d_loss": (-1.0, -10.0, -300.0, -4e4),
                "g_loss": (1.0, 10.0, 300.0, 3e4),
                "d_gradient": (2.0, 20.0, 1e3, 1e5),
                "g_gradient": (1.0, 10.0, 1e3, 1e5),
                "d_real": (0.0, 10.0, 300.0, 4e4),
                "d_fake": (0.0, -10.0, -300.0, -4e4),
            },
            {"frechet-distance": (40.0, 60.0), "confidence": 0.5, "nearest-neighbor": 3.0, "diversity": 0.3},
            levels=WASSERSTEIN,
            diverged={member: 3_600 + 150 * member for member in range(5)},
        )

    @staticmethod
    def healthy() -> Story:
        """Gradients grow in the beginning, and settle."""
        return story({"d_gradient": (0.1, 5.0, 6.0), "g_gradient": (0.05, 2.0, 2.5)})


def _known(signals: Signals) -> list[str]:
    """Of the curves that are watched, those that this run has."""
    return [name for name in WATCHED if np.isfinite(signals.curve(name)).any()]


def _first_size(size: np.ndarray) -> np.ndarray:
    """The first of a curve's absolute values `(T, P)`, or 1 if that is larger, `(P,)`."""
    return np.maximum(np.nan_to_num(size[0], nan=0.0), 1.0)


def _exploded(signals: Signals, name: str) -> np.ndarray:
    """Points at which a curve has exploded, bool `(T, P)`."""
    size = np.abs(signals.curve(name))
    return np.nan_to_num(size, nan=0.0) > EXPLODED * _first_size(size)


def _last_finite(signals: Signals) -> np.ndarray:
    """The last round at which every curve of a member was finite, `(P,)`."""
    known = _known(signals)
    if not known:
        return np.zeros(signals.members, dtype=np.int64)
    sound = np.all([np.isfinite(signals.curve(name)) for name in known], axis=0)
    last = len(sound) - 1 - sound[::-1].argmax(0)
    return np.where(sound.any(0), signals.logged_rounds[last], 0)
