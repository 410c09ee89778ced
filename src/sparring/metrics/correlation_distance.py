from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space


def correlations(rows: np.ndarray, min_sd: float = 0.0) -> np.ndarray:
    """Of every pair of columns, `(..., n, K)` -> `(..., K, K)`; 0 for a column of one number.

    A standard deviation below `min_sd` counts as that: what hardly varies then correlates with nothing.
    """
    apart = rows - rows.mean(-2, keepdims=True)
    sd = np.maximum(apart.std(-2, keepdims=True), min_sd)
    unit = np.where(sd > 0, apart / np.where(sd > 0, sd, 1.0), 0.0)
    return np.swapaxes(unit, -1, -2) @ unit / rows.shape[-2]


@final
@dataclass(frozen=True)
class CorrelationDistance(Metric):
    """Root mean square difference of the correlations of every two columns; of rows of numbers.

    It sees how columns go together, as far as that is linear, and nothing of how any one of them is distributed.
    """

    title: ClassVar[str] = "distance of correlations"
    unit: ClassVar[str] = "RMS difference of correlations"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, 2.0)
    healthy: ClassVar[Healthy] = Healthy(max_above=0.15, why="columns go together as in real examples")
    space: ClassVar[Space] = "pixels"
    source: ClassVar[str] = "our own: correlation matrices compared entry by entry"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "noise", "lost classes", "average")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 74
    demanding: ClassVar[bool] = True

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether examples are rows of several numbers."""
        return len(shape) == 1 and shape[0] > 1

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        pairs = np.triu_indices(real.shape[-1], 1)
        apart = correlations(fake)[:, *pairs] - correlations(real)[pairs]
        return np.sqrt((apart**2).mean(-1))
