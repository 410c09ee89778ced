from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Plot, Rule, evidence
from sparring.rules._reading import ANSWERS, SURE, Range, Signals, onset
from sparring.rules._telling import told
from sparring.rules._words import middle, number, of_curve, of_figures

FELL = 0.01
"""Share of its own highest mean below which G's gradient has vanished."""
BESIDE_D = 0.003
"""Share of D's gradient below which G has none to speak of, from whenever on."""


@final
@dataclass(frozen=True)
class VanishingGradient(Rule):
    """G is told next to nothing: the gradient that reaches it has all but vanished, and its samples are not good.

    Its loss is flat where D is sure, as with log(1 - D(G(z))), or its own last layer is, or a sigmoid stands between.
    """

    weight: ClassVar[float] = 0.92
    remedies: ClassVar[tuple[str, ...]] = (
        "cross-entropy",
        "leaky-activation",
        "plain-generator",
        "matching-scale",
        "even-steps",
        "usual-rates",
        "modern",
    )

    def detect(self, signals: Signals) -> Detection | None:
        now = signals.late("g_gradient")
        if not np.isfinite(now).any():
            return None
        limit = _limit(signals)
        # Both gradients shrink as a game comes to rest: where samples were not looked at, D must be sure of itself.
        beaten = ~signals.good if signals.known else signals.late("lead") > SURE
        # Where D takes fakes for real G has all that it wants: that is D's doing.
        content = signals.late("lead") < ANSWERS[0]
        holds = (now < limit) & beaten & ~content & ~signals.lost
        severity = np.clip(np.log10(np.maximum(limit, 1e-30) / np.maximum(now, 1e-30)) / 2, 0, 1)
        return Detection(holds, onset(signals.logged_rounds, signals.smooth("g_gradient") < limit), severity)

    def told(self, signals: Signals, members: np.ndarray) -> Explanation:
        now, most = middle(signals.late("g_gradient"), members), middle(_most(signals, "g_gradient"), members)
        d_now = middle(signals.late("d_gradient"), members)
        beside = f" and D's is {number(d_now)}" if np.isfinite(d_now) else ""
        claim = (
            f"Next to no gradient reaches G: its norm is {number(now)}, where it was {number(most)} at most{beside}."
        )
        healthy = Range(low=middle(_limit(signals), members))
        numbers = [
            evidence("G's gradient", signals.late("g_gradient"), members, healthy),
            of_curve(signals, "d_gradient", members),
            *(of_curve(signals, name, members) for name in ("lead", "d_fake", "g_loss")),
            *of_figures(signals, ("frechet-distance",), members),
        ]
        return Explanation(
            claim, numbers, Plot("curves", ("g_gradient", "d_gradient"), "Gradient norms", healthy, log=True)
        )

    @staticmethod
    def sick() -> Story:
        return told(
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
        """Both gradients shrink together as a game calms down, and samples are good."""
        return told({"d_gradient": (3.0, 0.3, 0.2), "g_gradient": (1.0, 0.05, 0.03)})


def _most(signals: Signals, name: str) -> np.ndarray:
    smooth = signals.smooth(name)
    return np.nan_to_num(smooth, nan=-np.inf).max(0) if len(smooth) else np.full(signals.members, np.nan)


def _limit(signals: Signals) -> np.ndarray:
    """Below which a member's G has no gradient, `(P,)`."""
    return np.maximum(FELL * _most(signals, "g_gradient"), BESIDE_D * _most(signals, "d_gradient"))
