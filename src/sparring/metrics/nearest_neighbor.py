from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._neighbors import nearest


@final
@dataclass(frozen=True)
class NearestNeighbor(Metric):
    """Median distance to the nearest training example, as a ratio to that of held-out real examples.

    Copies have 0. Evaluations search a subset of a large training set, so copies of other examples are not found.
    """

    title: ClassVar[str] = "nearest-neighbor distance to the training set"
    short: ClassVar[str] = "nearest-neighbor distance"
    unit: ClassVar[str] = "to the training set, held out = 1"
    better: ClassVar[Better] = "as-real"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    healthy: ClassVar[Healthy] = Healthy(
        min_ratio=0.5, max_ratio=1.9, why="neither copies of training examples nor far from all"
    )
    space: ClassVar[Space] = "examples"
    source: ClassVar[str] = "our own: Euclidean nearest neighbors among training examples"
    catches: ClassVar[tuple[Fault, ...]] = ("copying", "noise", "shift")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 110
    relative: ClassVar[bool] = True
    searches: ClassVar[bool] = True
    single_precision: ClassVar[bool] = True
    min_examples: ClassVar[int] = 1

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        members, count = fake.shape[:2]
        away = nearest(fake.reshape(members * count, -1), real.reshape(len(real), -1))
        return np.median(away.reshape(members, count), axis=1)

    def leave_one_out(self, real: np.ndarray, count: int) -> float:
        flat = real.reshape(len(real), -1)
        few = flat[:count]
        return float(np.median(nearest(few, flat, own=np.arange(len(few)))))
