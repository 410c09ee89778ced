from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Metric, Through
from sparring.metrics._neighbors import distances, parts, radii

SOURCE = "Naeem et al., Reliable fidelity and diversity metrics for generative models, ICML 2020"


@final
@dataclass(frozen=True)
class Density(Metric):
    """How densely real examples lie about generated ones, over k: fidelity that one odd real example cannot buy.

    1 is expected of real data; a generator that keeps to the crowded middle has more.
    """

    neighbors: int = 5
    """k of the paper."""

    title: ClassVar[str] = "density"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    through: ClassVar[Through] = "features"
    source: ClassVar[str] = SOURCE
    catches: ClassVar[tuple[Fault, ...]] = ("noise", "shift")

    def of(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        reach = radii(real, self.neighbors)[:, None]
        held = [[(distances(real, f[part]) < reach).sum(0) for part in parts(len(f), len(real))] for f in fake]
        return np.array([np.concatenate(member).mean() / self.neighbors for member in held])


@final
@dataclass(frozen=True)
class Coverage(Metric):
    """Share of real examples that have a generated one as near as their k-th real neighbor: variety.

    Expected of real data: 1 - 2^-k, 0.97 for k = 5.
    """

    neighbors: int = 5
    """k of the paper."""

    title: ClassVar[str] = "coverage"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    through: ClassVar[Through] = "features"
    source: ClassVar[str] = SOURCE
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "noise", "shift", "lost classes")

    def of(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        reach = radii(real, self.neighbors)
        near = [[distances(real[part], f).min(1) for part in parts(len(real), len(f))] for f in fake]
        return np.array([(np.concatenate(member) < reach).mean() for member in near])
