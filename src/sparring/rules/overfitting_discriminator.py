from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Plot, Rule, evidence
from sparring.rules._reading import Range, Signals, onset
from sparring.rules._telling import told
from sparring.rules._words import middle, number

BY_HEART = 0.4
"""Share of the way from its answer to training examples down to its answer to fakes, that D's answer to held-out real
ones lies: 0 when D takes both for equally real, 1 when it takes what it has not seen for fake."""
APART = 0.15
"""How far, of the way from undecided to sure, the two must lie apart for that share to mean anything."""


@final
@dataclass(frozen=True)
class OverfittingDiscriminator(Rule):
    """D knows the training examples by heart: it doubts real examples that it has not seen, as it doubts fakes.

    What it teaches G is then where the training examples lie, not what real ones are like.
    """

    weight: ClassVar[float] = 0.86
    remedies: ClassVar[tuple[str, ...]] = ("augmentation", "flatter-discriminator", "modern")

    def detect(self, signals: Signals) -> Detection | None:
        seen, unseen = signals.now("d_train"), signals.now("d_held_out")
        if not np.isfinite(unseen).any() or signals.levels is None:
            return None
        share = _share(signals)
        unit = signals.levels.sure or np.maximum(np.abs(seen - signals.now("d_generated")), 1e-9)
        holds = (middle_of_last(share) > BY_HEART) & ((seen - unseen) / unit > APART) & ~signals.lost
        return Detection(
            holds, onset(signals.evaluated, share > BY_HEART), (middle_of_last(share) - BY_HEART) / (1 - BY_HEART)
        )

    def told(self, signals: Signals, members: np.ndarray) -> Explanation:
        seen, unseen, fake = (middle(signals.now(n), members) for n in ("d_train", "d_held_out", "d_generated"))
        claim = (
            f"D knows the training examples by heart: it answers {number(seen)} to them, but {number(unseen)} to real "
            f"examples that it has not seen and {number(fake)} to generated ones."
        )
        share = middle_of_last(_share(signals))
        healthy = Range(high=BY_HEART)
        numbers = [evidence("share of the way from training examples to fakes", share, members, healthy)]
        for name, what in _NAMES.items():
            numbers.append(evidence(what, signals.now(name), members, Range()))
        return Explanation(claim, numbers, Plot("evaluations", tuple(_NAMES), "D's answers", Range()))

    @staticmethod
    def sick() -> Story:
        return told(
            {
                "d_real": (0.5, 0.8, 0.9),
                "d_fake": (0.5, 0.2, 0.12),
                "d_loss": (0.69, 0.3, 0.2),
                "g_loss": (0.7, 2.0, 2.2),
            },
            {
                "frechet-distance": (40.0, 12.0, 10.0, 10.0),
                "d_train": (0.5, 0.8, 0.9),
                "d_held_out": (0.5, 0.5, 0.35),
                "d_generated": (0.5, 0.2, 0.12),
            },
        )

    @staticmethod
    def healthy() -> Story:
        """D takes unseen examples for as real as those it has seen."""
        return told(figures={"d_train": 0.65, "d_held_out": 0.63, "d_generated": 0.33})


_NAMES = {
    "d_train": "D(training examples)",
    "d_held_out": "D(held-out examples)",
    "d_generated": "D(generated examples)",
}


def _share(signals: Signals) -> np.ndarray:
    """How far down to fakes D's answer to unseen real examples lies, at each look, `(L, P)`."""
    seen, unseen, fake = (signals.figure(name) for name in _NAMES)
    apart = seen - fake
    return np.where(apart > 1e-6, (seen - unseen) / np.maximum(apart, 1e-6), 0.0)


def middle_of_last(values: np.ndarray) -> np.ndarray:
    """Median over the last three looks, `(P,)`."""
    return np.median(values[-3:], axis=0) if len(values) else np.full(values.shape[1], np.nan)
