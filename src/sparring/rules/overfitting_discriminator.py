from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.rules import Detection, Explanation, Plot, Rule, evidence
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals
from sparring.rules._stories import story
from sparring.rules._words import middle, number, title

MAX_SHARE = 0.4
"""D's output for held-out real examples, as a share of the way down from training examples to generated ones, above
which D overfits: 0 when D takes both for equally real, 1 when it takes what it has not seen for generated."""
MIN_GAP = 0.15
"""How far apart, as a share of the way from undecided to sure, the outputs must be for that share to mean anything."""

OUTPUTS = ("d_train", "d_held_out", "d_generated")


@final
@dataclass(frozen=True)
class OverfittingDiscriminator(Rule):
    """D overfits: it has memorized the training examples and takes held-out real examples for generated ones.

    What G learns from it is then where the training examples lie, not what real ones are like.
    """

    weight: ClassVar[float] = 0.86
    anytime: ClassVar[bool] = True
    remedies: ClassVar[tuple[str, ...]] = ("augmentation", "r1-r2-penalty", "modern")

    def detect(self, signals: Signals) -> Detection | None:
        seen, unseen = signals.latest("d_train"), signals.latest("d_held_out")
        if not np.isfinite(unseen).any() or signals.levels is None:
            return None
        share = _share(signals)
        unit = signals.levels.sure or np.maximum(np.abs(seen - signals.latest("d_generated")), 1e-9)
        holds = (_latest(share) > MAX_SHARE) & ((seen - unseen) / unit > MIN_GAP) & ~signals.diverged
        return Detection(holds=holds, severity=(_latest(share) - MAX_SHARE) / (1 - MAX_SHARE))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        seen, unseen, fake = (middle(signals.latest(n), members) for n in ("d_train", "d_held_out", "d_generated"))
        share = evidence(
            "share of the way from training to generated examples",
            _latest(_share(signals)),
            members,
            Range(high=MAX_SHARE),
            "its output for held-out real examples is {value} of the way to that for generated ones",
            percent=True,
        )
        return Explanation(
            "D overfits its training examples",
            [share],
            Plot("evaluations", OUTPUTS, "D's outputs", Range()),
            [evidence(title(name), signals.latest(name), members, Range()) for name in OUTPUTS],
            Text(
                "; D(training examples) is {seen}, D(held-out examples) {unseen} and D(generated examples) {fake}",
                seen=number(seen),
                unseen=number(unseen),
                fake=number(fake),
            ),
        )

    @staticmethod
    def sick() -> Story:
        return story(
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
        """D takes held-out examples for as real as those it was trained on."""
        return story(metrics={"d_train": 0.65, "d_held_out": 0.63, "d_generated": 0.33})


def _share(signals: Signals) -> np.ndarray:
    """How far down to generated examples D's output for held-out ones lies, at each evaluation, `(T, P)`."""
    seen, unseen, fake = (signals.metric(name) for name in OUTPUTS)
    gap = seen - fake
    return np.where(gap > 1e-6, (seen - unseen) / np.maximum(gap, 1e-6), 0.0)


def _latest(values: np.ndarray) -> np.ndarray:
    """Median over the last three evaluations, `(P,)`."""
    return np.median(values[-3:], axis=0) if len(values) else np.full(values.shape[1], np.nan)
