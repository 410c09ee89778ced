from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._neighbors import blocks, distances, radii

SOURCE = "Naeem et al., Reliable fidelity and diversity metrics for generative models, ICML 2020"


@final
@dataclass(frozen=True)
class Density(Metric):
    """How densely real examples lie around generated ones, over k: fidelity that one real outlier cannot raise.

    1 is expected of real data; a generator that keeps to the dense middle of the data has more.
    """

    neighbors: int = 5
    """k of the paper."""

    title: ClassVar[str] = "density"
    unit: ClassVar[str] = "1 expected of real data"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    healthy: ClassVar[Healthy] = Healthy(min_ratio=0.75, why="most samples lie among real examples")
    space: ClassVar[Space] = "features"
    source: ClassVar[str] = SOURCE
    catches: ClassVar[tuple[Fault, ...]] = ("noise", "shift")

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        reach = radii(real, self.neighbors)[:, None]
        inside = [[(distances(real, f[block]) < reach).sum(0) for block in blocks(len(f), len(real))] for f in fake]
        return np.array([np.concatenate(member).mean() / self.neighbors for member in inside])


@final
@dataclass(frozen=True)
class Coverage(Metric):
    """Share of real examples that have a generated one as near as their k-th real neighbor: variety.

    Expected of real data: 1 - 2^-k, 0.97 for k = 5. Where examples repeat, their neighbors lie at no distance.
    """

    neighbors: int = 5
    """k of the paper."""

    title: ClassVar[str] = "coverage"
    unit: ClassVar[str] = "share of real examples"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(min_ratio=0.5, why="most real examples have a sample near them")
    space: ClassVar[Space] = "features"
    source: ClassVar[str] = SOURCE
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "noise", "shift", "lost classes")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 14
    linear: ClassVar[bool] = True
    demanding: ClassVar[bool] = True
    share: ClassVar[bool] = True
    min_real: ClassVar[float] = 0.75

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        reach = radii(real, self.neighbors)
        near = [[distances(real[block], f).min(1) for block in blocks(len(real), len(f))] for f in fake]
        return np.array([(np.concatenate(member) < reach).mean() for member in near])
