"""Examples as one PNG: a block of `columns` x rows per member, members side by side, seeds written above them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

INK, PAPER, GUTTER = (60, 60, 60), (255, 255, 255), 12
CAPTION = 14
"""Pixels above a block for its seed."""
MOST_MEMBERS = 64
"""More blocks than this in one picture help nobody."""


def grid(examples: np.ndarray, seeds: Sequence[int] | None = None, scale: int | None = None) -> Image.Image:
    """One picture of `(P, N, C, H, W)` images, or of `(P, N, K)` vectors drawn as rows of K cells.

    Values are data units, clipped to [0, 1]; C is 1 (grey) or 3 (red, green, blue). `scale` is pixels per pixel.
    """
    blocks = [_block(member, scale) for member in _as_images(examples)[:MOST_MEMBERS]]
    names = [f"seed {s}" for s in seeds][: len(blocks)] if seeds is not None else None
    return _side_by_side(blocks, names)


def save_grid(examples: np.ndarray, path: Path, seeds: Sequence[int] | None = None, scale: int | None = None) -> None:
    """Write `grid(...)` as a PNG."""
    grid(examples, seeds, scale).save(path, format="PNG")


def save_array(examples: np.ndarray, path: Path) -> None:
    """Write the numbers themselves, as .npy."""
    with path.open("wb") as file:  # numpy would add .npy to a path that lacks it
        np.save(file, examples, allow_pickle=False)


def _as_images(examples: np.ndarray) -> np.ndarray:
    if examples.ndim == 5:
        return examples
    flat = examples.reshape(*examples.shape[:2], -1)
    return flat[:, :, None, None, :]


def _block(images: np.ndarray, scale: int | None) -> Image.Image:
    count, channels, height, width = images.shape
    columns = math.ceil(math.sqrt(count)) if height > 1 else 1
    rows = math.ceil(count / columns)
    scale = scale or max(1, min(48, round(224 / (columns * width))))
    pixels = (np.nan_to_num(images).clip(0, 1) * 255).round().astype(np.uint8)
    canvas = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, 3), 255, dtype=np.uint8)
    for index, image in enumerate(pixels):
        top, left = index // columns * (height + 1), index % columns * (width + 1)
        canvas[top : top + height, left : left + width] = np.broadcast_to(
            image.transpose(1, 2, 0), (height, width, 3 if channels == 1 else channels)
        )
    return Image.fromarray(canvas).resize((canvas.shape[1] * scale, canvas.shape[0] * scale), Image.Resampling.NEAREST)


def _side_by_side(blocks: Sequence[Image.Image], names: Sequence[str] | None) -> Image.Image:
    width, height = blocks[0].size
    head = CAPTION if names else 0
    # A page wider than tall suits screens: about twice as wide as high.
    columns = min(len(blocks), max(1, round(math.sqrt(2 * len(blocks) * (height + head + GUTTER) / (width + GUTTER)))))
    rows = math.ceil(len(blocks) / columns)
    columns = math.ceil(len(blocks) / rows)  # four are two and two, not three and one
    page = Image.new(
        "RGB", (columns * (width + GUTTER) + GUTTER, rows * (height + head + GUTTER) + GUTTER), color=PAPER
    )
    draw = ImageDraw.Draw(page)
    for index, block in enumerate(blocks):
        left = GUTTER + index % columns * (width + GUTTER)
        top = GUTTER + index // columns * (height + head + GUTTER)
        if names:
            draw.text((left, top), names[index], fill=INK)
        page.paste(block, (left, top + head))
    return page
