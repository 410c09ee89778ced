from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._columns import places
from sparring.metrics.correlation_distance import correlations

MANY = 512
"""Columns that are compared with one another, at most: of longer rows as many, evenly spaced."""
AT_ONCE = 2**22
"""How many numbers of members are in memory at once."""
FEW = 8
"""Rows that must differ from the others in a column: where fewer do, single ones make it go together with others."""


def by_pair(real: np.ndarray, fake: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How differently the two columns go together of which that is most.

    Args:
        real: `(N, K)`.
        fake: `(P, n, K)`.

    Returns:
        The difference of their correlations, `(P,)`, and which two columns they are, int `(P, 2)`.
    """
    chosen = np.unique(np.linspace(0, real.shape[1] - 1, min(real.shape[1], MANY)).round().astype(int))
    real, fake = real[:, chosen], fake[..., chosen]
    width = len(chosen)
    usual, apart, which = _go_together(real, real), np.empty(len(fake)), np.empty((len(fake), 2), int)
    step = max(1, AT_ONCE // (2 * width * max(2 * width, fake.shape[1])))
    for some in (slice(start, start + step) for start in range(0, len(fake), step)):
        differs = np.abs(_go_together(real, fake[some]) - usual)
        by_columns = differs.reshape(-1, 2, width, 2, width).max((1, 3))
        by_columns[:, np.arange(width), np.arange(width)] = 0  # a column with itself
        apart[some] = by_columns.max((1, 2))
        flat = by_columns.reshape(len(by_columns), -1)
        which[some] = np.sort(chosen[np.stack(divmod(flat.argmax(1), width), -1)], -1)
    return apart, which


def _go_together(real: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Correlations of the columns of rows `(..., n, K)`, as they are and folded: `(..., 2 K, 2 K)`."""
    share = min(FEW / rows.shape[-2], 0.5)
    return correlations(_with_folded(real, rows), 0.5 * float(np.sqrt(share * (1 - share))))


def _with_folded(real: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Places of numbers among the real ones, and how far from the middle these are: `(..., K)` -> `(..., 2 K)`."""
    placed = places(real, rows)
    return np.concatenate([placed, np.abs(placed - 0.5)], -1)


@final
@dataclass(frozen=True)
class FarthestPair(Metric):
    """The largest difference between the correlations of any two columns; of rows of numbers.

    What is correlated is the place of each number among the real ones of its column (its rank: heavy tails count no
    more than others), and how far from the middle that place is: so it sees that one column is the square of another,
    or has its sign. Of rows of more than 512 numbers as many are compared, evenly spaced.
    """

    title: ClassVar[str] = "farthest pair of columns"
    short: ClassVar[str] = "farthest pair"
    unit: ClassVar[str] = "largest difference of rank correlations"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, 2.0)
    healthy: ClassVar[Healthy] = Healthy(max_above=0.2, why="any two columns go together as in real examples")
    space: ClassVar[Space] = "pixels"
    source: ClassVar[str] = "Spearman, Am. J. Psychology 1904: correlations of ranks; the largest difference is our own"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "noise", "lost classes", "average")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 75
    demanding: ClassVar[bool] = True

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether examples are rows of several numbers."""
        return len(shape) == 1 and shape[0] > 1

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        return by_pair(real, fake)[0]
