"""How often each class occurs, and how far apart two such counts are."""

from __future__ import annotations

import numpy as np


def counts(classes: np.ndarray, total: int) -> np.ndarray:
    """How many of `(n,)` class numbers are 0, 1, ... `total` - 1; negative ones are left out."""
    return np.bincount(classes[classes >= 0], minlength=total)


def divergence(fake: np.ndarray, real: np.ndarray) -> float:
    """KL(fake || real) in nats, from counts `(K,)`; infinite when nothing was counted.

    A class that no real example shows is given half an example, so that one odd picture does not make it infinite.
    """
    if not fake.sum():
        return float("inf")
    p, q = fake / fake.sum(), np.maximum(real, 0.5) / np.maximum(real, 0.5).sum()
    seen = p > 0
    return max(0.0, float((p[seen] * np.log(p[seen] / q[seen])).sum()))
