"""One member's directions as pictures: a latent vector followed along each, and the map of what changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from sparring.report.figures.drawing import SMALL, TEXT, TITLE
from sparring.report.figures.latent import GAP, LINE, MARGIN, Page, Tiles, text_width

SIDE = 36
"""Pixels for the label of a row."""


@dataclass(frozen=True)
class Row:
    """A direction."""

    way: str
    label: str
    text: str
    """What it moves."""
    examples: np.ndarray
    """Along it, `(steps, *shape)`."""
    change: np.ndarray
    """The mean change from one end to the other, of an example's shape."""


def directions(rows: Sequence[Row], ways: dict[str, str], seed: int, headline: str) -> Figure:
    """A block for each way with a row for each of its directions.

    Args:
        rows: In the order of the ways.
        ways: Way -> what it is, in words.
        seed: Of the member.
        headline: What the picture shows.
    """
    tiles = Tiles(rows[0].change.shape, 56)
    steps = len(rows[0].examples)
    fall, step = tiles.height + GAP, tiles.width + GAP
    limit = max(float(np.nanmax(np.abs(row.change))) for row in rows) or 1.0
    shown = [way for way in ways if any(row.way == way for row in rows)]
    words = max(text_width(row.text, SMALL) for row in rows)
    width = SIDE + (steps + 1) * step + 2 * GAP + words
    width = max(width, *(text_width(f"{way}  {ways[way]}", SMALL) for way in shown), text_width(headline, TITLE))
    head = 2 * LINE + 10
    page = Page(width + 2 * MARGIN, head + len(shown) * 2 * LINE + len(rows) * fall + 2 * MARGIN)
    page.write(MARGIN, MARGIN + LINE / 2, headline, page.scheme.ink, TITLE, ha="left")
    page.write(MARGIN, MARGIN + 1.5 * LINE, f"seed {seed}", page.scheme.ink, TEXT, ha="left", weight="bold")
    top = MARGIN + head
    for way in shown:
        page.write(MARGIN, top + LINE, way, page.scheme.ink, SMALL, ha="left", weight="bold")
        page.write(MARGIN + text_width(way, SMALL) + 16, top + LINE, ways[way], ha="left")
        top += 2 * LINE
        for row in (row for row in rows if row.way == way):
            page.write(MARGIN + SIDE - 8, top + tiles.height / 2, row.label, ha="right")
            for k, example in enumerate(row.examples):
                tiles.example(page, MARGIN + SIDE + k * step, top, example)
            left = MARGIN + SIDE + steps * step + GAP
            tiles.change(page, left, top, row.change, limit)
            page.write(left + step + GAP, top + tiles.height / 2, row.text, ha="left")
            top += fall
    return page.figure()
