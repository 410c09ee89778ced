"""What a training's chores have found so far. Watchers read it, and so do later chores."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from sparring.record.story import CURVES

RECENT_POINTS = 100
"""Curve points that `recent_means` averages: a single round's value is noise at small batches."""


def _recent() -> deque[dict[str, Tensor]]:
    return deque(maxlen=RECENT_POINTS)


@dataclass
class Latest:
    """The newest results of one training session; empty at its beginning."""

    curves: dict[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    """The last logged point of each curve, `(P,)`."""
    recent: deque[dict[str, Tensor]] = field(default_factory=_recent)
    """The last RECENT_POINTS points of the curves, `(P,)` each, on the device that trains."""
    picture: np.ndarray | None = None
    """What the generators make of the grid's latent vectors, `(P, N, *shape)` in data units."""
    metrics: dict[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    """What the last evaluation measured, `(P,)` each."""
    evaluated: int = 0
    """The round of the last evaluation."""
    real_baseline: Mapping[str, float] = field(default_factory=dict[str, float])
    """What real data scores in these metrics."""
    diverged: set[int] = field(default_factory=set[int])
    """Members whose losses are no longer finite."""

    def forget(self) -> None:
        """What was found in rounds that the run was taken back from counts no more."""
        self.curves, self.metrics, self.evaluated, self.picture = {}, {}, 0, None
        self.recent.clear()
        self.diverged.clear()

    def recent_means(self) -> dict[str, np.ndarray]:
        """Each curve's mean over its recent points, `(P,)`. It is fetched from the device when called."""
        points = {name: [each[name] for each in self.recent if name in each] for name in CURVES}
        return {name: torch.stack(some).mean(0).cpu().numpy() for name, some in points.items() if some}
