"""A scatter plot of points in the plane: the real modes as rings, generated points as dots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from PIL import Image, ImageDraw

SIDE = 224
"""Width and height of the picture, in pixels."""
OVERSAMPLING = 3
"""The picture is drawn this many times larger and shrunk, for smooth edges."""
DOT, MIN_RING, SIGMAS = 1.5, 4.0, 3.0
"""Radii: of a dot and of the smallest ring in pixels, and of a ring in standard deviations."""
BACKGROUND, FRAME, AXIS, RING, INSIDE, OUTSIDE = "#ffffff", "#c8c8c8", "#eeeeee", "#404040", "#0072b2", "#d55e00"


class Landmarks(Protocol):
    """The modes of the real data, and the range that the picture shows."""

    @property
    def centers(self) -> Sequence[tuple[float, float]]: ...
    @property
    def sd(self) -> float: ...
    @property
    def reach(self) -> float: ...


def scatter(points: np.ndarray, modes: Landmarks) -> Image.Image:
    """Draw points `(N, 2)`, x to the right and y upwards.

    A point beyond the picture is drawn on its edge in another color; one that is not finite is left out.
    """
    side = SIDE * OVERSAMPLING
    canvas = Image.new("RGB", (side, side), BACKGROUND)
    draw = ImageDraw.Draw(canvas)
    middle = side / 2
    draw.line([(middle, 0), (middle, side)], AXIS, OVERSAMPLING)
    draw.line([(0, middle), (side, middle)], AXIS, OVERSAMPLING)
    finite = points[np.isfinite(points).all(1)]
    farthest = np.abs(finite).max(axis=1)
    dot = DOT * OVERSAMPLING
    for (x, y), far in zip(_pixels(finite, modes.reach), farthest.tolist(), strict=True):
        draw.ellipse([x - dot, y - dot, x + dot, y + dot], fill=OUTSIDE if far > modes.reach else INSIDE)
    # Over the dots: where there are many, a ring below them would be hidden.
    ring = max(MIN_RING * OVERSAMPLING, SIGMAS * modes.sd / modes.reach * middle)
    for center in modes.centers:
        x, y = _pixels(np.array([center]), modes.reach)[0]
        draw.ellipse([x - ring, y - ring, x + ring, y + ring], outline=RING, width=OVERSAMPLING)
    draw.rectangle([0, 0, side - 1, side - 1], outline=FRAME, width=OVERSAMPLING)
    return canvas.resize((SIDE, SIDE), Image.Resampling.BOX)


def _pixels(points: np.ndarray, reach: float) -> list[tuple[float, float]]:
    """Places of points on the large canvas; those beyond the picture are moved to its edge."""
    side = SIDE * OVERSAMPLING
    margin = (DOT + 1) * OVERSAMPLING
    placed = (points * (1, -1) / reach + 1) * side / 2
    return [(float(x), float(y)) for x, y in placed.clip(margin, side - 1 - margin)]
