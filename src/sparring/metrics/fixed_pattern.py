from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space

AROUND = 5
"""Side of a pixel's surroundings, in pixels: flaws of up to half of their area stand out, and two rows at a border."""
SURE = 3.0
"""Standard errors of the difference of two means that are left out: so much may come from the choice of examples."""


@final
@dataclass(frozen=True)
class FixedPattern(Metric):
    """How much the mean sample differs from the mean real image at one pixel, and not around it: share of the range.

    What a pixel's surroundings, the median of 5 x 5 pixels, differ by is taken off, so that more of one class or
    another brightness are no flaws. 0 where nothing stands out by more than three standard errors. A corner that no D
    sees, a dead pixel or a watermark stand out; what single images have does not, as it comes at another place in each.
    """

    title: ClassVar[str] = "fixed pattern"
    unit: ClassVar[str] = "difference of mean images at one pixel, of the range"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, 2.0)
    healthy: ClassVar[Healthy] = Healthy(max_above=0.2, why="no flaw that is at the same place in all samples")
    space: ClassVar[Space] = "examples"
    source: ClassVar[str] = "our own: the mean image, less the median of its surroundings (Tukey, 1977)"
    catches: ClassVar[tuple[Fault, ...]] = ("fixed pattern",)
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 97
    single_precision: ClassVar[bool] = True
    min_examples: ClassVar[int] = 1

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether examples are images with room for a pixel's surroundings."""
        return len(shape) == 3 and min(shape[-2:]) >= AROUND

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        mean, variance = _moments(real)
        return np.array([_flaw(mean, variance / len(real), *_of_samples(each)) for each in fake])

    def leave_one_out(self, real: np.ndarray, count: int) -> float:
        """One half of the examples beside the other."""
        half = max(1, len(real) // 2)
        return float(self(real[:half], real[None, -half:])[0])


def _of_samples(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, variance = _moments(images)
    return mean, variance / len(images)


def _moments(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of `(n, C, H, W)` the mean and the variance of each pixel, `(C, H, W)`; of colors, as far as alpha shows them."""
    if images.shape[1] == 4:
        images = np.concatenate([images[:, :3] * images[:, 3:], images[:, 3:]], 1)
    return images.mean(0, dtype=np.float64), images.var(0, dtype=np.float64)


def _flaw(real: np.ndarray, real_error: np.ndarray, fake: np.ndarray, fake_error: np.ndarray) -> float:
    """The largest difference of two mean images at one pixel; `*_error` are the squares of their standard errors."""
    from scipy.ndimage import median_filter

    apart = fake - real
    around = np.stack([median_filter(channel, size=AROUND, mode="mirror") for channel in apart])
    return float(np.maximum(np.abs(apart - around) - SURE * np.sqrt(real_error + fake_error), 0).max())
