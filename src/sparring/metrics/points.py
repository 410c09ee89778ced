from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._frequencies import counts, divergence

RING = tuple((float(np.cos(a)), float(np.sin(a))) for a in 2 * np.pi * np.arange(8) / 8)
REACH = 3.0
"""Standard deviations from a mode's center within which a point is of high quality."""


def modes_of(
    points: np.ndarray, centers: tuple[tuple[float, ...], ...], sd: float, per_axis: bool = False
) -> np.ndarray:
    """The nearest mode of each of `(..., D)` points where it lies within REACH, else -1; int64 `(...)`."""
    away = np.abs(points[..., None, :] - np.array(centers)) / sd  # (..., K, D)
    mode = (away**2).sum(-1).argmin(-1)
    mine = np.take_along_axis(away, mode[..., None, None], -2)[..., 0, :]
    far = mine.max(-1) if per_axis else np.sqrt((mine**2).sum(-1))
    return np.where(far <= REACH, mode, -1)


@final
@dataclass(frozen=True)
class HighQuality(Metric):
    """Share of points within three standard deviations of the nearest mode, by Mahalanobis distance.

    In the plane real data scores 1 - exp(-9/2) = 0.989.
    """

    centers: tuple[tuple[float, ...], ...] = RING
    """Centers of the modes, in data units."""
    sd: float = 0.01
    """Standard deviation of every mode along each axis, in data units."""

    title: ClassVar[str] = "high quality (distance)"
    short: ClassVar[str] = "high quality"
    unit: ClassVar[str] = "share within 3 SD of a mode"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(min_ratio=0.9, why="samples lie on the modes")
    space: ClassVar[Space] = "coordinates"
    source: ClassVar[str] = "Srivastava et al., VEEGAN, NeurIPS 2017: the 2-D experiments"
    catches: ClassVar[tuple[Fault, ...]] = ("noise", "shift")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 40
    headline: ClassVar[bool] = True
    linear: ClassVar[bool] = True

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        return (modes_of(fake, self.centers, self.sd) >= 0).mean(-1)


@final
@dataclass(frozen=True)
class HighQualityPerAxis(Metric):
    """Share of points within three standard deviations of the nearest mode along each axis: the other rule in use.

    In the plane real data scores 0.9973^2 = 0.995. Values by one rule are not comparable with values by the other.
    """

    centers: tuple[tuple[float, ...], ...] = RING
    """Centers of the modes, in data units."""
    sd: float = 0.01
    """Standard deviation of every mode along each axis, in data units."""

    title: ClassVar[str] = "high quality (per axis)"
    unit: ClassVar[str] = "share within 3 SD of a mode along each axis"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(min_ratio=0.9, why="samples lie on the modes")
    space: ClassVar[Space] = "coordinates"
    source: ClassVar[str] = "Srivastava et al., VEEGAN, NeurIPS 2017, with a square in place of the circle"
    catches: ClassVar[tuple[Fault, ...]] = ("noise", "shift")
    linear: ClassVar[bool] = True

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        return (modes_of(fake, self.centers, self.sd, per_axis=True) >= 0).mean(-1)


@final
@dataclass(frozen=True)
class ReachedModes(Metric):
    """How many modes have at least one point of high quality (by distance)."""

    centers: tuple[tuple[float, ...], ...] = RING
    """Centers of the modes, in data units."""
    sd: float = 0.01
    """Standard deviation of every mode along each axis, in data units."""

    title: ClassVar[str] = "modes reached"
    unit: ClassVar[str] = "of the modes of the data"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    healthy: ClassVar[Healthy] = Healthy(min_ratio=0.97, why="every mode is generated")
    variety: ClassVar[Healthy | None] = Healthy(min_ratio=0.9)
    space: ClassVar[Space] = "coordinates"
    source: ClassVar[str] = "Srivastava et al., VEEGAN, NeurIPS 2017: the 2-D experiments"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "shift", "lost classes")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 30
    headline: ClassVar[bool] = True
    linear: ClassVar[bool] = True

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        reached = modes_of(fake, self.centers, self.sd)
        return np.array([len(np.unique(member[member >= 0])) for member in reached], dtype=np.float64)


@final
@dataclass(frozen=True)
class ModeDivergence(Metric):
    """How unevenly points of high quality are spread over the modes compared with real ones: KL(fake || real) in nats.

    Infinite when no point is of high quality.
    """

    centers: tuple[tuple[float, ...], ...] = RING
    """Centers of the modes, in data units."""
    sd: float = 0.01
    """Standard deviation of every mode along each axis, in data units."""

    title: ClassVar[str] = "mode divergence (KL)"
    short: ClassVar[str] = "mode divergence"
    unit: ClassVar[str] = "KL from the data's, nats"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    healthy: ClassVar[Healthy] = Healthy(max_above=0.25, why="in nats: no mode is far too rare")
    variety: ClassVar[Healthy | None] = Healthy(max_above=0.35)
    space: ClassVar[Space] = "coordinates"
    source: ClassVar[str] = "Lin et al., PacGAN, NeurIPS 2018: the 2-D experiments"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "shift", "lost classes")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 60

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        total = len(self.centers)
        expected = counts(modes_of(real, self.centers, self.sd), total)
        reached = modes_of(fake, self.centers, self.sd)
        return np.array([divergence(counts(member, total), expected) for member in reached])
