"""Whether images are pixel art, by what can be measured: pixels that are enlarged, or few colors with hard edges.

Pixel art is resized by picking pixels: a filter that smooths gives it colors and edges that it does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAX_COLORS = 64
"""Colors that an image of few has at most."""
MAX_SHARE = 0.2
"""Colors, as a share of the pixels that differ from the one to the left or above: gradients and smoothed edges, which
are nearly all of a photograph or of a smoothed letter, take a color of their own for every second such pixel."""
SOFT = 8
"""Levels that neighboring pixels differ by at most where the edge between them is soft."""
MAX_SOFT = 0.1
"""Share of soft edges among all, for hard ones."""
JUMP = 18
"""Levels that two pixels with one between them differ by at least, for this one to tell of what lies between."""
MAX_BLENDED = 0.5
"""Share of such pixels between that are of a color between, which few are where edges are hard and gradients coarse."""
MIN_IMAGES = 0.4
"""Share of the images with anything in them that few colors and hard edges make pixel art of."""
MIN_ENLARGED = 0.9
"""The same for enlarged pixels, which a few drawn shapes seem to have."""
SMALLEST = 4
"""Pixels that an enlarged image has at least along either side."""


@dataclass(frozen=True)
class PixelArt:
    """What was found. Not pixel art by default."""

    why: str = ""
    """What makes it pixel art, in words; empty where it is none."""
    enlarged: int = 1
    """Pixels of a file that one pixel of the art is along either side."""


@dataclass(frozen=True)
class Grain:
    """What one image shows."""

    flat: bool = False
    """Whether it has only one color."""
    block: int = 1
    """Side of the largest squares of one color that the image is made of; 1 where pixels are not enlarged."""
    hard: bool = False
    """Whether it has few colors and hard edges."""


def grain_of(pixels: np.ndarray) -> Grain:
    """What an image uint8 `(H, W, C)` shows."""
    height, width = pixels.shape[:2]
    across, down = (pixels[:, 1:] != pixels[:, :-1]).any(2), (pixels[1:] != pixels[:-1]).any(2)
    edges = [*(np.flatnonzero(across.any(0)) + 1), *(np.flatnonzero(down.any(1)) + 1)]
    if not edges:
        return Grain(flat=True)
    block = int(np.gcd.reduce([height, width, *edges]))
    if min(height, width) < SMALLEST * block:
        block = 1
    return Grain(False, block, _is_hard(pixels[::block, ::block]))


def found_in(grains: Sequence[Grain]) -> PixelArt:
    """What some images show together; those of one color show nothing."""
    telling = [grain for grain in grains if not grain.flat]
    if not telling:
        return PixelArt()
    for block in sorted({grain.block for grain in telling} - {1}, reverse=True):
        share = np.mean([grain.block % block == 0 for grain in telling])
        if share >= MIN_ENLARGED:
            return PixelArt(f"the pixels of {share:.0%} of the images are enlarged {block} times", block)
    share = np.mean([grain.hard for grain in telling])
    if share >= MIN_IMAGES:
        return PixelArt(f"{share:.0%} of the images have few colors and hard edges")
    return PixelArt()


def _is_hard(pixels: np.ndarray) -> bool:
    levels = pixels.astype(np.int16)
    across, down = (np.abs(np.diff(levels, axis=axis)).max(2) for axis in (1, 0))
    differs = np.zeros(pixels.shape[:2], bool)
    differs[:, 1:] |= across > 0
    differs[1:] |= down > 0
    colors = len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0))
    if colors > min(MAX_COLORS, MAX_SHARE * differs.sum()):
        return False
    steps = np.concatenate([across[across > 0], down[down > 0]])
    return bool((steps <= SOFT).mean() <= MAX_SOFT) and _blended(levels) <= MAX_BLENDED


def _blended(levels: np.ndarray) -> float:
    """The share of pixels with a color between those on either side, among those where these differ much."""
    between, all_ = 0, 0
    for first, middle, last in (
        (levels[:, :-2], levels[:, 1:-1], levels[:, 2:]),
        (levels[:-2], levels[1:-1], levels[2:]),
    ):
        much = np.abs(last - first).max(2) >= JUMP
        low, high = np.minimum(first, last), np.maximum(first, last)
        inside = (low <= middle) & (middle <= high)
        other = (middle != first).any(2) & (middle != last).any(2)
        between += int((much & inside.all(2) & other).sum())
        all_ += int(much.sum())
    return between / all_ if all_ else 0.0
