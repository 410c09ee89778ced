"""Scatter plots drawn with characters: samples as fine dots, the modes of the data as rings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

from sparring.datasets import Modes
from sparring.languages import Text as Said
from sparring.languages import said

COLUMNS, ROWS = 18, 9
"""Characters of one scatter plot; a character is twice as high as wide, and holds 2 x 4 dots."""
BRAILLE = 0x2800
BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The bit of each dot in a braille character, by row and column (Unicode, U+2800 to U+28FF)."""
RING = "○"
SIGMAS = 3.0
"""Standard deviations within which a point lies on a mode."""
GAP = 2
ON_MODE, OFF_MODE, EMPTY_MODE, DIM = Style(color="#56b4e9"), Style(color="#e69f00"), Style(dim=True), Style(dim=True)
"""Hues by Okabe and Ito, distinguishable with any color vision."""


class Scatters:
    """As many seeds as fit, side by side. `examples` are `(P, N, 2)`; those beyond the plot lie on its rim."""

    def __init__(self, examples: np.ndarray, modes: Modes, seeds: Sequence[Any], width: int):
        fitting = max(1, min(len(examples), (width + GAP) // (COLUMNS + GAP)))
        gap = Segment(" " * GAP)
        captions = [
            Segment(set_cell_size(caption, COLUMNS + GAP), DIM)
            for caption in _captions(examples[:fitting], modes, seeds)
        ]
        blocks = [_scatter(member, modes) for member in examples[:fitting]]
        self.lines = [captions, *([s for row in rows for s in (*row, gap)] for rows in zip(*blocks, strict=True))]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.lines:
            yield from line
            yield Segment.line()


def _captions(examples: np.ndarray, modes: Modes, seeds: Sequence[Any]) -> list[str]:
    """`seed 3: 7 of 8`: how many modes the samples reach."""
    captions: list[str] = []
    for seed, points in zip(seeds, examples, strict=False):
        mode, on = _nearest(points[np.isfinite(points).all(1)], modes)
        caption = Said(
            "seed {seed}: {some} of {total}",
            seed=seed,
            some=len(np.unique(mode[on])),
            total=len(modes.centers),
        )
        captions.append(set_cell_size(said(caption), min(cell_len(said(caption)), COLUMNS)))
    return captions


def _scatter(points: np.ndarray, modes: Modes) -> list[list[Segment]]:
    """The lines of one scatter plot."""
    points = points[np.isfinite(points).all(1)]
    _, on = _nearest(points, modes)
    column, row = _places(points, modes.reach)
    bits = np.zeros((ROWS, COLUMNS), dtype=np.int64)
    np.bitwise_or.at(bits, (row // 4, column // 2), BITS[row % 4, column % 2])
    reached = np.zeros((ROWS, COLUMNS), dtype=bool)
    np.logical_or.at(reached, (row // 4, column // 2), on)
    rings = np.zeros((ROWS, COLUMNS), dtype=bool)
    column, row = _places(np.array(modes.centers), modes.reach)
    rings[row // 4, column // 2] = True
    return [
        [_cell(*cell) for cell in zip(*line, strict=True)]
        for line in zip(bits.tolist(), reached.tolist(), rings.tolist(), strict=True)
    ]


def _cell(bits: int, reached: bool, ring: bool) -> Segment:
    if bits:
        return Segment(chr(BRAILLE + bits), ON_MODE if reached else OFF_MODE)
    return Segment(RING, EMPTY_MODE) if ring else Segment(" ")


def _nearest(points: np.ndarray, modes: Modes) -> tuple[np.ndarray, np.ndarray]:
    """The nearest mode of each of `(N, 2)` points, and whether the point lies on it."""
    away = np.linalg.norm(points[:, None] - np.array(modes.centers), axis=-1)
    mode = away.argmin(1)
    return mode, away[np.arange(len(points)), mode] <= SIGMAS * modes.sd


def _places(points: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Column and row of the dot of each point, x to the right and y upwards."""
    share = (points * (1, -1) / reach + 1) / 2
    dots = np.array([2 * COLUMNS, 4 * ROWS])
    column, row = np.clip(share * dots, 0, dots - 1).astype(int).T
    return column, row
