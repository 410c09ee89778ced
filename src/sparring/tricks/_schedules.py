"""How a setting moves in the course of a run."""

from __future__ import annotations

from typing import Literal

import numpy as np

Course = Literal["linear", "cosine"]


def moved(start: float, end: float, share: float, course: Course = "cosine") -> float:
    """From `start`, where `share` of the way is 0, to `end`, where it is 1; beyond that it stays.

    The cosine leaves and arrives gently: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts",
    ICLR 2017, eq. 5.
    """
    share = np.minimum(1.0, share)
    if course == "cosine":
        share = (1 - np.cos(np.pi * share)) / 2
    return start + (end - start) * share


def refuse_no_share(**shares: float) -> None:
    """Raises ValueError, naming the field, for a share of the run that does not lie in (0, 1]."""
    for name, share in shares.items():
        if not 0 < share <= 1:
            raise ValueError(f"{name} is a share of the run, in (0, 1], not {share}")
