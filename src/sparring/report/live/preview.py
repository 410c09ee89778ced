"""Samples and curves drawn with characters: small images, points over their modes, numbers, and sparklines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from sparring.languages import Text as Said
from sparring.languages import said
from sparring.record.grid import in_color
from sparring.report.live.scatters import Scatters

if TYPE_CHECKING:
    from sparring.datasets import Modes

SPARK_WIDTH = 48
BARS, SHADES = "▁▂▃▄▅▆▇█", " ░▒▓█"
IMAGE_SIDE = 16
"""Larger images are shrunk to this many pixels."""
IMAGE_ROWS = 8
"""Lines of the terminal that the preview may take."""
MAX_SEEDS = 8
"""Seeds in the preview."""

_DIM = Style(dim=True)


def sparkline(values: Sequence[float], width: int = SPARK_WIDTH) -> str:
    """A line of block characters between the min and the max of `values`, averaged down to `width` characters."""
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return ""
    bins = np.array([part.mean() for part in np.array_split(finite, min(width, len(finite)))])
    low, high = bins.min(), bins.max()
    levels = (bins - low) / (high - low) if high > low else np.zeros(len(bins))
    return "".join(BARS[level] for level in np.minimum((levels * len(BARS)).astype(int), len(BARS) - 1))


def preview(
    examples: np.ndarray, seeds: Sequence[Any], width: int, color: bool = True, modes: Modes | None = None
) -> RenderableType:
    """A few examples `(P, N, *shape)` in data units: as small images, as points over `modes`, or as numbers."""
    if modes is not None:
        return Scatters(examples, modes, seeds, width)
    if examples.ndim == 5:
        return ImagePreview(examples, seeds, width, color)
    vectors = examples.reshape(*examples.shape[:2], -1)[:, 0]
    table = Table.grid(padding=(0, 2, 0, 0))
    for seed, vector in zip(seeds[:MAX_SEEDS], vectors, strict=False):
        table.add_row(
            Text(said(Said("seed {seed}", seed=seed)), "dim"),
            *(_number(value) for value in vector[: max(1, (width - 12) // 9)]),
        )
    return table


class ImagePreview:
    """Images of as many seeds as fit. A character shows two pixels: the upper in its color, the lower behind it."""

    def __init__(self, examples: np.ndarray, seeds: Sequence[Any], width: int, color: bool = True):
        pixels = _shrunk(np.nan_to_num(examples[:MAX_SEEDS].clip(0, 1)).astype(np.float64))
        members, count, _, height, image_width = pixels.shape
        slots = max(1, (width + 2) // (image_width + 2))
        members = min(members, slots)
        columns = min(count, max(1, slots // members))
        rows = min(max(1, count // columns), max(1, IMAGE_ROWS // -(-height // 2)))
        gap = [Segment("  ")]
        caption_width = columns * (image_width + 2)
        named = [said(Said("seed {seed}", seed=seed)) for seed in seeds[:members]]
        captions = [
            Segment(set_cell_size(set_cell_size(name, min(cell_len(name), image_width + 1)), caption_width), _DIM)
            for name in named
        ]
        self.lines: list[list[Segment]] = [captions]
        for row in range(rows):
            images = [pixels[m, row * columns + k] for m in range(members) for k in range(columns)]
            blocks = [_half_blocks(image) if color else _shaded(image) for image in images]
            self.lines += [[s for part in parts for s in (*part, *gap)] for parts in zip(*blocks, strict=True)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.lines:
            yield from line
            yield Segment.line()


def _number(value: float) -> Text:
    """A number of an example with a bar of its height."""
    if not np.isfinite(value):
        return Text("NaN", "red")
    return Text(f"{value:.2f} {BARS[int(np.clip(value, 0, 1) * (len(BARS) - 1))]}")


def _shrunk(images: np.ndarray) -> np.ndarray:
    """Averaged over squares of pixels until no side is longer than IMAGE_SIDE; an incomplete last square is dropped."""
    height, width = images.shape[-2:]
    by = -(-max(height, width) // IMAGE_SIDE)
    height, width = height // by, width // by
    cut = images[..., : height * by, : width * by]
    return cut.reshape(*cut.shape[:-2], height, by, width, by).mean((-3, -1))


def _half_blocks(image: np.ndarray) -> list[list[Segment]]:
    """The lines of one `(C, H, W)` image in color."""
    height, width = image.shape[1:]
    rgb = (in_color(image) * 255).round().astype(int).transpose(1, 2, 0)
    if height % 2:
        rgb = np.concatenate([rgb, np.zeros((1, width, 3), dtype=int)])
    return [
        [Segment("▀", Style(color=_hex(above), bgcolor=_hex(below))) for above, below in zip(*pair, strict=True)]
        for pair in zip(rgb[::2], rgb[1::2], strict=True)
    ]


def _hex(pixel: np.ndarray) -> str:
    return "#{:02x}{:02x}{:02x}".format(*pixel.tolist())


def _shaded(image: np.ndarray) -> list[list[Segment]]:
    """The lines of one `(C, H, W)` image in gray characters, for a terminal without color."""
    gray = image.mean(0)
    if gray.shape[0] % 2:
        gray = np.concatenate([gray, np.zeros((1, gray.shape[1]))])
    levels = (gray.reshape(-1, 2, gray.shape[1]).mean(1) * (len(SHADES) - 1)).round().astype(int)
    return [[Segment("".join(SHADES[level] for level in line))] for line in levels]
