"""Draw the pictures of docs/reading.md from runs: what the same numbers look like in good runs and in broken ones.

    python benchmarks/reading_pictures.py RUN RUN ...            one column for each run, in this order
    python benchmarks/reading_pictures.py --held-out RUN RUN ... D's scores on held-out examples

Each column is titled with the verdict of its run. The runs in the docs are cases of `broken_gans.py` and
recipes of `ladder.py`.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from PIL import Image

from sparring.analysis.curves import smoothed_curve
from sparring.analysis.facts import Facts
from sparring.record import RunFolder
from sparring.record.grid import excerpts
from sparring.report.figures.drawing import (
    LIGHT,
    SMALL,
    TEXT,
    as_png,
    blank,
    draw_members,
    dress,
    label_rounds,
    place_legend,
    round_ticks,
)
from sparring.report.metric_names import name_of
from sparring.rules import Signals
from sparring.rules._words import title as title_of

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
METRICS = ("frechet-distance", "diversity", "nearest-neighbor")
D_SCORES = ("d_train", "d_held_out", "d_generated")
EXAMPLES = 16
LOWEST, HIGHEST = 0.5, 1e3
"""Limits of the gray band where the healthy range is unbounded."""


def scores(runs: list[Facts]) -> Figure:
    """D's scores over the rounds, and below them the final samples of the first seed."""
    figure = blank(LIGHT, 4.4)
    top, bottom = figure.subplots(2, len(runs), squeeze=False, height_ratios=(1, 1))
    for axes, below, facts in zip(top, bottom, runs, strict=True):
        _dress(axes, facts, facts.diagnosis.verdict)
        for name in ("d_real", "d_fake"):
            draw_members(axes, facts.story.logged_rounds, smoothed_curve(facts, name), LIGHT.hues[name], LIGHT)
        axes.axhline(facts.equilibrium["d_real"], color=LIGHT.ink, linewidth=1, linestyle=(0, (5, 3)))
        axes.set_ylim(-0.03, 1.03)
        below.imshow(_samples(facts), interpolation="nearest")
        below.set_axis_off()
    label_rounds(top, LIGHT)
    top[0].set_ylabel("D(real) green, D(fake) pink", fontsize=SMALL, color=LIGHT.soft)
    return figure


def curves(runs: list[Facts]) -> Figure:
    """Both losses, with D's loss at equilibrium, and below them both gradient norms."""
    figure = blank(LIGHT, 4.8)
    grid = figure.subplots(2, len(runs), squeeze=False, sharey="row")
    for axes, below, facts in zip(*grid, runs, strict=True):
        _dress(axes, facts, facts.diagnosis.verdict)
        _dress(below, facts, "")
        for name in ("d_loss", "g_loss"):
            draw_members(axes, facts.story.logged_rounds, smoothed_curve(facts, name), LIGHT.hues[name], LIGHT)
        for name in ("d_gradient", "g_gradient"):
            draw_members(below, facts.story.logged_rounds, smoothed_curve(facts, name), LIGHT.hues[name], LIGHT)
        axes.axhline(facts.equilibrium["d_loss"], color=LIGHT.ink, linewidth=1, linestyle=(0, (5, 3)))
    label_rounds(grid[-1], LIGHT)
    for axes, title in zip(grid[:, 0], ("losses", "gradient norms"), strict=True):
        _logarithmic(axes)
        axes.set_ylabel(f"{title}: D blue, G orange", fontsize=SMALL, color=LIGHT.soft)
    return figure


def held_out(runs: list[Facts]) -> Figure:
    """D's scores on training examples, on held-out ones and on samples."""
    figure = blank(LIGHT, 2.9)
    grid = figure.subplots(1, len(runs), squeeze=False)
    for axes, facts in zip(grid[0], runs, strict=True):
        rounds, metrics = facts.story.evaluations
        _dress(axes, facts, facts.diagnosis.verdict)
        for name in D_SCORES:
            draw_members(axes, rounds, metrics[name], LIGHT.hues[name], LIGHT)
        axes.set_ylim(-0.03, 1.03)
    label_rounds(grid[0], LIGHT)
    grid[0, 0].set_ylabel("D(x)", fontsize=SMALL, color=LIGHT.soft)
    keys = [Line2D([], [], color=LIGHT.hues[name], linewidth=2.2, label=title_of(name)) for name in D_SCORES]
    place_legend(figure, keys, LIGHT)
    return figure


def samples(runs: list[Facts]) -> Figure:
    """Three sample metrics over the rounds, with the score of real data and the healthy range."""
    figure = blank(LIGHT, 5.4)
    grid = figure.subplots(len(METRICS), len(runs), squeeze=False, sharey="row")
    for row, name in zip(grid, METRICS, strict=True):
        for axes, facts in zip(row, runs, strict=True):
            rounds, metrics = facts.story.evaluations
            _dress(axes, facts, facts.diagnosis.verdict if name == METRICS[0] else "")
            draw_members(axes, rounds, metrics[name], LIGHT.hues["samples"], LIGHT)
            assert facts.evaluation is not None
            axes.axhline(facts.evaluation.real[name], color=LIGHT.ink, linewidth=1, linestyle=(0, (5, 3)))
            healthy = Signals(facts.story).healthy(name)
            low, high = max(healthy.low, LOWEST), min(healthy.high, HIGHEST)
            axes.axhspan(low, high, color=LIGHT.rule, linewidth=0, zorder=0)
        row[0].set_ylabel(textwrap.fill(name_of(name).title, 18), fontsize=SMALL, color=LIGHT.soft)
        if name == "frechet-distance":
            _logarithmic(row[0])
    label_rounds(grid[-1], LIGHT)
    return figure


def _logarithmic(axes: Axes) -> None:
    """Also for all axes that share its scale."""
    axes.set_yscale("log")
    for each in axes.get_shared_y_axes().get_siblings(axes):
        each.yaxis.set_minor_locator(NullLocator())


def _dress(axes: Axes, facts: Facts, title: str) -> None:
    dress(axes, LIGHT)
    round_ticks(axes, few=True)
    axes.set_xlim(0, facts.story.round)
    axes.set_title(title, loc="left", fontsize=TEXT, color=LIGHT.ink)


def _samples(facts: Facts) -> np.ndarray:
    with Image.open(facts.run.path / facts.story.pictures[-1]) as picture:
        found = excerpts(picture, 1, EXAMPLES)
        assert found is not None
        return np.asarray(found[0].convert("RGB"))


def main() -> None:
    """The pictures, at the size of a page."""
    words = sys.argv[1:]
    drawn = {"reading-scores": scores, "reading-curves": curves, "reading-samples": samples}
    if words[:1] == ["--held-out"]:
        drawn, words = {"reading-held-out": held_out}, words[1:]
    if not words or words[0].startswith("-"):
        sys.exit(__doc__)
    runs = [Facts.of(RunFolder.open(path)) for path in words]
    for name, draw in drawn.items():
        figure = draw(runs)
        path = PICTURES / f"{name}.png"
        path.write_bytes(as_png(figure))
        print(path)


if __name__ == "__main__":
    main()
