"""Tables, points, signals and small gray pictures of the cases in `new_rows.py`: the same ones each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sparring.datasets.folder import Folder
from stranger_cases.data import HELD_OUT, ROW_KINDS, SPAN, Rows, drawn_once

Gray = Callable[[np.random.Generator, int], np.ndarray]
"""From random numbers and a side to a picture, floats `(side, side)` in [0, 1]."""
ORDERS_MEAN, ORDERS_SD = np.array([41.3, 2.99, 8.8, 0.3, 15.0]), np.array([34.0, 1.7, 7.0, 0.46, 5.2])
"""Of many rows, as the shop has them."""


# Points and tables.


def spiral(count: int, seed: int) -> np.ndarray:
    """Points along one and a half turns of a spiral, a little off it, float32 `(count, 2)`."""
    rng = np.random.default_rng((21, seed))
    angle = 3 * np.pi * np.sqrt(rng.uniform(0.04, 1, count))
    arm = np.stack([angle * np.cos(angle), angle * np.sin(angle)], 1) / (2 * np.pi)
    return (arm + rng.normal(0, 0.04, arm.shape)).astype(np.float32)


def clusters(count: int, seed: int) -> np.ndarray:
    """Five clusters of different weights and widths in three columns, float32 `(count, 3)`."""
    rng = np.random.default_rng((22, seed))
    kind = rng.choice(5, count, p=(0.35, 0.25, 0.18, 0.13, 0.09))
    centers = np.array([(-1.2, 0, 0.4), (1.1, -0.9, -0.3), (0.9, 1.2, 0.8), (-0.7, 1.3, -1.1), (0.1, -1.4, 1.2)])
    widths = np.array([0.25, 0.15, 0.2, 0.12, 0.18])
    return (centers[kind] + widths[kind, None] * rng.normal(size=(count, 3))).astype(np.float32)


def orders(count: int, seed: int) -> np.ndarray:
    """A shop's orders in five standardized columns, float32 `(count, 5)`: two are skewed, and two are whole numbers.

    Amount, items, minutes on the site, whether the client is new, and the hour of the day.
    """
    rng = np.random.default_rng((23, seed))
    new = rng.random(count) < 0.3
    items = 1 + rng.poisson(np.where(new, 0.8, 2.5))
    amount = items * np.exp(rng.normal(2.5, 0.5, count))
    minutes = rng.gamma(2.0, 2.0 + 0.8 * items)
    hour = np.where(rng.random(count) < 0.4, rng.normal(9, 1.5, count), rng.normal(19, 2, count))
    columns = np.stack([amount, items, minutes, new, hour], 1)
    return ((columns - ORDERS_MEAN) / ORDERS_SD).astype(np.float32)


# Signals.


def heartbeats(count: int, seed: int) -> np.ndarray:
    """One beat of a heart as a sensor on the chest draws it, 48 numbers: five bumps whose places and heights vary."""
    rng = np.random.default_rng((24, seed))
    time, late = np.arange(48) / 48, rng.normal(0, 0.02, (count, 1))
    signal = np.zeros((count, 48))
    for place, width, height in ((0.2, 0.04, 0.15), (0.36, 0.02, -0.12), (0.41, 0.025, 1.0), (0.46, 0.02, -0.2)):
        heights = height * rng.uniform(0.7, 1.1, (count, 1))
        signal += heights * np.exp(-(((time - place - late) / width) ** 2) / 2)
    t_wave = rng.uniform(0.62, 0.78, (count, 1))
    return (signal + rng.uniform(0.15, 0.4, (count, 1)) * np.exp(-(((time - t_wave) / 0.06) ** 2) / 2)).astype(
        np.float32
    )


def strikes(count: int, seed: int) -> np.ndarray:
    """What is left of a strike on metal in 32 numbers: an oscillation of any phase that dies away."""
    rng = np.random.default_rng((25, seed))
    time = np.arange(32) / 32
    periods, phase, lasting = (rng.uniform(*ends, (count, 1)) for ends in ((2, 3.5), (0, 1), (0.2, 0.6)))
    return (np.exp(-time / lasting) * np.cos(2 * np.pi * (periods * time + phase))).astype(np.float32)


ROW_KINDS.update({kind.__name__: kind for kind in (spiral, clusters, orders, heartbeats, strikes)})


# Gray pictures.


def _soft(distance: np.ndarray, edge: float = 0.8) -> np.ndarray:
    """1 inside, where a distance in pixels is negative, 0 outside, with an edge that wide."""
    return 1 / (1 + np.exp(np.clip(4 * distance / edge, -50, 50)))


def icons(rng: np.random.Generator, side: int) -> np.ndarray:
    """A bright disk, bar, ring or cross on black, slightly out of the middle."""
    down, across = np.mgrid[:side, :side] - (side - 1) / 2 - rng.uniform(-0.6, 0.6, (2, 1, 1))
    r, from_middle = side * rng.uniform(0.26, 0.36), np.hypot(down, across)
    upright = np.maximum(abs(across) - r / 3, abs(down) - r)
    flat = np.maximum(abs(down) - r / 3, abs(across) - r)
    shapes = (from_middle - r, upright, abs(from_middle - r) - 0.7, np.minimum(upright, flat))
    return rng.uniform(0.6, 1) * _soft(shapes[rng.integers(4)], 1.5)


def pips(rng: np.random.Generator, side: int) -> np.ndarray:
    """The upper face of a die: one to six dark pips on a light ground."""
    near, far, mid = 0.24, 0.76, 0.5
    pairs = (((near, near), (far, far)), ((near, far), (far, near)), ((mid, near), (mid, far)))
    eyes = rng.integers(1, 7)
    places = [place for pair in pairs[: eyes // 2] for place in pair] + [(mid, mid)] * (eyes % 2)
    down, across = np.mgrid[:side, :side] - rng.uniform(-0.5, 0.5, (2, 1, 1))
    dark = sum(_soft(np.hypot(down - y * (side - 1), across - x * (side - 1)) - side / 9) for y, x in places)
    return rng.uniform(0.7, 1) * (1 - 0.85 * np.clip(dark, 0, 1))


def stamps(rng: np.random.Generator, side: int) -> np.ndarray:
    """A frame, white or nearly so, two pixels wide, around a hill at dusk: a dark sky, a bright ground, and a moon."""
    down, across = np.mgrid[:side, :side] / (side - 1)
    hill = 0.65 - rng.uniform(0.05, 0.2) * np.cos(2 * np.pi * (across - rng.uniform()))
    picture = rng.uniform(0, 0.2) + rng.uniform(0.3, 0.6) * _soft((hill - down) * side)
    moon = np.hypot(down - 0.32, across - rng.uniform(0.3, 0.7)) * side - 1.2
    picture = np.maximum(picture, 0.9 * _soft(moon))
    white = rng.uniform(0.75, 1)
    picture[:2], picture[-2:], picture[:, :2], picture[:, -2:] = white, white, white, white
    return picture


GRAY_KINDS: dict[str, Gray] = {"icons": icons, "pips": pips, "stamps": stamps}


@dataclass(frozen=True)
class GrayPictures:
    """A folder of gray pictures that is drawn when it is first needed."""

    kind: str
    """One of `GRAY_KINDS`."""
    count: int
    side: int

    def drawn(self, number: int) -> np.ndarray:
        """Picture of that number, uint8 `(side, side)`."""
        rng = np.random.default_rng((26, list(GRAY_KINDS).index(self.kind), number))
        return np.round(255 * GRAY_KINDS[self.kind](rng, self.side)).astype(np.uint8)

    def make(self, root: Path) -> Path:
        """Draw it below `root`, unless it is there, and return its path."""
        return drawn_once(root / f"{self.kind}-{self.side}-{self.count}", self.count, self.drawn)

    def data(self, root: Path, span: tuple[float, float] = SPAN) -> Folder:
        """As a recipe has it."""
        return Folder(str(self.make(root)), span=span)

    def others(self, count: int, begin: int = 0) -> np.ndarray:
        """Held-out ones of the same kind, float32 `(count, 1, side, side)` in [0, 1]."""
        drawn = [self.drawn(HELD_OUT + begin + number) for number in range(count)]
        return np.stack(drawn)[:, None].astype(np.float32) / 255


def rows(kind: str) -> Rows:
    """A table, points or signals: one of those above."""
    return Rows(kind)
