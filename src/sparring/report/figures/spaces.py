"""Latent spaces of several seeds side by side: one image in each, pairs of seeds, and directions that match."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparring.report.figures.drawing import LIGHT, SMALL, TEXT, Scheme, blank
from sparring.report.figures.latent import GAP, LINE, MARGIN, TINY, Page, Tiles

if TYPE_CHECKING:
    from sparring.analysis.latent_tools.spaces import Spaces

MAX_IMAGES = 8
"""Images that are drawn; the table has all."""
AIM = 96
"""Pixels that an example is about wide."""
MAX_WRITTEN = 10
"""Up to this many seeds each pair has its number written in it."""


def nearest(found: Spaces, scheme: Scheme = LIGHT) -> Figure:
    """A row for each image: the image, then the nearest example of every seed with its error."""
    tiles, images = Tiles(found.images.shape[1:], AIM), min(len(found.images), MAX_IMAGES)
    step, fall = max(tiles.width, 60) + 2 * GAP, tiles.height + LINE
    seeds = found.recipe.seeds
    page = Page((1 + len(seeds)) * step + 2 * MARGIN, LINE + images * fall + 2 * MARGIN, scheme)
    for column, title in enumerate(["image", *(f"seed {seed}" for seed in seeds)]):
        page.write(MARGIN + column * step + tiles.width / 2, MARGIN + LINE / 2, title, page.scheme.ink, SMALL)
    for k in range(images):
        top = MARGIN + LINE + k * fall
        tiles.example(page, MARGIN, top, found.images[k])
        for m in range(len(seeds)):
            left = MARGIN + (m + 1) * step
            tiles.example(page, left, top, found.nearest[m, k])
            page.write(left + tiles.width / 2, top + tiles.height + LINE / 2 - 3, f"{found.error[m, k]:.3f}", size=TINY)
    return page.figure()


def pairs(found: Spaces, scheme: Scheme = LIGHT) -> Figure:
    """Each two seeds: how well one finds the other's samples, and how alike they arrange the same images."""
    figure = blank(scheme, 8.6 if scheme.narrow else 4.4)
    axes = figure.subplots(2, 1) if scheme.narrow else figure.subplots(1, 2)
    errors, seeds = 100 * found.found, found.recipe.seeds
    _matrix(axes[0], errors, seeds, "{:.0f}", scheme, "viridis_r", (0.0, max(100.0, float(np.nanmax(errors)))))
    axes[0].set_title("Samples found, error in %", fontsize=TEXT, color=scheme.ink, loc="left")
    axes[0].set_ylabel("samples of seed", fontsize=SMALL, color=scheme.soft)
    axes[0].set_xlabel("projected into seed", fontsize=SMALL, color=scheme.soft)
    _matrix(axes[1], found.arranged, seeds, "{:.2f}", scheme, "viridis", (0.0, 1.0))
    axes[1].set_title("Arrangement, correlation", fontsize=TEXT, color=scheme.ink, loc="left")
    axes[1].set_xlabel("seed", fontsize=SMALL, color=scheme.soft)
    return figure


def _matrix(
    axes: Axes,
    values: np.ndarray,
    seeds: tuple[int, ...],
    form: str,
    scheme: Scheme,
    colors: str,
    limits: tuple[float, float],
) -> None:
    axes.imshow(values, cmap=colors, vmin=limits[0], vmax=limits[1])
    axes.set_xticks(range(len(seeds)), [str(seed) for seed in seeds])
    axes.set_yticks(range(len(seeds)), [str(seed) for seed in seeds])
    axes.tick_params(colors=scheme.soft, labelsize=SMALL, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if len(seeds) > MAX_WRITTEN:
        return
    flipped = colors.endswith("_r")
    for (row, column), value in np.ndenumerate(values):
        share = (value - limits[0]) / (limits[1] - limits[0])
        light = (1 - share if flipped else share) > 0.55
        text = form.format(value) if np.isfinite(value) else "–"
        axes.text(column, row, text, ha="center", va="center", fontsize=SMALL, color="#1c1c1e" if light else "#ffffff")


def matching(found: Spaces, names: list[str], scheme: Scheme = LIGHT) -> Figure:
    """A row for each of the first seed's directions: the map of what it changes, and its match in every other seed."""
    shape = found.images.shape[1:]
    tiles, seeds = Tiles(shape, AIM), found.recipe.seeds
    step, fall = max(tiles.width, 60) + 2 * GAP, tiles.height + LINE
    mine = found.effects[0]
    side = 24
    page = Page(side + len(seeds) * step + 2 * MARGIN, LINE + len(mine) * (fall + LINE) + 2 * MARGIN, scheme)
    limit = max(float(each.change.abs().max()) for member in found.effects for each in member) or 1.0
    for m, seed in enumerate(seeds):
        page.write(
            MARGIN + side + m * step + tiles.width / 2, MARGIN + LINE / 2, f"seed {seed}", page.scheme.ink, SMALL
        )
    others = [found.matched(0, m) for m in range(1, len(seeds))]
    for k, effect in enumerate(mine):
        top = MARGIN + LINE + k * (fall + LINE)
        page.write(MARGIN, top + LINE / 2, f"{k + 1}  {names[k]}", page.scheme.ink, SMALL, ha="left")
        tiles.change(page, MARGIN + side, top + LINE, effect.change.numpy(), limit)
        for m, pairs_of in enumerate(others, 1):
            index, cosine = pairs_of[k]
            left = MARGIN + side + m * step
            change = found.effects[m][index].change.numpy() * (1 if cosine >= 0 else -1)
            tiles.change(page, left, top + LINE, change, limit)
            again = abs(cosine) > found.stability[0][k].baseline
            style = {"color": page.scheme.ink, "weight": "bold"} if again else {}
            page.write(
                left + tiles.width / 2,
                top + LINE + tiles.height + LINE / 2 - 3,
                f"{abs(cosine):.2f}",
                size=TINY,
                **style,
            )
    return page.figure()
