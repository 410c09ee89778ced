from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._neighbors import between_two


@final
@dataclass(frozen=True)
class Diversity(Metric):
    """Mean distance between two samples, as a ratio to that between two held-out real examples.

    0 where all samples are alike. Not defined for a generator whose latent vector is constant.
    """

    title: ClassVar[str] = "diversity"
    unit: ClassVar[str] = "distance of two samples, real = 1"
    better: ClassVar[Better] = "as-real"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    healthy: ClassVar[Healthy] = Healthy(
        min_ratio=0.75, max_ratio=1.3, why="samples differ from one another as much as real examples do"
    )
    variety: ClassVar[Healthy | None] = Healthy(min_ratio=0.6)
    space: ClassVar[Space] = "examples"
    source: ClassVar[str] = "our own: mean pairwise Euclidean distance of pixels or coordinates"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "noise", "average")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 80
    headline: ClassVar[bool] = True
    linear: ClassVar[bool] = True
    relative: ClassVar[bool] = True
    single_precision: ClassVar[bool] = True
    min_examples: ClassVar[int] = 2

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        return np.array([between_two(member) for member in fake.reshape(*fake.shape[:2], -1)])
