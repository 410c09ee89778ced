"""Reading saved sample grids as pixels: the examples of one member, or a few of every member, as small as they were.

Pictures may come from a stranger: they are measured before they are decoded, and what they say of themselves is
checked.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from sparring.errors import SparringError
from sparring.record.grid import LAYOUT

MAX_PIXELS = 64_000_000
"""Of a picture; larger ones are not decoded."""
MAX_LAYOUT = 100_000
"""Characters of what a picture says of its layout."""
MAX_SIDE = 2_000
"""Pixels of a side of what is returned; larger pictures are thinned out."""


def member_block(path: Path, member: int) -> np.ndarray | None:
    """All examples of one member in a saved grid, uint8 `(H, W, 3)`, at a pixel for each of theirs.

    Args:
        path: A saved grid.
        member: Which block.

    Returns:
        The block, or the whole picture where that does not say where its blocks are. None for a member without one:
        a grid has at most MAX_MEMBERS.

    Raises:
        SparringError: The file is no picture, or too large.
    """
    pixels, layout = _opened(path)
    if layout is None:
        return _thinned(pixels)
    if member >= len(layout["blocks"]):
        return None
    left, top = layout["blocks"][member]
    width, height = _size(layout, *layout["cells"])
    return _native(pixels[top : top + height, left : left + width], layout)


def first_examples(path: Path, examples: int) -> np.ndarray | None:
    """The first examples of every member in a saved grid, uint8 `(P, H, W, 3)`; see `member_block`.

    None for a picture that does not say where its blocks are.
    """
    pixels, layout = _opened(path)
    if layout is None:
        return None
    across, down = layout["cells"]
    columns = min(across, max(1, math.isqrt(examples)))
    width, height = _size(layout, columns, min(down, max(1, examples // columns)))
    blocks = [pixels[top : top + height, left : left + width] for left, top in layout["blocks"]]
    return np.stack([_native(block, layout) for block in blocks])


def _opened(path: Path) -> tuple[np.ndarray, dict[str, Any] | None]:
    """A picture's pixels, uint8 `(H, W, 3)`, and its layout if it states a possible one."""
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise SparringError(f"{path} is too large a picture to show")
            layout = _layout(str(picture.info.get(LAYOUT, "")), picture.width, picture.height)
            return np.asarray(picture.convert("RGB")), layout
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise SparringError(f"{path} is no picture that can be shown ({error})") from error


def _layout(text: str, width: int, height: int) -> dict[str, Any] | None:
    """The layout, if it is one and all of its blocks lie in the picture."""
    if not text or len(text) > MAX_LAYOUT:
        return None
    try:
        layout = json.loads(text)
        numbers = [*layout["cells"], *layout["cell"], layout["gap"], *(n for block in layout["blocks"] for n in block)]
        sizes = [len(each) for each in (layout["cells"], layout["cell"], *layout["blocks"])]
        if not layout["blocks"] or {2} != set(sizes) or not all(type(n) is int and 0 <= n <= 2**20 for n in numbers):
            return None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if min(*layout["cells"], *layout["cell"]) < 1:
        return None
    across, down = _size(layout, *layout["cells"])
    inside = all(left + across <= width and top + down <= height for left, top in layout["blocks"])
    return layout if inside else None


def _size(layout: dict[str, Any], columns: int, rows: int) -> tuple[int, int]:
    """Width and height of so many examples with the gaps between them, in the picture's pixels."""
    (width, height), gap = layout["cell"], layout["gap"]
    return columns * (width + gap) - gap, rows * (height + gap) - gap


def _native(block: np.ndarray, layout: dict[str, Any]) -> np.ndarray:
    """A block at a pixel for each of the examples': grids are drawn with `gap` pixels for each."""
    gap = layout["gap"]
    magnified = gap > 1 and all(side % gap == 0 for side in layout["cell"])
    return _thinned(block[gap // 2 :: gap, gap // 2 :: gap] if magnified else block)


def _thinned(pixels: np.ndarray) -> np.ndarray:
    step = -(-max(pixels.shape[:2]) // MAX_SIDE)
    return np.ascontiguousarray(pixels[::step, ::step])
