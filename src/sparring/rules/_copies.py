"""Whether samples are copies of training examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sparring.rules._signals import Signals

COPIES = 0.5
"""Nearest-neighbor distance (1: as unseen real examples) below which samples are copies."""
SHARES = ("near-copies", "copies")
"""Metrics that say how many samples are copies: all but exact ones, and of few training images rough ones, too."""
MEASURED = "copying"
"""What a measurement, which searches all training examples, says of the same."""


def copied(signals: Signals) -> np.ndarray:
    """Members of whose samples most are exact copies, or more than among unseen examples are copies, bool `(P,)`."""
    return mostly(signals) | (shares(signals).max(0, initial=0.0) > 0)


def mostly(signals: Signals) -> np.ndarray:
    """Members of which at least half of the samples are exact copies, bool `(P,)`."""
    if not signals.has("nearest-neighbor"):
        return np.zeros(signals.members, bool)
    return signals.latest("nearest-neighbor") < COPIES


def is_measured(signals: Signals, name: str) -> bool:
    """Whether there is a measurement with this metric."""
    return signals.measured is not None and signals.measured.has(name)


def shares(signals: Signals) -> np.ndarray:
    """The share of copies by each metric that says more than it would of unseen examples, `(metrics, P)`; else 0.

    Samples that differ little from their mean lie near to every training image, and are no copies of one.
    """
    if not signals.has("diversity"):
        return np.zeros((0, signals.members))
    varied = signals.latest("diversity") >= signals.healthy("diversity").low
    known = [signals.quality(name) for name in (*SHARES, MEASURED) if signals.has(name) or is_measured(signals, name)]
    found = [np.where(varied & (values > healthy.high), values, 0.0) for values, healthy in known]
    return np.array(found).reshape(len(found), signals.members)
