"""A contact sheet of a folder of images: a sample of every class and of every kind of problem. Loads no matplotlib."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from sparring.characters import printable
from sparring.datasets.files.pixels import Frame, fitted, opaque
from sparring.datasets.files.survey import each
from sparring.errors import SparringError
from sparring.record.grid import in_color

if TYPE_CHECKING:
    from sparring.analysis.doctor import Examination
    from sparring.analysis.trimming import Trimmed

COLUMNS, TILE_WIDTH = 16, 56
"""Images in a row, and about how wide each is, in pixels."""
MAX_CLASSES, MAX_ROWS = 12, 4
"""Classes shown, and rows of images where there are no classes."""
CAPTION, GAP = 16, 10
"""Pixels above and below each block of images."""

Block = tuple[str, Sequence[str]]
"""A title and the names of the files below it."""


def contact_sheet(examination: Examination, trimmed: Trimmed | None = None) -> Image.Image:
    """Images as training will see them, in blocks: what would be left out, every class, what may be a problem.

    Raises SparringError when no image in the folder can be read.
    """
    if not examination.good:
        raise SparringError(f"{examination.contents.path} holds no image that can be read: there is nothing to show")
    blocks = [*_typical(trimmed), *_classes(examination), *_problems(examination)]
    width, height = examination.training_size[0]
    scale = max(1, round(TILE_WIDTH / max(width, height)))
    across, down = width * scale + 2, height * scale + 2
    heights = [CAPTION + -(-len(names) // COLUMNS) * down + GAP for _, names in blocks]
    sheet = Image.new("RGB", (COLUMNS * across + 2 * GAP, sum(heights) + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    top = GAP
    for (title, names), block_height in zip(blocks, heights, strict=True):
        draw.text((GAP, top), printable(title), fill=(60, 60, 60))
        for index, tile in enumerate(_tiles(examination, names)):
            tile = tile.resize((width * scale, height * scale), Image.Resampling.NEAREST)
            sheet.paste(tile, (GAP + index % COLUMNS * across, top + CAPTION + index // COLUMNS * down))
        top += block_height
    return sheet


def _tiles(examination: Examination, names: Sequence[str]) -> list[Image.Image]:
    """The first image of each file as training sees it: on the background, or on a checkerboard where transparency is
    kept."""
    survey = examination.survey
    first, stretch = replace(survey, settings=replace(survey.settings, frames="first")), survey.stretch()
    background, nearest = survey.settings.background, bool(survey.pixel_art.why)

    def tile(frame: Frame) -> Image.Image:
        made = fitted(frame.image, survey.size, survey.settings.fit, background, nearest)
        if survey.transparency.kept:
            return _on_checkerboard(made)
        return opaque(made, background).convert("L" if examination.channels == 1 else "RGB")

    return [tiles[0] for tiles in each(lambda name: first.read(name, tile, stretch, survey.size), names, "drawing")]


def _on_checkerboard(image: Image.Image) -> Image.Image:
    """An image in mode RGBA as pictures of samples show it."""
    seen = in_color(np.asarray(image, np.float32).transpose(2, 0, 1) / 255)
    return Image.fromarray((255 * seen.transpose(1, 2, 0)).round().astype(np.uint8))


def _typical(trimmed: Trimmed | None) -> list[Block]:
    if trimmed is None:
        return []
    rows = COLUMNS * MAX_ROWS
    left_out, kept = trimmed.left_out, trimmed.typical
    blocks = [
        (f"left out, the least typical first ({len(left_out):,})", left_out[:rows]),
        (f"the last of those left out ({len(left_out):,})", left_out[rows:][-COLUMNS:]),
        (f"kept, the least typical first ({len(kept):,})", kept[::-1][:COLUMNS]),
        (f"kept, the most typical first ({len(kept):,})", kept[:COLUMNS]),
    ]
    return [(title, names) for title, names in blocks if names]


def _classes(examination: Examination) -> list[Block]:
    names = [file.name for file in examination.good]
    labels = examination.labels
    if labels.of is None:
        return [(f"{len(names):,} images", _evenly(names, COLUMNS * MAX_ROWS))]
    of_class: dict[str, list[str]] = defaultdict(list)
    for name in names:
        of_class[labels.classes[labels.of[name]]].append(name)
    largest = list(examination.classes.items())[:MAX_CLASSES]
    return [(f"{label} ({amount:,})", _evenly(of_class[label], COLUMNS)) for label, amount in largest]


def _problems(examination: Examination) -> list[Block]:
    duplicates, look_alikes = examination.duplicates, examination.look_alikes
    blocks: list[Block] = [
        (f"exact duplicates, two of each ({len(duplicates):,})", _pairs(duplicates)),
        (f"look alike, two of each ({len(look_alikes):,})", _pairs(look_alikes)),
        (f"nearly one color ({len(examination.flat):,})", examination.flat),
    ]
    return [(title, names[:COLUMNS]) for title, names in blocks if names]


def _pairs(groups: Sequence[Sequence[str]]) -> list[str]:
    return [name for group in groups for name in group[:2]]


def _evenly(names: Sequence[str], amount: int) -> list[str]:
    """At most so many names, evenly spaced."""
    chosen = np.linspace(0, len(names) - 1, min(amount, len(names))).round().astype(int).tolist()
    return [names[int(index)] for index in chosen]
