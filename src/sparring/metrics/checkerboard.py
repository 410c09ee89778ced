from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._spectrum import pattern, power

PERIODS = (2, 4)
"""In pixels: of a transposed convolution with stride 2, and of one followed by another."""
NEAR = 2
"""How many steps of the spectrum away the frequencies lie that those of the patterns are compared with."""
MIN_SIDE = 16
"""Smaller images have too few frequencies to compare with."""


@final
@dataclass(frozen=True)
class Checkerboard(Metric):
    """How far patterns of 2 and of 4 pixels stand out of the spectrum, as a ratio to that in held-out real images.

    The power at each frequency of such a pattern, divided by that of the frequencies beside it: the geometric mean over
    them. Noise is as strong at all frequencies and does not count. For images with a side of 16 pixels or more.
    """

    title: ClassVar[str] = "checkerboard"
    unit: ClassVar[str] = "patterns of 2 and 4 pixels, real = 1"
    better: ClassVar[Better] = "as-real"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    healthy: ClassVar[Healthy] = Healthy(
        max_ratio=1.5, why="patterns of 2 and 4 pixels are no stronger than in real images"
    )
    space: ClassVar[Space] = "examples"
    source: ClassVar[str] = "our own, after Odena et al., Deconvolution and checkerboard artifacts, Distill, 2016"
    catches: ClassVar[tuple[Fault, ...]] = ("checkerboard",)
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 92
    relative: ClassVar[bool] = True
    single_precision: ClassVar[bool] = True
    min_examples: ClassVar[int] = 1

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether examples are images that are large enough."""
        return len(shape) == 3 and min(shape[-2:]) >= MIN_SIDE

    def leave_one_out(self, real: np.ndarray, count: int) -> float:
        """Of all real examples: there is nothing to leave out."""
        return float(self(real, real[None])[0])

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        return np.array(
            [np.exp(np.mean([_prominence(each, period) for period in PERIODS])) for each in map(_spectrum, fake)]
        )


def _spectrum(images: np.ndarray) -> np.ndarray:
    """Of `(n, C, H, W)`, cropped to a multiple of the longest period, with one level of gray added everywhere."""
    height, width = (side - side % max(PERIODS) for side in images.shape[-2:])
    return power(images[..., :height, :width]) + pattern(height, width)


def _prominence(spectrum: np.ndarray, period: int) -> float:
    """The mean logarithm of how much stronger the frequencies of a pattern are than those around them."""
    height, width = spectrum.shape
    logs = np.log(spectrum)
    found: list[float] = []
    for down in range(period):
        for across in range(period):
            if down or across:
                row, column = down * height // period, across * width // period
                around = [logs[(row + i) % height, (column + j) % width] for i, j in _RING]
                found.append(float(logs[row, column] - np.mean(around)))
    return float(np.mean(found))


_RING = [(i, j) for i in range(-NEAR, NEAR + 1) for j in range(-NEAR, NEAR + 1) if max(abs(i), abs(j)) == NEAR]
"""Steps to the frequencies around one."""
