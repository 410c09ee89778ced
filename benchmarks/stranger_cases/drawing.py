"""Small pictures, signals and tables, drawn from nothing but what wheels ship: number i is always the same example."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

SUPERSAMPLING = 4
"""Shapes are drawn so many times larger, and scaled down: their edges are smooth then."""
Draw = Callable[[int, int], np.ndarray]
"""From a number and a side to a picture, uint8 `(side, side, 3)`."""


def tinted(number: int, side: int) -> np.ndarray:
    """One of scikit-learn's digits, enlarged, in one color on another."""
    rng = np.random.default_rng((1, number))
    digits = _digits()
    small = Image.fromarray((digits[number % len(digits)] * (255 / 16)).astype(np.uint8))
    ink = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))[..., None] / 255
    return _uint8(ink * rng.uniform(120, 255, 3) + (1 - ink) * rng.uniform(0, 80, 3))


def shapes(number: int, side: int) -> np.ndarray:
    """A disk, a ring, a square, a triangle or a cross in a strong color on a pale one."""
    rng = np.random.default_rng((2, number))
    size = side * SUPERSAMPLING
    picture = Image.new("RGB", (size, size), _color(rng.uniform(150, 255, 3)))
    pen, fill = ImageDraw.Draw(picture), _color(rng.uniform(0, 255, 3) * np.roll((1.0, 0.45, 0.2), rng.integers(3)))
    x, y = rng.uniform(0.4, 0.6, 2) * size
    r = rng.uniform(0.2, 0.34) * size
    kind = rng.integers(5)
    if kind < 2:
        pen.ellipse((x - r, y - r, x + r, y + r), fill if kind else None, fill, round(r / 3))
    elif kind == 2:
        pen.rectangle((x - r, y - r, x + r, y + r), fill)
    elif kind == 3:
        pen.polygon([(x, y - r), (x - r, y + r), (x + r, y + r)], fill)
    else:
        pen.rectangle((x - r, y - r / 3, x + r, y + r / 3), fill)
        pen.rectangle((x - r / 3, y - r, x + r / 3, y + r), fill)
    return np.asarray(picture.resize((side, side), Image.Resampling.BOX))


def textures(number: int, side: int) -> np.ndarray:
    """Woven stripes: two waves of any direction between two earthy colors."""
    rng = np.random.default_rng((3, number))
    across, down = np.meshgrid(*2 * [np.arange(side) / side])
    value = np.zeros((side, side))
    for _ in range(2):
        angle, waves, phase = rng.uniform(0, np.pi), rng.uniform(1, 4), rng.uniform(0, 2 * np.pi)
        value += np.sin(2 * np.pi * waves * (np.cos(angle) * across + np.sin(angle) * down) + phase)
    mixed = (np.clip(value, -1.5, 1.5) / 3 + 0.5)[..., None]
    dark, light = rng.uniform((30, 20, 0), (110, 80, 60)), rng.uniform((160, 140, 90), (255, 230, 190))
    return _uint8(mixed * light + (1 - mixed) * dark)


def photographs(number: int, side: int) -> np.ndarray:
    """A piece of one of scikit-learn's two photographs, a temple and a flower."""
    rng = np.random.default_rng((4, number))
    photograph = _photographs()[number % 2]
    height, width, _ = photograph.shape
    taken = 3 * side  # a third of the resolution: more is seen in so few pixels
    top, left = rng.integers(height - taken), rng.integers(width - taken)
    piece = Image.fromarray(photograph[top : top + taken, left : left + taken])
    return np.asarray(piece.resize((side, side), Image.Resampling.BOX))


KINDS: dict[str, Draw] = {"tinted": tinted, "shapes": shapes, "textures": textures, "photographs": photographs}


def waves(count: int, length: int, seed: int) -> np.ndarray:
    """Sine waves of two to five periods, float32 `(count, length)` in [0, 1]."""
    rng = np.random.default_rng((5, seed))
    periods, phase = rng.uniform(2, 5, (count, 1)), rng.uniform(0, 1, (count, 1))
    time = np.arange(length) / length
    return (0.5 + 0.4 * np.sin(2 * np.pi * (periods * time + phase))).astype(np.float32)


def pulses(count: int, length: int, seed: int) -> np.ndarray:
    """One bump of any place, width and height on a line, float32 `(count, length)` in [0, 1]."""
    rng = np.random.default_rng((6, seed))
    place, width, height = (rng.uniform(*ends, (count, 1)) for ends in ((0.2, 0.8), (0.03, 0.1), (0.4, 0.9)))
    return (height * np.exp(-(((np.arange(length) / length - place) / width) ** 2))).astype(np.float32)


def parabola(count: int, seed: int) -> np.ndarray:
    """Two columns, one the square of the other, float32 `(count, 2)`."""
    x = np.random.default_rng((7, seed)).uniform(-1, 1, count)
    return np.stack([x, x * x], 1).astype(np.float32)


def moons(count: int, seed: int) -> np.ndarray:
    """Two half circles that reach into each other, float32 `(count, 2)`."""
    rng = np.random.default_rng((8, seed))
    angle, second = rng.uniform(0, np.pi, count), rng.integers(0, 2, count)
    x = np.where(second, 1 - np.cos(angle), np.cos(angle)) - 0.5
    y = np.where(second, 0.5 - np.sin(angle), np.sin(angle)) - 0.25
    return (np.stack([x, y], 1) + rng.normal(0, 0.05, (count, 2))).astype(np.float32)


def clients(count: int, seed: int) -> np.ndarray:
    """Four columns of a shop's table as it was exported: age, yearly income, visits, share of returned goods."""
    rng = np.random.default_rng((9, seed))
    age = rng.uniform(20, 70, count)
    income = 20_000 + 900 * (age - 20) + rng.normal(0, 4_000, count)
    visits = np.maximum(0, 12 - age / 8 + rng.normal(0, 1.5, count))
    returned = np.clip(0.05 + 0.01 * visits + rng.normal(0, 0.02, count), 0, 1)
    return np.stack([age, income, visits, returned], 1).astype(np.float32)


def standardized(rows: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and standard deviation 1."""
    return (rows - rows.mean(0)) / rows.std(0)


@cache
def _digits() -> np.ndarray:
    from sklearn.datasets import load_digits

    return load_digits().images


@cache
def _photographs() -> list[np.ndarray]:
    from sklearn.datasets import load_sample_images

    return load_sample_images().images


def _color(rgb: np.ndarray) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in rgb)
    return red, green, blue


def _uint8(values: np.ndarray) -> np.ndarray:
    return np.clip(values, 0, 255).astype(np.uint8)
