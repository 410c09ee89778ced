from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space


def distances(real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """The Wasserstein distance of order 1 of each column, in standard deviations of the real one.

    Args:
        real: `(N, K)`.
        fake: `(P, n, K)`.

    Returns:
        `(P, K)`; a column of one number counts in its own unit.
    """
    levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
    sd = real.std(0)
    # In one dimension the cheapest transport keeps the order: the mean difference of quantiles.
    apart = np.abs(np.quantile(fake, levels, axis=1) - np.quantile(real, levels, axis=0)[:, None])
    return apart.mean(0) / np.where(sd > 0, sd, 1.0)


QUANTILES = 200


@final
@dataclass(frozen=True)
class ColumnDistance(Metric):
    """How far the numbers in each column are from the real ones, averaged over columns; of rows of numbers.

    It sees one column at a time and nothing of how columns go together.
    """

    title: ClassVar[str] = "distance of columns"
    unit: ClassVar[str] = "Wasserstein distance, in SD of the real column"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    healthy: ClassVar[Healthy] = Healthy(max_above=0.15, why="each column is distributed as in real examples")
    space: ClassVar[Space] = "pixels"
    source: ClassVar[str] = "Ramdas et al., On Wasserstein two-sample testing, Entropy 2017, equation 12, with p = 1"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "noise", "shift", "average")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 72
    demanding: ClassVar[bool] = True

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether examples are rows of numbers."""
        return len(shape) == 1

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        return distances(real, fake).mean(-1)
