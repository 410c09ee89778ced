"""What D can say at all, given between which values its scores lie, and whether the loss can be content with that."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.rules._ranges import Levels, Range
from sparring.rules._spans import Ends, between

ENOUGH = 0.5
"""Share of the way from undecided to sure that D must be able to go, either way."""
CRITIC = 10.0
"""How far from undecided a score must be able to lie where the loss knows no sure one."""
SIGMOIDS: Ends = (0.5, 0.7311)
"""The sigmoid of 0 and of 1: between these lies D(x) after two sigmoids."""
MIN_POINTS, EXACT, NEAR_END = 10, 0.002, 0.03
"""For journals that do not state D's range: so many points of both curves must lie between these ends, but for rounding
errors, and one curve must come so near to an end."""


@dataclass(frozen=True)
class Bounds:
    """What the D of one run can say, beside what its objective asks of it."""

    levels: Levels
    scores: Ends
    outputs: Ends
    """D(x)."""

    @classmethod
    def of(cls, story: Story, levels: Levels | None) -> Bounds | None:
        """As the journal states them; None where it does not."""
        scores, outputs = (story.output_ranges.get(name) for name in ("discriminator", "d_output"))
        return None if levels is None or scores is None or outputs is None else cls(levels, scores, outputs)

    @property
    def healthy(self) -> Range:
        """D must be able to say what lies at these ends."""
        reach = CRITIC if self.levels.sure is None else ENOUGH * self.levels.sure
        return Range(self.levels.output - reach, self.levels.output + reach)

    @property
    def too_narrow(self) -> bool:
        """Whether the loss cannot be content with any D of such scores."""
        return self.outputs[0] > self.healthy.low or self.outputs[1] < self.healthy.high

    @property
    def claim(self) -> str:
        """What does not match, in one sentence; empty where all does."""
        if not self.too_narrow:
            return ""
        low, high = self.outputs
        ends = Text(", so D(x) stays between {low} and {high}", low=f"{low:.3g}", high=f"{high:.3g}")
        so = ends if math.isfinite(high - low) else ""
        return Text(
            "D's last layer gives scores {between}{so}: the loss is made for scores of any size",
            between=between(self.scores),
            so=so,
        )


def after_two_sigmoids(d_real: np.ndarray, d_fake: np.ndarray) -> np.ndarray:
    """Members whose curves `(T, P)` never leave what two sigmoids can give and come near to an end, bool `(P,)`."""
    low, high = SIGMOIDS
    if len(d_real) < MIN_POINTS:
        return np.zeros(d_real.shape[1], dtype=bool)
    within = [((curve > low - EXACT) & (curve < high + EXACT)).all(0) for curve in (d_real, d_fake)]
    saturated = (d_real[-1] > high - NEAR_END) | (d_fake[-1] < low + NEAR_END)
    return within[0] & within[1] & saturated
