"""Small pictures for the new cases, gray and in color: number i of a kind is always the same picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sparring.datasets.folder import Folder
from stranger_cases.data import HELD_OUT, SPAN, drawn_once

Draw = Callable[[int, int], np.ndarray]
"""From a number and a side to values of 0 to 255, `(side, side)` where it is gray, else `(side, side, 3)`."""

GRAIN = 12
"""Standard deviation of the grain that cameras and scanners leave, of 255 levels."""


@dataclass(frozen=True)
class Album:
    """A folder of new pictures, which is drawn when it is first needed."""

    kind: str
    """One of `ALBUMS`."""
    count: int
    side: int
    copies: int = 1
    """Files of each picture, all the same."""

    def make(self, root: Path) -> Path:
        """Draw it below `root`, unless it is there, and return its path."""
        copied = f"-times-{self.copies}" if self.copies > 1 else ""
        folder = root / f"{self.kind}-{self.side}-{self.count}{copied}"
        count = self.count * self.copies
        return drawn_once(folder, count, lambda number: drawing_of(self.kind, number % self.count, self.side))

    def data(self, root: Path, span: tuple[float, float] = SPAN) -> Folder:
        """As a recipe has it."""
        return Folder(str(self.make(root)), span=span)

    def others(self, count: int, begin: int = 0) -> np.ndarray:
        """Held-out ones of the same kind, float32 `(count, 1 or 3, side, side)` in [0, 1]."""
        drawn = [drawing_of(self.kind, HELD_OUT + begin + number, self.side) for number in range(count)]
        stacked = np.stack(drawn).reshape(count, self.side, self.side, -1)
        return stacked.transpose(0, 3, 1, 2).astype(np.float32) / 255


def drawing_of(kind: str, number: int, side: int) -> np.ndarray:
    """A picture of a kind, uint8."""
    return np.clip(ALBUMS[kind](number, side).round(), 0, 255).astype(np.uint8)


def clouds(number: int, side: int) -> np.ndarray:
    """Gray: an overcast sky, rougher or calmer."""
    rng = np.random.default_rng((11, number))
    return 127 + rng.uniform(35, 55) * _smooth(rng.normal(size=(side, side)), 0.6, 0.6) + _grain(rng, side)


def charts(number: int, side: int) -> np.ndarray:
    """Gray: a chart of bars two pixels wide, bright on black, with a black margin of one pixel."""
    rng = np.random.default_rng((12, number))
    inner = side - 2
    heights, floor = np.repeat(rng.uniform(0.1, 0.9, inner // 2), 2) * inner, np.arange(inner)[::-1, None]
    drawn = 20 + np.pad(rng.uniform(150, 200) * np.clip(heights - floor, 0, 1), 1)
    return drawn + rng.normal(0, GRAIN / 2, drawn.shape)


def grass(number: int, side: int) -> np.ndarray:
    """Gray: blades that stand upright, on a lighter or darker ground."""
    rng = np.random.default_rng((13, number))
    return rng.normal(115, 20) + 45 * _smooth(rng.normal(size=(side, side)), 0.75, 0.4) + _grain(rng, side)


def quilts(number: int, side: int) -> np.ndarray:
    """In color: patches of two pixels, each between a quilt's warm color and its cold one."""
    rng = np.random.default_rng((14, number))
    warm, cold = rng.uniform((200, 110, 40), (250, 170, 90)), rng.uniform((20, 60, 120), (70, 120, 190))
    share = np.kron(rng.beta(0.6, 0.6, (side // 2, side // 2)), np.ones((2, 2)))[..., None]
    # The weave; without it, the pictures are pixel art of half the side, and are trained as such.
    return share * warm + (1 - share) * cold + rng.normal(0, GRAIN, (side, side, 1))


def marbles(number: int, side: int) -> np.ndarray:
    """In color: veins of a warm stone in a cold one."""
    rng = np.random.default_rng((15, number))
    warm, cold = rng.uniform((190, 120, 90), (240, 180, 140)), rng.uniform((30, 50, 70), (80, 100, 150))
    share = 0.5 + 0.25 * _smooth(rng.normal(size=(side, side)), 0.5, 0.5)[..., None]
    return share * warm + (1 - share) * cold + rng.normal(0, GRAIN, (side, side, 3))


ALBUMS: dict[str, Draw] = {"clouds": clouds, "charts": charts, "grass": grass, "quilts": quilts, "marbles": marbles}


def _grain(rng: np.random.Generator, side: int) -> np.ndarray:
    """Grain of a gray picture."""
    return rng.normal(0, GRAIN, (side, side))


def _smooth(noise: np.ndarray, down: float, across: float) -> np.ndarray:
    """White noise through Gaussian filters of so many pixels, which wrap around; its variance stays 1."""
    for axis, width in enumerate((down, across)):
        kept = np.exp(-2 * (np.pi * width * np.fft.fftfreq(noise.shape[axis])) ** 2)
        kept /= np.sqrt((kept**2).mean())
        along = kept[:, None] if axis == 0 else kept[None, :]
        noise = np.fft.ifft(np.fft.fft(noise, axis=axis) * along, axis=axis).real
    return noise
