from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.rules import Detection, Evidence, Explanation, Plot, Rule, evidence
from sparring.rules._ranges import LEAD, Range
from sparring.rules._series import onset
from sparring.rules._signals import Signals
from sparring.rules._stories import WASSERSTEIN, story
from sparring.rules._words import title

EXPLODED = 300.0
"""A loss or a gradient has exploded above this many times its first absolute value, or 1 if that is larger."""
LAST = 0.1
"""Share of a curve's points, the last ones, of which more than half must have exploded."""
MAX_NAMED = 8
"""How many seeds are named with the round at which it began, at most."""
WATCHED = ("d_loss", "g_loss", "d_gradient", "g_gradient")


@final
@dataclass(frozen=True)
class Divergence(Rule):
    """Numbers explode, or are no longer finite: what comes after that round means nothing.

    A step that is too long for the gradient moves the weights to where gradients are larger still. A member that has
    diverged is named and counted, and its numbers are never replaced.
    """

    weight: ClassVar[float] = 1.0
    anytime: ClassVar[bool] = True
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
        exploded = _for_some_time(_any_exploded(signals))
        holds = signals.diverged | exploded[-1]
        # Values that do not match make numbers explode, as does a G that runs away from a D that it fools: such causes
        # rank first.
        scaled = signals.levels is not None and signals.levels.sure is not None
        fooled = (signals.final("lead") < LEAD[0]) & scaled
        severity = np.where(signals.diverged, 0.9, np.where(fooled, -1.0, 0.8))
        return Detection(holds=holds, severity=severity, since=_began(signals, exploded))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        infinite = bool(signals.diverged[members].any())
        reasons = [_share_of_finite(signals, members)]
        for name in _known(signals):
            size = np.abs(signals.curve(name))
            growth = np.where(np.isfinite(size), size, 0.0).max(0) / _first_size(size)
            curve = Text(title(name))
            phrase = Text("{curve} grew to {value} times its first value", curve=curve)
            growth_of = Text("growth of {curve}", curve=curve)
            reasons.append(evidence(growth_of, growth, members, Range(high=EXPLODED), phrase))
        of_curves = "Losses or gradients became infinite or NaN" if infinite else "Losses or gradients exploded"
        of_samples_alone = infinite and not set(members.tolist()) & set(signals.story.diverged)
        return Explanation(
            "Samples became infinite or NaN" if of_samples_alone else of_curves,
            reasons,
            Plot("curves", ("d_gradient", "g_gradient"), "Gradient norms", Range(), log=True),
            aside=_beginnings(signals, members),
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
            diverged={member: 3_600 + 150 * member for member in range(6)},
        )

    @staticmethod
    def healthy() -> Story:
        """Gradients grow in the beginning, and settle."""
        return story({"d_gradient": (0.1, 5.0, 6.0), "g_gradient": (0.05, 2.0, 2.5)})


def _share_of_finite(signals: Signals, members: np.ndarray) -> Evidence:
    """How much of the logged rounds has finite numbers; not all of them in a member that diverged after the last."""
    known = _known(signals)
    none = np.zeros(signals.members)  # no number of any member was ever finite
    finite = np.mean([np.isfinite(signals.curve(name)) for name in known], axis=(0, 1)) if known else none
    shares = np.where(signals.diverged, np.minimum(finite, 1 - 1 / signals.rounds), finite)
    phrase = "numbers are finite in {value} of the rounds"
    return evidence("share of rounds with finite numbers", shares, members, Range(low=1.0), phrase, percent=True)


def _beginnings(signals: Signals, members: np.ndarray) -> Text:
    """`; it began with seed 0 at round 3,975, seed 1 at round 4,175 and 20 more`."""
    since, seeds = _began(signals, _for_some_time(_any_exploded(signals))), signals.story.names
    began = sorted((int(since[m]), m) for m in members)
    named = [Text("seed {seed} at round {round}", seed=seeds[m], round=f"{round:,}") for round, m in began[:MAX_NAMED]]
    more = len(began) - MAX_NAMED
    rest = Text(" and {count} more", count=f"{more:,}") if more > 0 else ""
    return Text("; it began with {named}{rest}", named=Text.joined(named, ", "), rest=rest)


def _began(signals: Signals, exploded: np.ndarray) -> np.ndarray:
    """The last round of finite numbers, or the first of exploded ones if that was earlier, `(P,)`."""
    since = np.where(signals.diverged, _last_finite(signals), onset(signals.logged_rounds, exploded))
    return np.minimum(since, np.where(exploded.any(0), signals.logged_rounds[exploded.argmax(0)], since))


def _any_exploded(signals: Signals) -> np.ndarray:
    """Points at which any of the curves has exploded, bool `(T, P)`."""
    return np.any([_exploded(signals, name) for name in WATCHED], axis=0)


def _for_some_time(exploded: np.ndarray) -> np.ndarray:
    """Points `(T, P)` at which more than half of the LAST share of the points until then had exploded."""
    ends = range(1, len(exploded) + 1)
    return np.array([exploded[end - max(1, int(LAST * end)) : end].mean(0) > 0.5 for end in ends])


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
