from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.rules import Detection, Explanation, Plot, Rule, evidence
from sparring.rules._ranges import LEAD, SURE, Range
from sparring.rules._signals import Signals
from sparring.rules._stories import story
from sparring.rules._words import curve_evidence, metric_evidence, middle, number

OF_OWN = 0.01
"""Share of its own largest smoothed norm below which G's gradient has vanished."""
OF_D = 0.003
"""Share of D's largest gradient norm below which G's gradient has vanished."""


@final
@dataclass(frozen=True)
class VanishingGradient(Rule):
    """G's gradient has all but vanished while its samples are not good, so it learns next to nothing.

    G's loss is flat where D is sure, as with log(1 - D(G(z))), or G's last layer is saturated, or sigmoids between its
    layers shrink the gradient.
    """

    weight: ClassVar[float] = 0.92
    remedies: ClassVar[tuple[str, ...]] = (
        "cross-entropy",
        "leaky-relu",
        "fully-connected-generator",
        "matching-data-range",
        "equal-steps",
        "usual-lr",
        "modern",
    )

    def detect(self, signals: Signals) -> Detection | None:
        now = signals.final("g_gradient")
        if not np.isfinite(now).any():
            return None
        limit = _limit(signals)
        # Both gradients shrink as training settles: where samples were not evaluated, D must be sure.
        not_good = ~signals.good if signals.quality_known else signals.final("lead") > SURE
        # D is not at fault that cannot decide about samples which are about as good as this G can make them.
        settled = signals.undecided & ~signals.nearness.far & signals.quality_known
        # Where D takes generated examples for real, G's loss is low already: the fault is D's.
        winning = signals.final("lead") < LEAD[0]
        holds = (now < limit) & not_good & ~settled & ~winning & ~signals.diverged
        severity = np.clip(np.log10(np.maximum(limit, 1e-30) / np.maximum(now, 1e-30)) / 2, 0, 1)
        # A D that says of everything that it does not know gives G nothing to learn from: that is its fault, too.
        return Detection(holds=holds, severity=np.where(signals.undecided, -1.0, severity))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        now = signals.final("g_gradient")
        reasons = [
            evidence(name, share, members, Range(low=least), phrase, percent=True)
            for name, share, least, phrase in (
                (
                    "G's gradient, as a share of its largest",
                    signals.share_of_largest("g_gradient"),
                    OF_OWN,
                    "its norm is {value} of what it was",
                ),
                (
                    "G's gradient, as a share of D's largest",
                    _of_d(signals, now),
                    OF_D,
                    "its norm is {value} of D's largest",
                ),
            )
        ]
        healthy = Range(low=middle(_limit(signals), members))
        return Explanation(
            "G's gradient has vanished",
            reasons,
            Plot("curves", ("g_gradient", "d_gradient"), "Gradient norms", healthy, log=True),
            [
                *(
                    curve_evidence(signals, n, members)
                    for n in ("g_gradient", "d_gradient", "lead", "d_fake", "g_loss")
                ),
                *metric_evidence(signals, ("frechet-distance",), members),
            ],
            Text(
                "; it is {own}, and D's {of_d}",
                own=number(middle(now, members)),
                of_d=number(middle(signals.final("d_gradient"), members)),
            ),
        )

    @staticmethod
    def sick() -> Story:
        return story(
            {
                "d_real": (0.5, 0.99, 1.0),
                "d_fake": (0.5, 0.01, 0.0005),
                "d_loss": (0.69, 0.01, 0.0005),
                "g_loss": (-0.7, -0.01, -0.0005),
                "g_gradient": (0.5, 0.01, 0.0008, 0.0005),
            },
            {"frechet-distance": (60.0, 55.0), "confidence": 0.5, "nearest-neighbor": 2.4, "diversity": 0.7},
        )

    @staticmethod
    def healthy() -> Story:
        """Both gradients shrink together as training settles, and samples are good."""
        return story({"d_gradient": (3.0, 0.3, 0.2), "g_gradient": (1.0, 0.05, 0.03)})


def _largest(signals: Signals, name: str) -> np.ndarray:
    """The largest smoothed norm, `(P,)`."""
    smooth = signals.smoothed(name)
    return np.nan_to_num(smooth, nan=-np.inf).max(0) if len(smooth) else np.full(signals.members, np.nan)


def _of_d(signals: Signals, now: np.ndarray) -> np.ndarray:
    """G's norm as a share of D's largest; NaN where that is 0."""
    largest = _largest(signals, "d_gradient")
    return np.divide(now, largest, out=np.full_like(now, np.nan), where=largest > 0)


def _limit(signals: Signals) -> np.ndarray:
    """The norm below which a member's G has no gradient, `(P,)`."""
    return np.maximum(OF_OWN * _largest(signals, "g_gradient"), OF_D * _largest(signals, "d_gradient"))
