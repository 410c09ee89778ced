from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._neighbors import blocks, distances, radii

SOURCE = "Kynkäänniemi et al., Improved precision and recall metric, NeurIPS 2019, eq. 1 and 2"


@final
@dataclass(frozen=True)
class Precision(Metric):
    """Share of generated examples that lie where real ones lie: fidelity.

    Where real examples lie is the union of balls around them, each with the distance to the k-th neighbor as its
    radius. Precision is blind to collapse, and a single real outlier makes one large ball.
    """

    neighbors: int = 3
    """k of the paper."""

    title: ClassVar[str] = "precision"
    unit: ClassVar[str] = "share of samples"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(min_ratio=0.5, why="most samples lie among real examples")
    of_rows: ClassVar[Healthy | None] = Healthy(min_ratio=0.85, why="nearly all samples lie among real examples")
    space: ClassVar[Space] = "features"
    source: ClassVar[str] = SOURCE
    catches: ClassVar[tuple[Fault, ...]] = ("noise", "shift")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 18
    linear: ClassVar[bool] = True
    demanding: ClassVar[bool] = True
    share: ClassVar[bool] = True
    min_real: ClassVar[float] = 0.6

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        reach = radii(real, self.neighbors)[:, None]
        inside = [[(distances(real, f[block]) < reach).any(0) for block in blocks(len(f), len(real))] for f in fake]
        return np.array([np.concatenate(member).mean() for member in inside])


@final
@dataclass(frozen=True)
class Recall(Metric):
    """Share of real examples that lie where generated ones lie: variety. Noise that is spread wide can raise it."""

    neighbors: int = 3
    """k of the paper."""

    title: ClassVar[str] = "recall"
    unit: ClassVar[str] = "share of real examples"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(min_ratio=0.75, why="most real examples lie among samples")
    variety: ClassVar[Healthy | None] = Healthy(min_ratio=0.25)
    space: ClassVar[Space] = "features"
    source: ClassVar[str] = SOURCE
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "lost classes")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 16
    linear: ClassVar[bool] = True
    demanding: ClassVar[bool] = True
    share: ClassVar[bool] = True
    min_real: ClassVar[float] = 0.6

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        values: list[float] = []
        for member in fake:
            reach = radii(member, self.neighbors)
            near = [(distances(real[block], member) < reach).any(1) for block in blocks(len(real), len(member))]
            values.append(float(np.concatenate(near).mean()))
        return np.array(values)
