"""How far samples are from real data during training, and how that changed lately."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Distance:
    """How far samples are from real data during training."""

    name: str
    rounds: np.ndarray
    """`(T,)`."""
    values: np.ndarray
    """`(T, P)`."""
    goal: float = np.nan
    """At which value samples may be good; NaN where the distance does not tell."""


@dataclass(frozen=True)
class Trend:
    """How the logarithm of the distance changed over the last third of the rounds, by a least-squares line."""

    evaluations: int
    """How many evaluations there were in that part."""
    change: np.ndarray
    """`(P,)`; NaN with fewer than two evaluations."""
    error: np.ndarray
    """Its standard error, `(P,)`: from the residuals of the line, or with two evaluations from the members' spread."""
