from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Metric, Through
from sparring.metrics._neighbors import distances, parts, radii

SOURCE = "Kynkäänniemi et al., Improved precision and recall metric, NeurIPS 2019, eq. 1 and 2"


@final
@dataclass(frozen=True)
class Precision(Metric):
    """Share of generated examples that lie where real ones lie: fidelity.

    Where real ones lie is the union of balls about them, each as wide as the way to the k-th neighbor. Blind to
    collapse; a single odd real example makes one large ball.
    """

    neighbors: int = 3
    """k of the paper."""

    title: ClassVar[str] = "precision"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    through: ClassVar[Through] = "features"
    source: ClassVar[str] = SOURCE
    catches: ClassVar[tuple[Fault, ...]] = ("noise", "shift")

    def of(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        reach = radii(real, self.neighbors)[:, None]
        held = [[(distances(real, f[part]) < reach).any(0) for part in parts(len(f), len(real))] for f in fake]
        return np.array([np.concatenate(member).mean() for member in held])


@final
@dataclass(frozen=True)
class Recall(Metric):
    """Share of real examples that lie where generated ones lie: variety. Noise that is spread wide can raise it."""

    neighbors: int = 3
    """k of the paper."""

    title: ClassVar[str] = "recall"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    through: ClassVar[Through] = "features"
    source: ClassVar[str] = SOURCE
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "lost classes")

    def of(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        figures: list[float] = []
        for member in fake:
            reach = radii(member, self.neighbors)
            held = [(distances(real[part], member) < reach).any(1) for part in parts(len(real), len(member))]
            figures.append(float(np.concatenate(held).mean()))
        return np.array(figures)
