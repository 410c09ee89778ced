from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space

AT_ONCE = 256
"""Samples that are compared with one another, at most. Among more, neighbors lie nearer, and more rows of whole numbers
are the same: so shares of different numbers of samples are comparable."""
NEAREST = 0.1
"""Quantile of the distances to the nearest other example that stands for examples that lie near."""
COLUMNS = 4_096
"""Numbers of each example that are in memory at once in double precision."""


@final
@dataclass(frozen=True)
class Repeats(Metric):
    """Share of samples that are all but the same as another sample of the same generator.

    A sample repeats another one if they lie nearer than `nearer` times the distance to the nearest other one that a
    tenth of real examples are within, among as many. That a tenth of the samples themselves are within counts where it
    is less, as it is where they are dense, but not the same. Up to 256 samples are compared at a time. Data that has
    the same example several times, as a table of whole numbers, has repeats itself.
    """

    nearer: float = 0.1
    """Share of the usual distance to a near neighbor, below which two samples are the same."""

    title: ClassVar[str] = "repeated samples"
    short: ClassVar[str] = "repeats"
    unit: ClassVar[str] = "share of samples"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    max_real: ClassVar[float] = 0.05  # where more of them repeat, two draws differ by as much as the bound
    healthy: ClassVar[Healthy] = Healthy(max_above=0.04, why="no more samples are the same than real examples are")
    space: ClassVar[Space] = "examples"
    source: ClassVar[str] = "our own: the distance to the nearest other sample, as a share of that of real examples"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse",)
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 82
    linear: ClassVar[bool] = True
    demanding: ClassVar[bool] = True
    single_precision: ClassVar[bool] = True

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        count = fake.shape[1]
        parts = -(-count // min(AT_ONCE, len(real)))
        size = -(-count // parts)
        middle = real.reshape(len(real), -1).mean(0)  # far from 0, numbers near one another would lose their digits
        usual = _usual(_to_nearest(real[:size].reshape(size, -1) - middle))
        # Samples may come in an order, as four times the same 250.
        order = np.random.default_rng(0).permutation(count) if parts > 1 else np.arange(count)
        return np.array([self._share(member[order].reshape(count, -1) - middle, parts, usual) for member in fake])

    def _share(self, samples: np.ndarray, parts: int, usual: float) -> float:
        """Of samples `(n, D)`, compared in so many parts."""
        away = np.concatenate([_to_nearest(part) for part in np.array_split(samples, parts)])
        own = _usual(away[away > self.nearer * usual])
        return float((away <= self.nearer * min(usual, own or usual)).mean())


def _to_nearest(examples: np.ndarray) -> np.ndarray:
    """From each of `(n, D)` to the nearest of the others, `(n,)`."""
    import torch

    # In single precision, points of one narrow mode could lie nearer than what is the same.
    rows, products = torch.from_numpy(examples), torch.zeros(len(examples), len(examples), dtype=torch.float64)
    for part in rows.split(COLUMNS, 1):
        products.addmm_(part.double(), part.double().T)
    squares = products.diagonal()
    away = (squares - 2 * products).fill_diagonal_(torch.inf)  # the squared distance, less the example's own square
    # Differences of large numbers leave a remainder; measured again, what is the same comes out at 0.
    return (rows - rows[away.argmin(1)]).norm(dim=1).double().numpy()


def _usual(away: np.ndarray) -> float:
    """The distance that a tenth of those that differ from their nearest neighbor are within; 0 if none differs."""
    apart = away[away > 0]
    return float(np.quantile(apart, NEAREST)) if len(apart) else 0.0
