from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._neighbors import blocks


@final
@dataclass(frozen=True)
class KernelDistance(Metric):
    """Squared maximum mean discrepancy of features under a cubic polynomial kernel, unbiased.

    The kernel is (x.y / D + 1)^3. What real data scores lies around 0, and a little below as often as above, at every
    n. With Inception's features it is KID.
    """

    title: ClassVar[str] = "kernel distance"
    better: ClassVar[Better] = "lower"
    unit: ClassVar[str] = "to real features, lower is better"
    range: ClassVar[tuple[float, float]] = (-float("inf"), float("inf"))
    healthy: ClassVar[Healthy] = Healthy(max_above=0.4, why="with a judge's features, whose mean square is 1")
    space: ClassVar[Space] = "features"
    source: ClassVar[str] = "Binkowski et al., Demystifying MMD GANs, ICLR 2018: the kernel inception distance"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "noise", "shift", "lost classes")

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        within = _mean_within(real)
        return np.array([within + _mean_within(f) - 2 * _sum(real, f) / (len(real) * len(f)) for f in fake])


def _mean_within(x: np.ndarray) -> float:
    """Mean kernel of two different examples."""
    own = ((x * x).sum(1) / x.shape[1] + 1) ** 3
    return float((_sum(x, x) - own.sum()) / (len(x) * (len(x) - 1)))


def _sum(x: np.ndarray, y: np.ndarray) -> float:
    """Of the kernel over all pairs."""
    return float(sum(((x[block] @ y.T / x.shape[1] + 1) ** 3).sum() for block in blocks(len(x), len(y))))
