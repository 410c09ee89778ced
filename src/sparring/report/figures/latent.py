"""Figures of the latent tools: every member's examples side by side, labeled with what was done to the latent vector.

Images are enlarged by whole factors and never smoothed. Examples of a few numbers are drawn as cells with the numbers
in them. Each function returns a matplotlib Figure; none touches matplotlib's global state.
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

from sparring.analysis.wording import listed
from sparring.errors import UsageError
from sparring.record.grid import MAX_MEMBERS, in_color
from sparring.report.figures.drawing import DPI, LIGHT, SMALL, TEXT, TITLE, Scheme

MARGIN, GUTTER, GAP = 20, 36, 5
"""Pixels around the page, between members, between examples."""
LINE = 30
"""Height of a line of text, in pixels."""
TINY = 8.0
"""Points."""
MAX_CELLS = 12
"""Examples of at most this many numbers have them written out."""
CELL = (58, 40)
"""Pixels of a cell with a number in it, across and down."""
CHANGES = "RdBu_r"
"""Red is more, blue is less, white is no change; readable with any color vision."""

MAX_PIXELS = 30_000
"""Side of a page: image viewers show no larger ones."""

Draw = Callable[["Page", int, int, int], None]


@dataclass
class Page:
    """A canvas of pixels with text on it. Positions are in pixels from the top left."""

    width: int
    height: int
    scheme: Scheme = LIGHT
    texts: list[tuple[float, float, str, dict[str, Any]]] = field(default_factory=list[Any])

    def __post_init__(self) -> None:
        if max(self.width, self.height) > MAX_PIXELS:
            raise UsageError(
                f"this picture would be {self.width:,} x {self.height:,} pixels; "
                "choose fewer seeds or examples, or write a .npy file"
            )
        self.canvas = np.full((self.height, self.width, 3), _bytes(self.scheme.paper), dtype=np.uint8)

    def put(self, left: int, top: int, pixels: np.ndarray) -> None:
        """Paste uint8 pixels `(H, W, 3)`."""
        self.canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels

    def write(self, x: float, y: float, text: str, color: str = "", size: float = SMALL, **style: Any) -> None:
        """Write text centered at a position; `style` goes to matplotlib's Text."""
        style = {"color": color or self.scheme.soft, "fontsize": size, "ha": "center", "va": "center", **style}
        self.texts.append((x, y, text, style))

    def figure(self) -> Figure:
        """The page as a figure of the same size in pixels."""
        figure = Figure(figsize=(self.width / DPI, self.height / DPI), dpi=DPI, facecolor=self.scheme.paper)
        figure.figimage(self.canvas, origin="upper")
        for x, y, text, style in self.texts:
            figure.text(x / self.width, 1 - y / self.height, text, **style)
        return figure


@dataclass(frozen=True)
class Tiles:
    """How examples of one shape are drawn: about `aim` pixels wide."""

    shape: tuple[int, ...]
    aim: int = 84

    @property
    def image(self) -> bool:
        """Whether examples are images `(C, H, W)`."""
        return len(self.shape) == 3

    @property
    def cell(self) -> tuple[int, int]:
        """Width and height in the figure of one pixel or number of an example."""
        if self.image:
            scale = max(1, round(self.aim / self.shape[-1]))
            return scale, scale
        count = math.prod(self.shape)
        return CELL if count <= MAX_CELLS else (max(1, round(2 * self.aim / count)), CELL[1])

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
        """Draw an example in data units."""
        if self.image:
            pixels = in_color(values).transpose(1, 2, 0).clip(0, 1)
            self._cells(page, left, top, pixels, values.mean(0), None)
        else:
            flat = values.reshape(1, -1)
            self._cells(page, left, top, colormaps["viridis"](flat.clip(0, 1))[..., :3], flat, "{:.2f}")

    def change(self, page: Page, left: int, top: int, values: np.ndarray, limit: float) -> None:
        """Draw a map of signed changes; a change by `limit` has the strongest color."""
        flat = values.mean(0) if self.image else values.reshape(1, -1)
        colors = colormaps[CHANGES]((flat / limit + 1) / 2)[..., :3]
        self._cells(page, left, top, colors, flat, None if self.image else "{:+.2f}")

    def _cells(self, page: Page, left: int, top: int, colors: np.ndarray, values: np.ndarray, form: str | None) -> None:
        colors = np.where(np.isfinite(values)[..., None], np.nan_to_num(colors), to_rgb(page.scheme.missing))
        across, down = self.cell
        pixels = (colors * 255).round().astype(np.uint8).repeat(down, axis=0).repeat(across, axis=1)
        page.put(left, top, pixels)
        if form is None or values.size > MAX_CELLS:
            return
        for index, value in enumerate(values[0]):
            dark = colors[0, index] @ (0.299, 0.587, 0.114) < 0.55
            text = form.format(value).replace("-", "−") if np.isfinite(value) else "NaN"
            at = left + (index + 0.5) * across, top + down / 2
            page.write(*at, text, "#ffffff" if dark else "#1c1c1e", TINY)


