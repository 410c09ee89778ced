from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space

HUES = np.array([[1.0, -1.0, 0.0], [1.0, 1.0, -2.0]]) / np.sqrt([[2.0], [6.0]])
"""Red against green, and yellow against blue: what is left of a color without its brightness."""
LEVEL = (1 / 255) ** 2
"""Variance of one level of a color, which is added so that gray data is compared too."""
MAX_PIXELS = 2**17
"""Of so many pixels, drawn once, colors are taken."""


@final
@dataclass(frozen=True)
class Colors(Metric):
    """How far the colors of samples are from those of the training data: squared, in units of the data's variance.

    The Fréchet distance between Gaussians that are fitted to the colors of all pixels; or that of hue and saturation
    alone (red against green, yellow against blue), if that is larger. For images with three channels, or with alpha as
    the fourth: colors then count as far as they are visible, and alpha as one more.
    """

    title: ClassVar[str] = "color distance"
    unit: ClassVar[str] = "from the data's colors, in their variance"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    healthy: ClassVar[Healthy] = Healthy(
        max_above=0.2, why="mean, contrast and saturation of each color as in the data"
    )
    space: ClassVar[Space] = "examples"
    source: ClassVar[str] = "our own: the Fréchet distance (Dowson and Landau, 1982) between the colors of pixels"
    catches: ClassVar[tuple[Fault, ...]] = ("colors", "shift")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 96
    single_precision: ClassVar[bool] = True
    min_examples: ClassVar[int] = 1

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether examples are images with three channels, or with alpha too."""
        return len(shape) == 3 and shape[0] in (3, 4)

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        theirs, channels = _pixels(real), real.shape[1]
        seen = (np.eye(channels), np.pad(HUES, ((0, 0), (0, channels - 3))))
        return np.array([max(_distance(theirs @ a.T, _pixels(each) @ a.T) for a in seen) for each in fake])

    def leave_one_out(self, real: np.ndarray, count: int) -> float:
        """One half of the examples beside the other."""
        half = max(1, len(real) // 2)
        return float(self(real[:half], real[None, -half:])[0])


def _pixels(images: np.ndarray) -> np.ndarray:
    """`(n, C, H, W)` -> float64 `(pixels, C)`; where C is 4, what is seen of the colors, and alpha."""
    flat = np.moveaxis(images, 1, -1).reshape(-1, images.shape[1])
    if len(flat) > MAX_PIXELS:
        flat = flat[np.random.default_rng(0).integers(len(flat), size=MAX_PIXELS)]
    colors = flat.astype(np.float64)
    if colors.shape[1] == 4:
        colors[:, :3] *= colors[:, 3:]
    return colors


def _distance(real: np.ndarray, fake: np.ndarray) -> float:
    """The Fréchet distance between two sets of colors `(pixels, D)`, divided by the variance of the first."""
    ours, theirs = (np.cov(colors, rowvar=False) + LEVEL * np.eye(colors.shape[1]) for colors in (fake, real))
    values, vectors = np.linalg.eigh(theirs)
    root = (vectors * np.sqrt(values)) @ vectors.T
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(root @ ours @ root), 0, None)).sum()
    apart = ((real.mean(0) - fake.mean(0)) ** 2).sum() + np.trace(ours) + np.trace(theirs) - 2 * shared
    return max(0.0, float(apart / np.trace(theirs)))
