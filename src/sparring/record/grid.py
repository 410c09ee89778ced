"""Sample grids: one PNG with a block of examples for each member, side by side, and its seed above it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from sparring.record.plots import Numbers, plot
from sparring.record.scatter import SIDE, Landmarks, scatter

INK, BACKGROUND, GUTTER = (60, 60, 60), (255, 255, 255), 12
CAPTION = 14
"""Pixels above a block for its seed."""
LAYOUT = "sparring layout"
"""Key of the PNG's text chunk that says where each block and example is, so that grids can be joined and cut."""
SQUARES, CHECKS = 8, (0.8, 1.0)
"""Squares along a side of the checkerboard behind transparent images, and its two levels."""
COMPRESSION = 3
"""Of PNGs, from 0 to 9: half the time of the usual 6, and files about as small."""
MAX_MEMBERS, MAX_NAMED = 64, 1024
"""Blocks in one picture; further members are left out. Where members differ in numbers there may be more, since the
pictures of their cells are cut out of it."""


def grid(
    examples: np.ndarray,
    seeds: Sequence[Any] | None = None,
    scale: int | None = None,
    modes: Landmarks | None = None,
    numbers: Numbers | None = None,
) -> Image.Image:
    """Draw examples of P members as one picture.

    Args:
        examples: Images `(P, N, C, H, W)`, or vectors `(P, N, K)`, which become rows of K cells; in data units, clipped
            to [0, 1]. With `modes`, points in the plane `(P, N, 2)`.
        seeds: The members' seeds, written above the blocks.
        scale: Screen pixels for each pixel; chosen by the size if None.
        modes: The modes of the real data, over which points are scattered.
        numbers: Of examples that are plain numbers, no pattern of cells: what they are plotted over.
    """
    if numbers is not None:
        blocks = [plot(member.reshape(len(member), -1), numbers) for member in examples[: _limit(seeds)]]
    elif modes is not None:
        blocks = [scatter(member, modes) for member in examples[: _limit(seeds)]]
    else:
        blocks = [_block(member, scale) for member in _as_images(examples)[: _limit(seeds)]]
    return _side_by_side(blocks, _captions(seeds, blocks) if seeds is not None else None)


def save_grid(
    examples: np.ndarray,
    path: Path,
    seeds: Sequence[Any] | None = None,
    scale: int | None = None,
    modes: Landmarks | None = None,
    numbers: Numbers | None = None,
) -> None:
    """Write `grid(...)` as a PNG that records where its blocks and the examples in them are."""
    info = PngInfo()
    named, count = seeds is not None, min(len(examples), _limit(seeds))
    plots = modes is not None or numbers is not None
    layout = _layout_of_plots(count, named) if plots else _layout(_as_images(examples)[:count], named, scale)
    info.add_text(LAYOUT, json.dumps(layout))
    grid(examples, seeds, scale, modes, numbers).save(path, format="PNG", pnginfo=info, compress_level=COMPRESSION)


def join_grids(pages: Sequence[Path], path: Path, seeds: Sequence[Any]) -> None:
    """Join saved grids of some members each into one PNG, the same as if all had been drawn together."""
    layout: dict[str, Any] = {}
    blocks: list[Image.Image] = []
    for page in pages:
        with Image.open(page) as picture:
            layout = json.loads(str(picture.info[LAYOUT]))
            width, height = _size_of_blocks(layout)
            blocks += [picture.crop((left, top, left + width, top + height)) for left, top in layout["blocks"]]
    _save(blocks[: _limit(seeds)], layout, seeds, path)


def cut_grid(page: Path, members: Sequence[int], path: Path, seeds: Sequence[Any]) -> None:
    """Cut the blocks of some members out of a saved grid into one PNG, the same as if these alone had been drawn.

    Raises KeyError, ValueError or IndexError for a picture that does not record where they are, or lacks one.
    """
    with Image.open(page) as picture:
        layout = json.loads(str(picture.info[LAYOUT]))
        width, height = _size_of_blocks(layout)
        places = [layout["blocks"][member] for member in members][: _limit(seeds)]
        blocks = [picture.crop((left, top, left + width, top + height)) for left, top in places]
    _save(blocks, layout, seeds, path)


def in_color(images: np.ndarray) -> np.ndarray:
    """`(..., C, H, W)` in data units as RGB.

    One channel is gray, two become red and green, the fourth of four is alpha, seen on a checkerboard; of more the
    first three are shown.
    """
    channels = images.shape[-3]
    if channels == 1:
        return images.repeat(3, axis=-3)
    if channels == 2:
        return np.concatenate([images, np.zeros_like(images[..., :1, :, :])], axis=-3)
    if channels == 4:
        alpha = images[..., 3:, :, :].clip(0, 1)
        return images[..., :3, :, :] * alpha + _checkerboard(images.shape[-2], images.shape[-1]) * (1 - alpha)
    return images[..., :3, :, :]