def sweep(
    examples: np.ndarray, seeds: Sequence[int], dims: Sequence[Sequence[int]], values: Sequence[float], z_seed: int
) -> Figure:
    """A latent traversal, `(P, K, values, *shape)`: a row for each of a member's K dimensions (from 1), a column for
    each value."""
    tiles = _tiles(examples, 3)
    names = [[f"dim {dim}" for dim in mine] for mine in dims]
    side = text_width(max((name for mine in names for name in mine), key=len), SMALL) + 8
    step, fall = tiles.width + tiles.gap, tiles.height + tiles.gap

    def draw(page: Page, member: int, left: int, top: int) -> None:
        for column, value in enumerate(values):
            page.write(left + side + column * step + tiles.width / 2, top + LINE / 2, _number(value))
        for row, name in enumerate(names[member]):
            y = top + LINE + row * fall
            page.write(left + side - 8, y + tiles.height / 2, name, ha="right")
            for column in range(len(values)):
                tiles.example(page, left + side + column * step, y, examples[member, row, column])

    size = side + len(values) * step - tiles.gap, LINE + len(dims[0]) * fall - tiles.gap
    changed = "one dimension at a time" if len(dims[0]) > 1 else "one dimension"
    return _page(seeds, size, draw, f"Latent vector {z_seed} of each seed, with {changed} set to each value")


def blend(examples: np.ndarray, seeds: Sequence[int], z_seeds: Sequence[int], path: str) -> Figure:
    """An interpolation: `(P, steps, *shape)` as a strip, `(P, steps, steps, *shape)` as a square with named corners."""
    square = len(z_seeds) == 4
    rows = examples if square else examples[:, None]
    tiles = _tiles(rows, 3, 64 if square else 84)
    step, fall = tiles.width + tiles.gap, tiles.height + tiles.gap
    width, height = rows.shape[2] * step - tiles.gap, rows.shape[1] * fall - tiles.gap

    def draw(page: Page, member: int, left: int, top: int) -> None:
        for row in range(rows.shape[1]):
            for column in range(rows.shape[2]):
                tiles.example(page, left + column * step, top + LINE + row * fall, rows[member, row, column])
        for index, z_seed in enumerate(z_seeds):
            x = left + index % 2 * width
            y = top + LINE / 2 if index < 2 else top + LINE + height + LINE / 2
            page.write(x, y, f"vector {z_seed}", ha="left" if index % 2 == 0 else "right")

    size = width, LINE + height + (LINE if square else 0)
    return _page(
        seeds,
        size,
        draw,
        f"{path.capitalize()} interpolation between latent vectors {listed([str(z) for z in z_seeds])} of each seed",
    )


