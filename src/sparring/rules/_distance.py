"""How far samples are from real data during training, and how that changed lately."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Distance:
    """How far samples are from real data during training."""

    name: str
    rounds: np.ndarray
    """`(T,)`."""
    measured: np.ndarray
    """`(T, P)`."""
    floor: float = 0.0
    """What real data has, or what is near enough: below it, samples count as equally near."""
    goal: float = np.nan
    """At which value samples may be good; NaN where the distance does not tell."""
    below_floor: bool = False
    """Whether samples may improve below the floor, which is that of a few held-out examples."""

    @cached_property
    def values(self) -> np.ndarray:
        """`(T, P)`, at least the floor."""
        return np.maximum(self.measured, self.floor)


@dataclass(frozen=True)
class Trend:
    """How the logarithm of the distance changed over the last third of the rounds, by a least-squares line."""

    evaluations: int
    """How many evaluations there were in that part."""
    change: np.ndarray
    """`(P,)`; NaN with fewer than two evaluations."""
    error: np.ndarray
    """Its standard error, `(P,)`: from the residuals of the line, or with two evaluations from the members' spread."""
    as_real: np.ndarray
    """Members whose samples were as near as real data in all of that part, and may have improved, bool `(P,)`."""
