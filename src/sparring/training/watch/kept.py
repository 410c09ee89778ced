"""The real examples of which a run keeps copies, and what is known of those of a few numbers."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from sparring.training.watch.moments import Mean
from sparring.training.watch.recent import Recent

KEPT, KEPT_GIVEN, KEPT_NUMBERS = 2_048, 2**17, 2**24
"""Real examples that D was given of which a run keeps a copy, at most; the same of the data where these are at hand, so
that no round stands still for more than a moment; and how many numbers they may have together."""


class Kept:
    """Copies of the first real examples of one shape `(...)`, which are those of what G makes at a time."""

    def __init__(self, shape: tuple[int, ...] = ()) -> None:
        self.shape = shape
        fit = KEPT_NUMBERS // max(1, int(np.prod(shape)))
        self.max_given = min(KEPT_GIVEN, fit)
        """How many are kept at most where the data itself is at hand: copies are searched for among these."""
        self.max_count = min(KEPT, fit)
        """How many are kept at most of those that D is given."""
        self.examples: list[np.ndarray] = []
        """Of each batch those that are kept, `(n, ...)`; none any more once the run has written them."""
        self._count = 0
        self.recent, self.mean = Recent(), Mean()
        """Where what D is given changes, the last of it; and of all examples of a few numbers, their mean."""

    def add(self, x: Tensor) -> None:
        """A batch `(B, ...)` of this shape."""
        self.mean.add(x)
        room = self.max_count - self._count
        if room > 0:
            self.examples.append(x.detach()[:room].float().cpu().numpy().copy())
            self._count += len(self.examples[-1])

    @property
    def is_complete(self) -> bool:
        """Whether no more real examples are kept."""
        return self._count >= self.max_count
