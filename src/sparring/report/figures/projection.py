"""Projected images: each beside what every member makes of it, what is missing, and edits along directions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from sparring.record.grid import MAX_MEMBERS
from sparring.report.figures.drawing import TEXT, TITLE
from sparring.report.figures.latent import GAP, GUTTER, LINE, MARGIN, TINY, Page, Tiles, text_width

if TYPE_CHECKING:
    from sparring.analysis.latent_tools.projected import Projected

HEADLINE = "Images, the nearest examples, what differs, and edits along the two most sensitive directions"
COLUMNS = ("image", "nearest", "differs", "1 −", "1 +", "2 −", "2 +")
LIMIT = 0.5
"""A difference by half the range has the strongest color."""


def projections(found: Projected) -> Figure:
    """A block for each member, a row in it for each image."""
    tiles = Tiles(found.images.shape[1:], 64)
    step, fall = max(tiles.width, 56) + GAP, tiles.height + GAP
    members = min(len(found.members), MAX_MEMBERS)
    wide, high = len(COLUMNS) * step + GUTTER, 2 * LINE + len(found.images) * fall + GUTTER
    columns = min(members, max(1, round(math.sqrt(1.6 * members * high / wide))))
    rows = math.ceil(members / columns)
    head = LINE + 14
    width = max(columns * wide - GUTTER, text_width(HEADLINE, TITLE))
    page = Page(width + 2 * MARGIN, head + rows * high - GUTTER + 2 * MARGIN)
    page.write(MARGIN, MARGIN + LINE / 2, HEADLINE, page.scheme.ink, TITLE, ha="left")
    for m in range(members):
        _member(page, tiles, found, m, (MARGIN + m % columns * wide, MARGIN + head + m // columns * high))
    return page.figure()


def _member(page: Page, tiles: Tiles, found: Projected, m: int, corner: tuple[int, int]) -> None:
    step, fall = max(tiles.width, 56) + GAP, tiles.height + GAP
    left, top = corner
    page.write(left, top + LINE / 2, f"seed {found.recipe.seeds[m]}", page.scheme.ink, TEXT, ha="left", weight="bold")
    for column, title in enumerate(COLUMNS):
        page.write(left + column * step + tiles.width / 2, top + 1.5 * LINE, title, size=TINY)
    for k, image in enumerate(found.images):
        y = top + 2 * LINE + k * fall
        nearest = found.members[m].examples[k].numpy()
        edits = [found.edited(m, k, d, (-1.0, 1.0)) for d in range(len(found.directions[m].vectors))]
        for column, example in enumerate([image, nearest, None, *(each for pair in edits for each in pair)]):
            if example is None:
                tiles.change(page, left + column * step, y, nearest - image, LIMIT)
            else:
                tiles.example(page, left + column * step, y, example)
