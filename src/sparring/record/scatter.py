"""Points in the plane as a small picture: the real modes as rings, what a generator made as dots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from PIL import Image, ImageDraw

SIDE = 224
"""Pixels of the picture, across and down."""
FINER = 3
"""Drawn this many times larger and shrunk, for smooth edges."""
DOT, LEAST_RING, SIGMAS = 1.5, 4.0, 3.0
"""Radii: of a dot and of the smallest ring in pixels, and of a ring in standard deviations."""
PAPER, FRAME, AXIS, RING, INSIDE, ASTRAY = "#ffffff", "#c8c8c8", "#eeeeee", "#404040", "#0072b2", "#d55e00"


class Landmarks(Protocol):
    """What to draw the points against, and how far the picture reaches."""

    @property
    def centers(self) -> Sequence[tuple[float, float]]: ...
    @property
    def sd(self) -> float: ...
    @property
    def reach(self) -> float: ...


def scatter(points: np.ndarray, modes: Landmarks) -> Image.Image:
    """`(N, 2)` points, x to the right and y upwards. One beyond the picture lies on its rim, in another color.

    Points that are not finite are left out.
    """
    side = SIDE * FINER
    canvas = Image.new("RGB", (side, side), PAPER)
    draw = ImageDraw.Draw(canvas)
    middle = side / 2
    draw.line([(middle, 0), (middle, side)], AXIS, FINER)
    draw.line([(0, middle), (side, middle)], AXIS, FINER)
    finite = points[np.isfinite(points).all(1)]
    farthest = np.abs(finite).max(axis=1)
    dot = DOT * FINER
    for (x, y), far in zip(_pixels(finite, modes.reach), farthest.tolist(), strict=True):
        draw.ellipse([x - dot, y - dot, x + dot, y + dot], fill=ASTRAY if far > modes.reach else INSIDE)
    # Over the dots: where these are many, a ring below would not be seen.
    ring = max(LEAST_RING * FINER, SIGMAS * modes.sd / modes.reach * middle)
    for center in modes.centers:
        x, y = _pixels(np.array([center]), modes.reach)[0]
        draw.ellipse([x - ring, y - ring, x + ring, y + ring], outline=RING, width=FINER)
    draw.rectangle([0, 0, side - 1, side - 1], outline=FRAME, width=FINER)
    return canvas.resize((SIDE, SIDE), Image.Resampling.BOX)


def _pixels(points: np.ndarray, reach: float) -> list[tuple[float, float]]:
    """Where points lie on the large canvas, those beyond the picture moved to its rim."""
    side = SIDE * FINER
    margin = (DOT + 1) * FINER
    placed = (points * (1, -1) / reach + 1) * side / 2
    return [(float(x), float(y)) for x, y in placed.clip(margin, side - 1 - margin)]
