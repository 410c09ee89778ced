"""How far a run has come: how many examples it has seen, and how many a usual run sees until its samples settle.

Measured with eleven recipes (docs/diagnosis.md, "Too early"): until the distance from the data stayed within a quarter
of its final value, runs saw 57,000 to 277,000 images. It made no visible difference whether images have a side of 8 or
64 pixels, whether there are 100 or 60,000 of them, or whether the networks have a hundred thousand or six million
weights.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sparring.rules._signals import Signals

USUAL_IMAGES = 200_000
"""Images that a usual run sees until its samples settle, of those that were measured."""
USUAL_VECTORS = 100_000
"""The same for points and other vectors."""
USUAL_OF_ONE_PATTERN = 10_000
"""The same for data that is one pattern with noise, as 1010."""
USUAL_BATCHES = 2_000
"""However large batches are, a usual run has so many of them: the fastest of those measured had 2,250."""
TOO_FEW = 0.2
"""Share of the usual number below which a flat distance says nothing: G may not have begun to learn."""
FEW_STEPS = 400
"""Moves of both players together, below which it is too early for a diagnosis."""
SETTLED = -0.1
"""Change of the distance over the last third of the rounds above which samples have settled, where few images were
seen."""
IMPROVING = -0.15
"""Change below which they are still getting better, however many were seen. Noise must not explain it."""
COPIES = 0.5
"""Nearest-neighbor distance (1: as unseen real examples) below which samples are copies."""
REAL_EXAMPLES = {"d_sees_real": 1.0, "d_sees_fake": 0.0, "d_sees_both": 1.0, "d_sees_mixture": 0.5, "g_fools_d": 0.0}
"""Batches of real examples that a move shows D. A move of a user's own counts as one."""


class Progress:
    """How far a run has come."""

    def __init__(self, signals: Signals):
        self._signals = signals

    @cached_property
    def seen(self) -> int:
        """Examples that this run has seen: real ones shown to D, or generated ones that G learned from, if more."""
        moves = self._signals.story.recipe.get("round") or ()
        real = sum(REAL_EXAMPLES.get(move, 1.0) if isinstance(move, str) else 1.0 for move in moves)
        generated = sum(move == "g_fools_d" or not isinstance(move, str) for move in moves)
        batch = self._signals.story.recipe.get("batch") or 0
        return int(self._signals.story.round * batch * max(real, generated, 1.0))

    @cached_property
    def usual(self) -> int:
        """How many a usual run of such data sees until its samples settle: each one at least once."""
        signals = self._signals
        baseline: dict[str, Any] = signals.story.real_baseline or {}
        if signals.target_errors is not None:
            number = USUAL_OF_ONE_PATTERN
        else:
            number = USUAL_IMAGES if self.of_images else USUAL_VECTORS
        batch = signals.story.recipe.get("batch") or 0
        return max(number, USUAL_BATCHES * batch, baseline.get("examples") or 0)

    @property
    def of_images(self) -> bool:
        """Whether examples are images."""
        return bool(np.isfinite(self._signals.real("roughness")))

    @property
    def few(self) -> bool:
        """Whether this run has seen fewer than a usual one."""
        return self.seen < self.usual

    @property
    def too_few(self) -> bool:
        """Whether it is too early to say anything, whatever the samples are like."""
        return self.seen < TOO_FEW * self.usual or self._signals.steps < FEW_STEPS

    @property
    def improving(self) -> np.ndarray:
        """Members whose samples are getting nearer to the data, or may be while few examples were seen: bool `(P,)`."""
        signals = self._signals
        improving = signals.improving(IMPROVING)
        return improving | ~(signals.change > SETTLED) if self.few else improving

    @cached_property
    def early(self) -> np.ndarray:
        """Members of which more training may change everything, bool `(P,)`."""
        signals = self._signals
        if not signals.story.round:
            return np.zeros(signals.members, dtype=bool)
        copies = signals.latest("nearest-neighbor") < COPIES
        return (self.too_few | (self.improving & ~copies)) & ~signals.diverged

    @property
    def unfinished(self) -> np.ndarray:
        """Of those, the ones that are not good yet: it is too early to say what is wrong, bool `(P,)`."""
        return self.early & ~self._signals.good
