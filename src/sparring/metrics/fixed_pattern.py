from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space

AROUND = 5
"""Side of a pixel's surroundings, in pixels: flaws of up to half of their area stand out, and two rows at a border."""
SURE = 3.0
"""Standard errors of the difference of two means that are left out: so much may come from the choice of examples."""
ENOUGH = 16
"""Images on either side without which a mean image says nothing."""
FEW = 32
"""Different images below which their own variance is not believed alone."""
COMPARED, NEAR = 256, 0.5
"""Images of which it is counted how many differ, and the share of the distance between real neighbors that counts as
the same image."""


@final
@dataclass(frozen=True)
class FixedPattern(Metric):
    """How much the mean sample differs from the mean real image at one pixel, and not around it: share of the range.

    What a pixel's surroundings, the median of 5 x 5 pixels, differ by is taken off, so that more of one class or
    another brightness are no flaws. 0 where nothing stands out by more than three standard errors, and with fewer than
    16 images on either side, of which it says nothing. A corner that no D sees, a dead pixel or a watermark stand out;
    what single images have does not, as it comes at another place in each.
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
        if min(len(real), fake.shape[1]) < ENOUGH:
            return np.zeros(len(fake))
        real = _seen(real)
        near = NEAR * float(np.median(_distances(real).min(1)))
        theirs = _Mean.of(real, near)
        return np.array([_flaw(theirs, _Mean.of(_seen(each), near)) for each in fake])

    def leave_one_out(self, real: np.ndarray, count: int) -> float:
        """One half of the examples beside the other."""
        half = max(1, len(real) // 2)
        return float(self(real[:half], real[None, -half:])[0])


@dataclass(frozen=True)
class _Mean:
    """The mean image of some."""

    mean: np.ndarray
    """`(C, H, W)`."""
    variance: np.ndarray
    """Of each pixel over the images, `(C, H, W)`."""
    count: float
    """How many different images it rests on: of a collapsed G, a few that come again and again."""

    @classmethod
    def of(cls, images: np.ndarray, near: float) -> _Mean:
        """Of `(n, C, H, W)`, of which those that are nearer to each other than `near` count as the same."""
        same = float((_distances(images) < near).mean())
        count = min(len(images), 1 / same) if same else len(images)
        return cls(images.mean(0, dtype=np.float64), images.var(0, dtype=np.float64), count)


def _seen(images: np.ndarray) -> np.ndarray:
    """Images `(n, C, H, W)` with their colors as far as alpha, where they have it, shows them."""
    return images if images.shape[1] != 4 else np.concatenate([images[:, :3] * images[:, 3:], images[:, 3:]], 1)


def _distances(images: np.ndarray) -> np.ndarray:
    """Between the first images, `(k, k)`; infinite from one to itself."""
    some = images[:COMPARED].reshape(min(len(images), COMPARED), -1)
    square = (some**2).sum(1)
    apart = np.maximum(square[:, None] + square - 2 * some @ some.T, 0)
    np.fill_diagonal(apart, np.inf)
    return np.sqrt(apart)


def _flaw(real: _Mean, fake: _Mean) -> float:
    """The largest difference of two mean images at one pixel."""
    from scipy.ndimage import median_filter

    apart = fake.mean - real.mean
    around = np.stack([median_filter(channel, size=AROUND, mode="mirror") for channel in apart])
    # A few samples may agree at a pixel where real images differ: their own variance says nothing there.
    variance = fake.variance if fake.count >= FEW else np.maximum(fake.variance, real.variance)
    error = np.sqrt(real.variance / real.count + variance / fake.count)
    return float(np.maximum(np.abs(apart - around) - SURE * error, 0).max())
