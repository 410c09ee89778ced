"""How far a metric would lie from its value with other samples of the same kind: the jackknife (Tukey, 1958)."""

from __future__ import annotations

import numpy as np

from sparring.metrics import Metric

GROUPS = 8
"""Samples are left out in so many groups, each in turn."""


def standard_errors(metric: Metric, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """The standard error of each member's value, `(P,)`, that comes from how few samples there are.

    Args:
        metric: The metric.
        real: Real examples in its space, `(N, D)`: the same ones, however often samples are drawn.
        fake: Generated examples of P members, `(P, n, D)`.

    Returns:
        Float64; NaN for a member that diverged, and where too few samples would be left.
    """
    groups = np.array_split(np.arange(fake.shape[1]), GROUPS)
    left = [np.delete(np.arange(fake.shape[1]), group) for group in groups]
    if min(len(rest) for rest in left) < metric.min_examples:
        return np.full(len(fake), np.nan)
    values = np.stack([metric(real, fake[:, rest]) for rest in left])
    return np.sqrt((GROUPS - 1) / GROUPS * ((values - values.mean(0)) ** 2).sum(0))
