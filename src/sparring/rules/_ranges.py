"""Ranges of healthy values, and the levels of an objective's curves from which the ranges of curves follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparring.languages import Text
from sparring.metrics import Healthy
from sparring.record import Story
from sparring.tricks import Trick

MAX_EXCESS = np.log(3.0)
"""At three times the upper end of a range, or a third of the lower one, `Range.excess` reaches 1, its largest value."""
LEAD = (-0.2, 0.6)
"""Healthy lead of D: 0 when it cannot tell real from generated, 1 when it is sure."""
POOR = 0.4
"""How far outside a healthy range, as `Range.excess` counts it, samples must be to be called poor."""
CAN_TELL = 0.25
"""D's lead above which it can tell real from generated examples, though it is not sure."""
SURE = 0.7
"""D's lead above which D is sure: on a scale from 0 to 1 its mean outputs then lie this far apart."""
LOSSES = {"d_loss": (0.5, 1.15), "g_loss": (0.5, 3.0)}
"""Healthy losses as multiples of their value at equilibrium, for objectives whose losses are positive there."""
PROBABILITY = 0.5
"""D's output at equilibrium, and its distance from that when D is sure, where outputs are probabilities."""
MIN_LABEL_GAP = 0.2
"""Where the mean labels of real and of generated examples lie closer than this, D learns nothing from them."""


@dataclass(frozen=True)
class Range:
    """The healthy values of a number, both ends included; an infinite end is open."""

    low: float = -np.inf
    high: float = np.inf

    @classmethod
    def of(cls, healthy: Healthy, real: float, spread: float | None = None) -> Range:
        """The range of a metric in a run in which real data scores `real`, and has this spread if it is known."""
        return cls(*healthy.ends(real, spread))

    def contains(self, values: np.ndarray) -> np.ndarray:
        """Whether values lie within; False for NaN."""
        return (values >= self.low) & (values <= self.high)

    @property
    def at_least(self) -> Range:
        """Without its upper end: where only less than that is a reason."""
        return Range(low=self.low)

    @property
    def at_most(self) -> Range:
        """Without its lower end: where only more than that is a reason."""
        return Range(high=self.high)

    def excess(self, values: np.ndarray) -> np.ndarray:
        """How far outside values of at least 0 lie, in [0, 1] on a logarithmic scale; 0 within the range and for NaN.

        1 is reached at three times the upper end, or a third of the lower one.
        """
        known = np.clip(np.nan_to_num(values, nan=self.low if np.isfinite(self.low) else self.high), 1e-9, 1e9)
        below = np.log(self.low / known) if 0 < self.low < np.inf else np.zeros_like(known)
        above = np.log(known / self.high) if 0 < self.high < np.inf else np.zeros_like(known)
        return np.clip(np.maximum(below, above) / MAX_EXCESS, 0, 1)

    def words(self, more: int = 0, percent: bool = False) -> str:
        """`0.75 to 1.3`, `at most 8.81`; empty where any value is healthy. With `more` digits."""
        low, high = (self.end(end, more, percent) for end in (self.low, self.high))
        if np.isfinite(self.low) and np.isfinite(self.high):
            return Text("{low} to {high}", low=low, high=high)
        if np.isfinite(self.low):
            return Text("at least {low}", low=low)
        return Text("at most {high}", high=high) if np.isfinite(self.high) else ""

    @staticmethod
    def end(value: float, more: int = 0, percent: bool = False) -> str:
        """An end as text: `0.75`, `200,000`, `15%`, `0.30%`; with `more` digits."""
        if percent or not np.isfinite(value):
            digits = more if value == 0 or abs(value) >= 0.005 else max(more, 2)  # 0.3 %, not 0 %
            return f"{value:.{digits}%}"
        return f"{value:,.{more}f}" if 1_000 <= abs(value) < 1e7 else f"{value:.{3 + more}g}"

    def mirrored(self, about: float) -> Range:
        """The same range on the other side of a value."""
        return Range(2 * about - self.high, 2 * about - self.low)


@dataclass(frozen=True)
class Levels:
    """What the curves of an objective come to at equilibrium, when D cannot tell real from generated examples."""

    d_loss: float
    g_loss: float
    output: float
    """D's output for both kinds of examples."""
    sure: float | None
    """How far from that D's output lies when D is sure; None where outputs have no bound."""

    @classmethod
    def of(cls, story: Story, tricks: Iterable[Trick]) -> Levels | None:
        """As the journal states them; None for a journal that does not.

        Tricks may change what D is trained to say of an example, which changes the outputs at equilibrium.
        """
        levels = next((e["levels"] for e in reversed(story.events) if e.get("levels")), {})
        if not {"d_loss", "g_loss", "d_real"} <= levels.keys():
            return None
        progress = min(1.0, story.round / max(1, story.recipe.get("rounds") or 1))
        return cls.from_curves(levels).with_labels(*mean_labels(tricks, progress))

    @classmethod
    def from_curves(cls, levels: Mapping[str, Any]) -> Levels:
        """From the level of each curve, as a `started` event states them."""
        return cls(levels["d_loss"], levels["g_loss"], levels["d_real"], levels.get("sure", _sure(levels)))

    def with_labels(self, real: float, fake: float) -> Levels:
        """The levels where D is trained on these mean labels for real and generated examples instead of 1 and 0.

        A probability then cannot be surer than its labels, and at equilibrium it is their mean.
        """
        if self.sure != PROBABILITY or real - fake < MIN_LABEL_GAP:
            return self
        return replace(self, output=(real + fake) / 2, sure=(real - fake) / 2)

    def healthy(self, name: str) -> Range:
        """The healthy range of a curve: D leads a little, and no loss is far from its level at equilibrium."""
        if name == "lead":
            return Range(*LEAD)
        if name in ("d_real", "d_fake"):
            if self.sure is None:
                return Range()
            behind, ahead = (end * self.sure for end in LEAD)
            real = Range(self.output + behind, self.output + ahead)
            return real if name == "d_real" else real.mirrored(self.output)
        level = {"d_loss": self.d_loss, "g_loss": self.g_loss}.get(name, 0.0)
        low, high = LOSSES.get(name, (0.0, 0.0))
        return Range(low * level, high * level) if level > 0 else Range()


def mean_labels(tricks: Iterable[Trick], progress: float) -> tuple[float, float]:
    """The mean label of a real and of a generated example after `progress` of the run, with these tricks in order."""
    real, fake = 1.0, 0.0
    for trick in tricks:
        real, fake = trick.mean_label(real, 1, progress), trick.mean_label(fake, 0, progress)
    return real, fake


def _sure(levels: Mapping[str, float]) -> float | None:
    """For journals without it: probabilities lie between 0 and 1, and a hinge loss is 0 at 1 and -1."""
    if levels["d_real"] == PROBABILITY:
        return PROBABILITY
    return 1.0 if levels["d_loss"] > 0 else None