def _checkerboard(height: int, width: int) -> np.ndarray:
    """`(H, W)` in data units: what is seen through transparent pixels."""
    side = max(1, min(height, width) // SQUARES)
    rows, columns = np.arange(height)[:, None] // side, np.arange(width) // side
    return np.where((rows + columns) % 2, *CHECKS).astype(np.float32)


def excerpts(picture: Image.Image, members: int, examples: int) -> list[Image.Image] | None:
    """Cut the first examples of each block out of a saved grid.

    Args:
        picture: A saved grid.
        members: How many blocks.
        examples: At most this many of each, in a square.

    Returns:
        A picture for each member; None for a picture that does not record where they are.
    """
    try:
        layout = json.loads(str(picture.info[LAYOUT]))
        (across, down), (width, height), gap = layout["cells"], layout["cell"], layout["gap"]
        columns = min(across, max(1, math.isqrt(examples)))
        rows = min(down, max(1, examples // columns))
        size = columns * (width + gap) - gap, rows * (height + gap) - gap
        boxes = [(left, top, left + size[0], top + size[1]) for left, top in layout["blocks"][:members]]
    except (KeyError, ValueError, TypeError):
        return None
    inside = all(0 <= b[0] < b[2] <= picture.width and 0 <= b[1] < b[3] <= picture.height for b in boxes)
    return [picture.crop(box) for box in boxes] if inside else None


def save_array(examples: np.ndarray, path: Path) -> None:
    """Write the examples as a .npy file."""
    with path.open("wb") as file:  # numpy would add .npy to a path that lacks it
        np.save(file, examples, allow_pickle=False)


def _size_of_blocks(layout: dict[str, Any]) -> tuple[int, int]:
    """Width and height of a member's block in a saved grid."""
    width, height = (
        n * (side + layout["gap"]) - layout["gap"] for n, side in zip(layout["cells"], layout["cell"], strict=True)
    )
    return width, height


def _save(blocks: Sequence[Image.Image], layout: dict[str, Any], seeds: Sequence[Any], path: Path) -> None:
    """Write blocks side by side, with their layout."""
    info = PngInfo()
    info.add_text(LAYOUT, json.dumps({**layout, "blocks": _places(len(blocks), blocks[0].size, True)[0]}))
    _side_by_side(blocks, _captions(seeds, blocks)).save(path, format="PNG", pnginfo=info, compress_level=COMPRESSION)


def _limit(seeds: Sequence[Any] | None) -> int:
    """How many blocks there may be, for members that are called so."""
    return MAX_NAMED if seeds is not None and isinstance(seeds[0], str) else MAX_MEMBERS


def _captions(seeds: Sequence[Any], blocks: Sequence[Image.Image]) -> list[str]:
    """What stands above each block; a name that says more than a seed is cut off where the next block begins."""
    room, font = blocks[0].width + GUTTER // 2, ImageDraw.ImageDraw(blocks[0]).getfont()
    names = [f"seed {seed}" for seed in seeds[: len(blocks)]]
    for index, seed in enumerate(seeds[: len(blocks)]):
        while isinstance(seed, str) and font.getlength(names[index]) > room:
            names[index] = names[index][:-1]
    return names


def _as_images(examples: np.ndarray) -> np.ndarray:
    if examples.ndim == 5:
        return examples
    flat = examples.reshape(*examples.shape[:2], -1)
    return flat[:, :, None, None, :]


def _cells(shape: Sequence[int], scale: int | None) -> tuple[int, int, int]:
    """Columns, rows and scale of a block of `(N, C, H, W)` images."""
    count, _, height, width = shape
    columns = math.ceil(math.sqrt(count)) if height > 1 else 1
    return columns, math.ceil(count / columns), scale or max(1, min(48, round(224 / (columns * width))))


def _layout(images: np.ndarray, named: bool, scale: int | None) -> dict[str, Any]:
    """Where the blocks of a picture begin, and how the examples are arranged in each, in pixels."""
    columns, rows, scale = _cells(images.shape[1:], scale)
    height, width = images.shape[-2:]
    size = (columns * (width + 1) - 1) * scale, (rows * (height + 1) - 1) * scale
    places = _places(len(images), size, named)[0]
    return {"blocks": places, "cells": [columns, rows], "cell": [width * scale, height * scale], "gap": scale}


def _layout_of_plots(members: int, named: bool) -> dict[str, Any]:
    """The layout of plots: each is one cell."""
    places = _places(members, (SIDE, SIDE), named)[0]
    return {"blocks": places, "cells": [1, 1], "cell": [SIDE, SIDE], "gap": 0}


def _block(images: np.ndarray, scale: int | None) -> Image.Image:
    height, width = images.shape[-2:]
    columns, rows, scale = _cells(images.shape, scale)
    pixels = (np.nan_to_num(in_color(images)).clip(0, 1) * 255).round().astype(np.uint8)
    canvas = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, 3), 255, dtype=np.uint8)
    for index, image in enumerate(pixels):
        top, left = index // columns * (height + 1), index % columns * (width + 1)
        canvas[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    return Image.fromarray(canvas).resize((canvas.shape[1] * scale, canvas.shape[0] * scale), Image.Resampling.NEAREST)


def _places(count: int, size: tuple[int, int], named: bool) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Left and upper edge of each block in a picture, and the picture's size."""
    width, height = size[0] + GUTTER, size[1] + GUTTER + (CAPTION if named else 0)
    # A picture about twice as wide as high suits screens.
    columns = min(count, max(1, round(math.sqrt(2 * count * height / width))))
    rows = math.ceil(count / columns)
    columns = math.ceil(count / rows)  # four are two and two, not three and one
    head = GUTTER + (CAPTION if named else 0)
    places = [(GUTTER + k % columns * width, head + k // columns * height) for k in range(count)]
    return places, (columns * width + GUTTER, rows * height + GUTTER)


def _side_by_side(blocks: Sequence[Image.Image], names: Sequence[str] | None) -> Image.Image:
    places, size = _places(len(blocks), blocks[0].size, names is not None)
    page = Image.new("RGB", size, color=BACKGROUND)
    draw = ImageDraw.Draw(page)
    for index, (block, (left, top)) in enumerate(zip(blocks, places, strict=True)):
        if names:
            draw.text((left, top - CAPTION), names[index], fill=INK)
        page.paste(block, (left, top))
    return page
