"""Pictures of walks in the latent space: every member's examples side by side, with what was done written beside them.

Pixels of examples are drawn as squares of whole pixels, never smoothed. Examples of a few numbers are drawn as cells
with the numbers in them. Each function returns a matplotlib Figure; none touches matplotlib's global state.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from sparring.errors import UsageError
from sparring.record.grid import MAX_MEMBERS, in_color
from sparring.report.figures.drawing import DPI, LIGHT, SMALL, TEXT, TITLE, Scheme

MARGIN, GUTTER, GAP = 20, 36, 5
"""Pixels around the page, between members, between examples."""
LINE = 30
"""Pixels that a line of text takes."""
TINY = 8.0
"""Points."""
MOST_CELLS = 12
"""Numbers in an example up to which each is written out."""
CELL = (58, 40)
"""Pixels of a cell with a number in it, across and down."""
CHANGES = "RdBu_r"
"""Red is more, blue is less, white no change: told apart with any color vision."""

MOST_PIXELS = 30_000
"""Of a page, across or down: no viewer shows more."""

Draw = Callable[["Page", int, int, int], None]


@dataclass
class Page:
    """A canvas of whole pixels and words on it. Positions are pixels from the top left."""

    width: int
    height: int
    scheme: Scheme = LIGHT
    words: list[tuple[float, float, str, dict[str, Any]]] = field(default_factory=list[Any])

    def __post_init__(self) -> None:
        if max(self.width, self.height) > MOST_PIXELS:
            raise UsageError(
                f"this picture would be {self.width:,} x {self.height:,} pixels; show less or fewer seeds, or take .npy"
            )
        self.canvas = np.full((self.height, self.width, 3), _bytes(self.scheme.paper), dtype=np.uint8)

    def put(self, left: int, top: int, pixels: np.ndarray) -> None:
        self.canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels

    def say(self, x: float, y: float, text: str, color: str = "", size: float = SMALL, **how: Any) -> None:
        look = {"color": color or self.scheme.soft, "fontsize": size, "ha": "center", "va": "center", **how}
        self.words.append((x, y, text, look))

    def figure(self) -> Figure:
        figure = Figure(figsize=(self.width / DPI, self.height / DPI), dpi=DPI, facecolor=self.scheme.paper)
        figure.figimage(self.canvas, origin="upper")
        for x, y, text, look in self.words:
            figure.text(x / self.width, 1 - y / self.height, text, **look)
        return figure


@dataclass(frozen=True)
class Tiles:
    """How examples of one shape are drawn, about `aim` pixels wide."""

    shape: tuple[int, ...]
    aim: int = 84

    @property
    def image(self) -> bool:
        return len(self.shape) == 3

    @property
    def cell(self) -> tuple[int, int]:
        """Pixels of one pixel or number, across and down."""
        if self.image:
            scale = max(1, round(self.aim / self.shape[-1]))
            return scale, scale
        count = math.prod(self.shape)
        return CELL if count <= MOST_CELLS else (max(1, round(2 * self.aim / count)), CELL[1])

    @property
    def width(self) -> int:
        return self.cell[0] * (self.shape[-1] if self.image else math.prod(self.shape))

    @property
    def height(self) -> int:
        return self.cell[1] * (self.shape[-2] if self.image else 1)

    @property
    def gap(self) -> int:
        return GAP if self.image else 3 * GAP

    def example(self, page: Page, left: int, top: int, values: np.ndarray) -> None:
        """An example in data units."""
        if self.image:
            shown = in_color(values).transpose(1, 2, 0).clip(0, 1)
            self._cells(page, left, top, shown, values.mean(0), None)
        else:
            flat = values.reshape(1, -1)
            self._cells(page, left, top, colormaps["viridis"](flat.clip(0, 1))[..., :3], flat, "{:.2f}")

    def change(self, page: Page, left: int, top: int, values: np.ndarray, limit: float) -> None:
        """A map of signed changes; `limit` has the strongest color."""
        flat = values.mean(0) if self.image else values.reshape(1, -1)
        shown = colormaps[CHANGES]((flat / limit + 1) / 2)[..., :3]
        self._cells(page, left, top, shown, flat, None if self.image else "{:+.2f}")

    def _cells(
        self, page: Page, left: int, top: int, colors: np.ndarray, values: np.ndarray, spelled: str | None
    ) -> None:
        colors = np.where(np.isfinite(values)[..., None], np.nan_to_num(colors), to_rgb(page.scheme.lost))
        across, down = self.cell
        pixels = (colors * 255).round().astype(np.uint8).repeat(down, axis=0).repeat(across, axis=1)
        page.put(left, top, pixels)
        if spelled is None or values.size > MOST_CELLS:
            return
        for index, value in enumerate(values[0]):
            dark = colors[0, index] @ (0.299, 0.587, 0.114) < 0.55
            text = spelled.format(value).replace("-", "−") if np.isfinite(value) else "lost"
            at = left + (index + 0.5) * across, top + down / 2
            page.say(*at, text, "#ffffff" if dark else "#1c1c1e", TINY)


def sweep(
    examples: np.ndarray, seeds: Sequence[int], dims: Sequence[int], values: Sequence[float], number: int
) -> Figure:
    """`(P, dims, values, *shape)`: a row for each number turned (from 1), a column for each value it is given."""
    tiles = _tiles(examples, 3)
    names = [f"dim {dim}" for dim in dims]
    side = _width(max(names, key=len), SMALL) + 8
    step, fall = tiles.width + tiles.gap, tiles.height + tiles.gap

    def draw(page: Page, member: int, left: int, top: int) -> None:
        for column, value in enumerate(values):
            page.say(left + side + column * step + tiles.width / 2, top + LINE / 2, _number(value))
        for row, name in enumerate(names):
            y = top + LINE + row * fall
            page.say(left + side - 8, y + tiles.height / 2, name, ha="right")
            for column in range(len(values)):
                tiles.example(page, left + side + column * step, y, examples[member, row, column])

    size = side + len(values) * step - tiles.gap, LINE + len(dims) * fall - tiles.gap
    numbers = "one of its numbers set to each value" if len(dims) > 1 else f"number {dims[0]} of it set to each value"
    return _page(seeds, size, draw, f"Latent vector {number} of each seed with {numbers}")


def blend(examples: np.ndarray, seeds: Sequence[int], numbers: Sequence[int], path: str) -> Figure:
    """`(P, steps, *shape)` as a strip, `(P, steps, steps, *shape)` as a square; the corners' numbers beside them."""
    square = len(numbers) == 4
    rows = examples if square else examples[:, None]
    tiles = _tiles(rows, 3, 64 if square else 84)
    step, fall = tiles.width + tiles.gap, tiles.height + tiles.gap
    width, height = rows.shape[2] * step - tiles.gap, rows.shape[1] * fall - tiles.gap

    def draw(page: Page, member: int, left: int, top: int) -> None:
        for row in range(rows.shape[1]):
            for column in range(rows.shape[2]):
                tiles.example(page, left + column * step, top + LINE + row * fall, rows[member, row, column])
        for index, number in enumerate(numbers):
            x = left + index % 2 * width
            y = top + LINE / 2 if index < 2 else top + LINE + height + LINE / 2
            page.say(x, y, f"vector {number}", ha="left" if index % 2 == 0 else "right")

    listed = ", ".join(map(str, numbers[:-1])) + f" and {numbers[-1]}"
    size = width, LINE + height + (LINE if square else 0)
    return _page(seeds, size, draw, f"Between latent vectors {listed} of each seed, {path} path")


