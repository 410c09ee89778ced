"""Settings that change over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from sparring.members import at_most, cosine

if TYPE_CHECKING:
    from sparring.members import Number

Course = Literal["linear", "cosine"]


def moved(start: Number, end: Number, share: Number, course: Course = "cosine") -> Number:
    """From `start` at `share` 0 to `end` at `share` 1, and constant from then on.

    The cosine starts and ends with slope 0: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm
    restarts", ICLR 2017, eq. 5.
    """
    share = at_most(share, 1.0)
    if course == "cosine":
        share = (1 - cosine(np.pi * share)) / 2
    return start + (end - start) * share


def refuse_no_share(**shares: float) -> None:
    """Raises ValueError, naming the field, unless each is a fraction of the run in (0, 1]."""
    for name, share in shares.items():
        if not 0 < share <= 1:
            raise ValueError(f"{name} is a fraction of the run in (0, 1], not {share}")
