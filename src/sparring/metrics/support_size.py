from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space

PAIRS = 10
"""How many pairs of real examples count as duplicates: few, and enough not to depend on one pair."""


@final
@dataclass(frozen=True)
class SupportSize(Metric):
    """About how many different examples a generator can make, by the birthday paradox: pairs over duplicate pairs.

    Two examples are duplicates when they are at least as near as the ten nearest pairs of as many real examples. So n
    examples can show a support of up to n^2 / 2, and real data scores about n^2 / 20, however large its support is:
    compare with what real data scores.
    """

    title: ClassVar[str] = "support size"
    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "different examples"
    range: ClassVar[tuple[float, float]] = (1.0, float("inf"))
    healthy: ClassVar[Healthy] = Healthy(min_ratio=0.5, why="duplicates are about as rare as among real examples")
    space: ClassVar[Space] = "pixels"
    source: ClassVar[str] = "after the birthday paradox test of Arora, Risteski and Zhang, ICLR 2018"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse",)

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        from scipy.spatial.distance import pdist

        apart = pdist(real)
        same = np.quantile(apart, PAIRS / len(apart))
        return np.array([_pairs(fake.shape[1]) / max(1, (pdist(member) <= same).sum()) for member in fake])


def _pairs(count: int) -> float:
    return count * (count - 1) / 2
