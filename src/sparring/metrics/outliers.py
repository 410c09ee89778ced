from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space

TAIL = 0.01
"""Share of the real images on either side that limits leave out: one blank image among them moves no limit."""
CONTRAST = 3.0
"""Times the contrast of the richest and the faintest real images from which on an image is unlike any."""
STRUCTURE = 0.5
"""Share of the structure of the least structured real images below which an image is unlike any; noise has 0."""
LEVEL = 1 / 255
"""One level of gray, in data units: contrast below that of it is rounding."""
ENOUGH = 50
"""Images on either side without which nothing is known of tails, and one sample is more than a fiftieth."""
SMALLEST = 8
"""Side of an image, in pixels, below which the structure of noise varies too much to tell it."""
AT_ONCE = 64
"""Images whose float64 copies are in memory at once."""


@final
@dataclass(frozen=True)
class Outliers(Metric):
    """Share of samples that are nearly blank, or noise, or of extreme contrast, as next to no real image is.

    Either number of an image says so: its contrast, the standard deviation of its pixels within each channel, is less
    than a third of that of the faintest real images or more than three times that of the richest; or its structure, 1
    less Geary's C, is less than half of that of the least structured. Of these, the 1 % at the very end do not count.
    With fewer than 50 images on either side it is 0, and says nothing. A wrong image with usual numbers, as one upside
    down, is not counted.
    """

    title: ClassVar[str] = "outliers"
    unit: ClassVar[str] = "share of samples"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(max_above=0.02, why="no more blank images or noise than in the data")
    space: ClassVar[Space] = "examples"
    source: ClassVar[str] = "our own: fences (Tukey, 1977) about contrast and Geary's C of single images"
    catches: ClassVar[tuple[Fault, ...]] = ("noise",)
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 98
    linear: ClassVar[bool] = True
    demanding: ClassVar[bool] = True
    single_precision: ClassVar[bool] = True
    min_examples: ClassVar[int] = 1

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether examples are images that are large enough."""
        return len(shape) == 3 and min(shape[-2:]) >= SMALLEST

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        if min(len(real), fake.shape[1]) < ENOUGH:
            return np.zeros(len(fake))
        contrast, structure = _seen(real)
        faintest, richest = np.quantile(contrast, (TAIL, 1 - TAIL)) + LEVEL
        threshold = STRUCTURE * np.quantile(structure, TAIL)
        return np.array([_beyond(*_seen(each), (faintest, richest), threshold).mean() for each in fake])


def _seen(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Contrast and structure of each of `(n, C, H, W)`, each `(n,)`."""
    parts = [_numbers(images[start : start + AT_ONCE]) for start in range(0, len(images), AT_ONCE)]
    contrast, structure = zip(*parts, strict=True)
    return np.concatenate(contrast), np.concatenate(structure)


def _numbers(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same at once; with the colors as far as alpha, where images have it, shows them."""
    if images.shape[1] == 4:
        images = np.concatenate([images[:, :3] * images[:, 3:], images[:, 3:]], 1)
    variance = images.var(axis=(2, 3), dtype=np.float64).mean(1)
    pairs = [np.square(np.diff(images, axis=axis), dtype=np.float64).reshape(len(images), -1) for axis in (2, 3)]
    apart = np.concatenate(pairs, 1).mean(1)
    # Two independent pixels differ by twice the variance, squared and on average; a blank image counts as structured.
    return np.sqrt(variance), 1 - apart / (2 * (variance + LEVEL**2))


def _beyond(contrast: np.ndarray, structure: np.ndarray, usual: tuple[float, float], threshold: float) -> np.ndarray:
    """Which images lie beyond the usual contrasts, or have less structure than the threshold: bool `(n,)`."""
    faintest, richest = usual
    faint_or_garish = (contrast + LEVEL < faintest / CONTRAST) | (contrast + LEVEL > CONTRAST * richest)
    # Data that is noise itself has images without structure.
    return faint_or_garish | ((structure < threshold) & (threshold > 0))
