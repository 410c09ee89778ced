from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space


@final
@dataclass(frozen=True)
class Roughness(Metric):
    """Mean difference of neighboring pixels, as a ratio to that in held-out real images.

    Noise has several times the roughness of real images, blur a fraction of it.
    """

    title: ClassVar[str] = "roughness"
    unit: ClassVar[str] = "change per pixel, real = 1"
    better: ClassVar[Better] = "as-real"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    healthy: ClassVar[Healthy] = Healthy(
        min_ratio=0.7, max_ratio=1.4, why="neighboring pixels differ as much as in real images"
    )
    space: ClassVar[Space] = "examples"
    source: ClassVar[str] = "our own: anisotropic total variation per pixel (Rudin, Osher and Fatemi, Physica D, 1992)"
    catches: ClassVar[tuple[Fault, ...]] = ("noise", "average")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 90
    relative: ClassVar[bool] = True
    single_precision: ClassVar[bool] = True
    min_examples: ClassVar[int] = 1

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether examples are images with more than one pixel."""
        return len(shape) == 3 and max(shape[-2:]) > 1

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        # (P, n, C, H, W): across and down.
        steps = [np.abs(np.diff(fake, axis=axis)).reshape(len(fake), -1) for axis in (-1, -2)]
        return np.concatenate(steps, 1).mean(1, dtype=np.float64)