def arithmetic(
    examples: np.ndarray, seeds: Sequence[int], expression: str, numbers: dict[str, int], lengths: np.ndarray
) -> Figure:
    """`(P, letters + 1, *shape)`: what each letter's vector gives, then what the expression gives.

    `lengths`, `(P, letters + 1)`, are those of the vectors, and are written below.
    """
    tiles = _tiles(examples, 2, 112)
    order = list(numbers)
    pieces = [*_pieces(expression), "=", ""]
    widths = [max(tiles.width, 120) if p in numbers or not p else _width(p, TITLE) for p in pieces]
    space = 10

    def draw(page: Page, member: int, left: int, top: int) -> None:
        middle = top + LINE + tiles.height / 2
        for piece, width in zip(pieces, widths, strict=True):
            if piece in numbers or not piece:
                index = order.index(piece) if piece else len(order)
                center = left + width // 2
                title = piece or _spelled(expression)
                page.say(center, top + LINE / 2, title, page.scheme.ink, TEXT)
                tiles.example(page, center - tiles.width // 2, top + LINE, examples[member, index])
                below = [f"vector {numbers[piece]}"] if piece else ["result"]
                below.append(f"length {lengths[member, index]:.3g}")
                for line, text in enumerate(below):
                    page.say(center, top + LINE + tiles.height + (line + 0.5) * 24 + 4, text, size=TINY)
            else:
                page.say(left + width / 2, middle, piece, page.scheme.ink, TITLE + 3)
            left += width + space

    size = sum(widths) + space * (len(widths) - 1), LINE + tiles.height + 2 * LINE
    return _page(
        seeds, size, draw, f"{_spelled(expression)} of latent vectors, number by number, and what G makes of it"
    )


def influence(
    change: np.ndarray,
    share: np.ndarray,
    seeds: Sequence[int],
    chosen: Sequence[Sequence[int]],
    ends: tuple[float, float],
) -> Figure:
    """Each member's `chosen` dimensions (indices from 0) as maps: `change` `(P, size, *shape)`, `share` `(P, size)`."""
    tiles = Tiles(change.shape[2:], 112)
    most = max(len(c) for c in chosen)
    columns = min(most, 6) if tiles.image else 1
    rows = math.ceil(most / columns)
    shown = np.concatenate([change[member, list(c)].ravel() for member, c in enumerate(chosen[:MAX_MEMBERS])])
    limit = _nice(float(np.abs(shown[np.isfinite(shown)]).max(initial=0)))
    step, fall = tiles.width + 3 * GAP, LINE + tiles.height + 2 * GAP

    def draw(page: Page, member: int, left: int, top: int) -> None:
        for index, dim in enumerate(chosen[member]):
            x, y = left + index % columns * step, top + index // columns * fall
            page.say(x, y + LINE / 2, str(dim + 1) if tiles.image else f"dim {dim + 1}", page.scheme.ink, ha="left")
            told = f"{share[member, dim]:.1%}".replace("%", " %") if np.isfinite(share[member, dim]) else "lost"
            page.say(x + tiles.width, y + LINE / 2, told, size=TINY, ha="right")
            tiles.change(page, x, y + LINE, change[member, dim], limit)

    low, high = map(_number, ends)

    def titled(member: int) -> str:
        count, size = len(chosen[member]), share.shape[1]
        held = np.nansum(share[member, list(chosen[member])])
        return f"{count} of {size} dims: {held:.0%} of all change".replace("%", " %") if count < size else ""

    what = "a pixel" if tiles.image else "each number"
    head = f"Mean change of {what} when one latent dimension goes from {low} to {high}"
    size = columns * step - 3 * GAP, rows * fall - 2 * GAP
    key = "data units, 1 is from black to white" if tiles.image else "data units"
    key += "; %: the dimension's share of all change"
    return _page(seeds, size, draw, head, titled, (limit, key))


def _page(
    seeds: Sequence[int],
    size: tuple[int, int],
    draw: Draw,
    headline: str,
    titled: Callable[[int], str] = lambda member: "",
    key: tuple[float, str] | None = None,
) -> Figure:
    """Members in reading order under a headline; a block is `size` pixels, below the line that names its seed."""
    count = min(len(seeds), MAX_MEMBERS)
    if count < len(seeds):
        headline += f" (first {count} of {len(seeds):,} seeds)"
    names = [f"seed {seed}" for seed in seeds[:count]]
    told = [_width(name, TEXT) + 16 + _width(titled(member), SMALL) for member, name in enumerate(names)]
    width, height = max(size[0], *told), size[1] + LINE
    columns = min(count, max(1, round(math.sqrt(1.6 * count * (height + GUTTER) / (width + GUTTER)))))
    rows = math.ceil(count / columns)
    columns = math.ceil(count / rows)
    inner = max(columns * (width + GUTTER) - GUTTER, 560, 0 if key is None else _width(key[1], TINY))
    lines = textwrap.wrap(headline, max(20, int(inner / (0.54 * TITLE * DPI / 72))))
    head = len(lines) * (LINE + 4) + 14
    foot = 0 if key is None else 4 * LINE
    page = Page(inner + 2 * MARGIN, head + rows * (height + GUTTER) - GUTTER + foot + 2 * MARGIN)
    scheme = page.scheme
    for line, text in enumerate(lines):
        page.say(MARGIN, MARGIN + (line + 0.5) * (LINE + 4), text, scheme.ink, TITLE, ha="left")
    for member in range(count):
        left = MARGIN + member % columns * (width + GUTTER)
        top = MARGIN + head + member // columns * (height + GUTTER)
        name = names[member]
        page.say(left, top + LINE / 2 - 2, name, scheme.ink, TEXT, ha="left", weight="bold")
        if text := titled(member):
            page.say(left + _width(name, TEXT) + 16, top + LINE / 2 - 2, text, ha="left")
        draw(page, member, left, top + LINE)
    if key is not None:
        _bar(page, page.height - MARGIN - 3 * LINE, *key)
    return page.figure()


def _bar(page: Page, top: int, limit: float, text: str) -> None:
    """The colors of changes, from -limit to limit."""
    width = min(420, page.width - 2 * MARGIN)
    ramp = colormaps[CHANGES](np.linspace(0, 1, width))[None, :, :3]
    page.put(MARGIN, top, (ramp * 255).round().astype(np.uint8).repeat(14, axis=0))
    for place, words in ((0, f"−{limit:g}"), (0.5, "0"), (1, f"+{limit:g}")):
        align = {0: "left", 0.5: "center", 1: "right"}[place]
        page.say(MARGIN + place * width, top + 14 + LINE / 2, words, size=TINY, ha=align)
    page.say(MARGIN, top + 14 + 1.5 * LINE, text, size=TINY, ha="left")


def _tiles(examples: np.ndarray, axes: int, aim: int = 84) -> Tiles:
    return Tiles(examples.shape[axes:], aim if len(examples) <= 16 else aim * 2 // 3)


def _pieces(expression: str) -> list[str]:
    """Letters, and what stands between them."""
    found = re.findall(r"\d[\d.]*(?:e[+-]?\d+)?|\.\d+|[a-z]|[^\sa-z]", expression)
    pieces: list[str] = []
    for token in found:
        if pieces and not re.fullmatch("[a-z]", token) and not re.fullmatch("[a-z]", pieces[-1]):
            pieces[-1] += f" {token}" if token in "+-*" or pieces[-1][-1] in "+-*" else token
        else:
            pieces.append(token)
    return [p if re.fullmatch("[a-z]", p) else _spelled(p) for p in pieces]


def _spelled(expression: str) -> str:
    return expression.strip().replace("*", "×").replace("-", "−")


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _nice(value: float) -> float:
    """The next round number from `value` up."""
    if not value > 0:
        return 1.0
    power = 10 ** math.floor(math.log10(value))
    return float(next(m * power for m in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if m * power >= value * (1 - 1e-9)))


def _width(text: str, size: float) -> int:
    """About how many pixels a text takes."""
    return math.ceil(len(text) * size * DPI / 72 * 0.6)


def _bytes(color: str) -> tuple[int, ...]:
    return tuple(round(255 * part) for part in to_rgb(color))