def arithmetic(
    examples: np.ndarray, seeds: Sequence[int], expression: str, z_seeds: dict[str, int], lengths: np.ndarray
) -> Figure:
    """Latent arithmetic, `(P, letters + 1, *shape)`: an example for each letter, then the one for the result.

    `lengths`, `(P, letters + 1)`, are the L2 norms of the vectors, and are written below the examples.
    """
    tiles = _tiles(examples, 2, 112)
    order = list(z_seeds)
    pieces = [*_pieces(expression), "=", ""]
    widths = [max(tiles.width, 120) if p in z_seeds or not p else text_width(p, TITLE) for p in pieces]
    space = 10

    def draw(page: Page, member: int, left: int, top: int) -> None:
        middle = top + LINE + tiles.height / 2
        for piece, width in zip(pieces, widths, strict=True):
            if piece in z_seeds or not piece:
                index = order.index(piece) if piece else len(order)
                center = left + width // 2
                title = piece or _typeset(expression)
                page.write(center, top + LINE / 2, title, page.scheme.ink, TEXT)
                tiles.example(page, center - tiles.width // 2, top + LINE, examples[member, index])
                below = [f"vector {z_seeds[piece]}"] if piece else ["result"]
                below.append(f"norm {lengths[member, index]:.3g}")
                for line, text in enumerate(below):
                    page.write(center, top + LINE + tiles.height + (line + 0.5) * 24 + 4, text, size=TINY)
            else:
                page.write(left + width / 2, middle, piece, page.scheme.ink, TITLE + 3)
            left += width + space

    size = sum(widths) + space * (len(widths) - 1), LINE + tiles.height + 2 * LINE
    return _page(
        seeds,
        size,
        draw,
        f"Latent arithmetic: {_typeset(expression)}, and G's output for the result",
    )


def influence(
    change: np.ndarray,
    share: np.ndarray,
    seeds: Sequence[int],
    chosen: Sequence[Sequence[int]],
    ends: tuple[float, float],
) -> Figure:
    """Maps of how outputs change with each of a member's `chosen` dimensions (indices from 0).

    `change` is `(P, size, *shape)`, `share` is `(P, size)`, and `ends` are the two values that a dimension is set to.
    """
    tiles = Tiles(change.shape[2:], 112)
    maps = max(len(dims) for dims in chosen)
    columns = min(maps, 6) if tiles.image else 1
    rows = math.ceil(maps / columns)
    drawn = np.concatenate([change[member, list(dims)].ravel() for member, dims in enumerate(chosen[:MAX_MEMBERS])])
    limit = _nice(float(np.abs(drawn[np.isfinite(drawn)]).max(initial=0)))
    step, fall = tiles.width + 3 * GAP, LINE + tiles.height + 2 * GAP

    def draw(page: Page, member: int, left: int, top: int) -> None:
        for index, dim in enumerate(chosen[member]):
            x, y = left + index % columns * step, top + index // columns * fall
            page.write(x, y + LINE / 2, str(dim + 1) if tiles.image else f"dim {dim + 1}", page.scheme.ink, ha="left")
            percent = f"{share[member, dim]:.1%}".replace("%", " %") if np.isfinite(share[member, dim]) else "NaN"
            page.write(x + tiles.width, y + LINE / 2, percent, size=TINY, ha="right")
            tiles.change(page, x, y + LINE, change[member, dim], limit)

    low, high = map(_number, ends)

    def titled(member: int) -> str:
        count, size = len(chosen[member]), share.shape[1]
        sum_of_shares = np.nansum(share[member, list(chosen[member])])
        return f"{count} of {size} dims: {sum_of_shares:.0%} of all change".replace("%", " %") if count < size else ""

    what = "a pixel" if tiles.image else "each number"
    head = f"Mean change of {what} when one latent dimension goes from {low} to {high}"
    size = columns * step - 3 * GAP, rows * fall - 2 * GAP
    key = "data units (1 = from black to white)" if tiles.image else "data units"
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
    """Members in reading order below a headline; each block is `size` pixels, below a line with its seed."""
    count = min(len(seeds), MAX_MEMBERS)
    if count < len(seeds):
        headline += f" (first {count} of {len(seeds):,} seeds)"
    names = [f"seed {seed}" for seed in seeds[:count]]
    titles = [text_width(name, TEXT) + 16 + text_width(titled(member), SMALL) for member, name in enumerate(names)]
    width, height = max(size[0], *titles), size[1] + LINE
    columns = min(count, max(1, round(math.sqrt(1.6 * count * (height + GUTTER) / (width + GUTTER)))))
    rows = math.ceil(count / columns)
    columns = math.ceil(count / rows)
    inner = max(columns * (width + GUTTER) - GUTTER, 560, 0 if key is None else text_width(key[1], TINY))
    lines = textwrap.wrap(headline, max(20, int(inner / (0.54 * TITLE * DPI / 72))))
    head = len(lines) * (LINE + 4) + 14
    foot = 0 if key is None else 4 * LINE
    page = Page(inner + 2 * MARGIN, head + rows * (height + GUTTER) - GUTTER + foot + 2 * MARGIN)
    scheme = page.scheme
    for line, text in enumerate(lines):
        page.write(MARGIN, MARGIN + (line + 0.5) * (LINE + 4), text, scheme.ink, TITLE, ha="left")
    for member in range(count):
        left = MARGIN + member % columns * (width + GUTTER)
        top = MARGIN + head + member // columns * (height + GUTTER)
        name = names[member]
        page.write(left, top + LINE / 2 - 2, name, scheme.ink, TEXT, ha="left", weight="bold")
        if text := titled(member):
            page.write(left + text_width(name, TEXT) + 16, top + LINE / 2 - 2, text, ha="left")
        draw(page, member, left, top + LINE)
    if key is not None:
        _bar(page, page.height - MARGIN - 3 * LINE, *key)
    return page.figure()


def _bar(page: Page, top: int, limit: float, text: str) -> None:
    """A color bar from -limit to limit, with text below."""
    width = min(420, page.width - 2 * MARGIN)
    ramp = colormaps[CHANGES](np.linspace(0, 1, width))[None, :, :3]
    page.put(MARGIN, top, (ramp * 255).round().astype(np.uint8).repeat(14, axis=0))
    for place, words in ((0, f"−{limit:g}"), (0.5, "0"), (1, f"+{limit:g}")):
        align = {0: "left", 0.5: "center", 1: "right"}[place]
        page.write(MARGIN + place * width, top + 14 + LINE / 2, words, size=TINY, ha=align)
    page.write(MARGIN, top + 14 + 1.5 * LINE, text, size=TINY, ha="left")


def _tiles(examples: np.ndarray, axes: int, aim: int = 84) -> Tiles:
    return Tiles(examples.shape[axes:], aim if len(examples) <= 16 else aim * 2 // 3)


def _pieces(expression: str) -> list[str]:
    """An expression split into letters and the operators between them."""
    found = re.findall(r"\d[\d.]*(?:e[+-]?\d+)?|\.\d+|[a-z]|[^\sa-z]", expression)
    pieces: list[str] = []
    for token in found:
        if pieces and not re.fullmatch("[a-z]", token) and not re.fullmatch("[a-z]", pieces[-1]):
            pieces[-1] += f" {token}" if token in "+-*" or pieces[-1][-1] in "+-*" else token
        else:
            pieces.append(token)
    return [p if re.fullmatch("[a-z]", p) else _typeset(p) for p in pieces]


def _typeset(expression: str) -> str:
    """With a multiplication sign and a proper minus."""
    return expression.strip().replace("*", "×").replace("-", "−")


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _nice(value: float) -> float:
    """The smallest round number that is not below `value`."""
    if not value > 0:
        return 1.0
    power = 10 ** math.floor(math.log10(value))
    return float(next(m * power for m in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if m * power >= value * (1 - 1e-9)))


def text_width(text: str, size: float) -> int:
    """About how many pixels wide a text is."""
    return math.ceil(len(text) * size * DPI / 72 * 0.6)


def _bytes(color: str) -> tuple[int, ...]:
    return tuple(round(255 * part) for part in to_rgb(color))
