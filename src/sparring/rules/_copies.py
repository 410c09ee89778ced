"""Whether samples are copies of training examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sparring.rules._signals import Signals

COPIES = 0.5
"""Nearest-neighbor distance (1: as unseen real examples) below which samples are copies."""


def copied(signals: Signals) -> np.ndarray:
    """Members whose samples are copies, bool `(P,)`: exact ones, or of few training images rough ones, too.

    Samples that differ little from their mean lie near to every training image, and are no copies of one.
    """
    exact = signals.latest("nearest-neighbor") < COPIES
    if not signals.has("copies", "diversity"):
        return exact
    varied = signals.latest("diversity") >= signals.healthy("diversity").low
    return exact | (varied & (signals.latest("copies") > signals.healthy("copies").high))
