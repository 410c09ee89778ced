"""How often each class occurs, and how different two such counts are."""

from __future__ import annotations

import numpy as np


def counts(classes: np.ndarray, total: int) -> np.ndarray:
    """How many of the class numbers `(n,)` are 0, 1, ... `total` - 1, int64 `(total,)`; negative ones do not count."""
    return np.bincount(classes[classes >= 0], minlength=total)


def divergence(fake: np.ndarray, real: np.ndarray) -> float:
    """KL(fake || real) in nats, from counts `(K,)`; infinite when nothing was counted.

    A class without a real example is given half an example, so that one odd image does not make it infinite.
    """
    if not fake.sum():
        return float("inf")
    p, q = fake / fake.sum(), np.maximum(real, 0.5) / np.maximum(real, 0.5).sum()
    present = p > 0
    return max(0.0, float((p[present] * np.log(p[present] / q[present])).sum()))
