from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._spectrum import LEVEL, frequencies, power

FINE = 0.25
"""Periods per pixel from which on detail is fine: of the higher half of all frequencies."""


@final
@dataclass(frozen=True)
class Sharpness(Metric):
    """How much fine detail there is, as a ratio to that in held-out real images, and at most 1.

    The power of the higher half of all frequencies. More of it than in real images is no merit, and no fault here:
    roughness tells noise.
    """

    title: ClassVar[str] = "sharpness"
    unit: ClassVar[str] = "fine detail, at most real's = 1"
    better: ClassVar[Better] = "as-real"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(
        min_ratio=0.3, max_ratio=1.0, why="at least three tenths of the fine detail of real images"
    )
    space: ClassVar[Space] = "examples"
    source: ClassVar[str] = "our own: power above a quarter of the sampling rate"
    catches: ClassVar[tuple[Fault, ...]] = ("blur", "average")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 94
    linear: ClassVar[bool] = True
    relative: ClassVar[bool] = True
    single_precision: ClassVar[bool] = True
    min_examples: ClassVar[int] = 1

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether examples are images with more than a few pixels."""
        return len(shape) == 3 and min(shape[-2:]) >= 8

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        fine = frequencies(*fake.shape[-2:]) >= FINE
        # Noise of one gray level is added: what is finer than that is not seen.
        return np.array([(power(member)[fine] + LEVEL**2).mean() for member in fake])

    def leave_one_out(self, real: np.ndarray, count: int) -> float:
        """Of all real examples: there is nothing to leave out."""
        return float(self(real, real[None])[0])

    def ratio(self, values: np.ndarray, real: float) -> np.ndarray:
        return np.minimum(values / real, 1.0)
