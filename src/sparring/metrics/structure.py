from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space

FLAT = 1e-12
"""Variance below which an image is one color: it has neighbors that differ as little as any."""


@final
@dataclass(frozen=True)
class Structure(Metric):
    """How much more alike neighboring pixels are than any two pixels of the same image.

    1 less Geary's C: 1 where neighbors are the same, 0 where they have nothing to do with one another (noise, however
    faint or scattered), below 0 where they alternate. Roughness depends on contrast, and this does not.
    """

    title: ClassVar[str] = "structure"
    unit: ClassVar[str] = "how alike neighboring pixels are, noise = 0"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(min_ratio=0.4, why="neighboring pixels have to do with one another")
    space: ClassVar[Space] = "examples"
    source: ClassVar[str] = "Geary, The Incorporated Statistician 5(3), 1954: 1 - C over horizontal and vertical pairs"
    catches: ClassVar[tuple[Fault, ...]] = ("noise", "checkerboard")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 91
    linear: ClassVar[bool] = True
    min_real: ClassVar[float] = 0.2
    single_precision: ClassVar[bool] = True
    min_examples: ClassVar[int] = 1

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether examples are images with more than a few pixels."""
        return len(shape) == 3 and min(shape[-2:]) >= 4

    def leave_one_out(self, real: np.ndarray, count: int) -> float:
        """Of all real examples: there is nothing to leave out."""
        return float(self(real, real[None])[0])

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        return np.array([_structure(member) for member in fake])


def _structure(images: np.ndarray) -> float:
    """Of `(n, C, H, W)`, all pairs and pixels taken together."""
    pairs = [np.square(np.diff(images, axis=axis), dtype=np.float64).ravel() for axis in (-1, -2)]
    variance = float(images.var(axis=(-1, -2), dtype=np.float64).mean())
    # Two independent pixels differ by twice the variance, squared and on average.
    return 1.0 if variance < FLAT else float(np.clip(1 - np.concatenate(pairs).mean() / (2 * variance), -1, 1))
