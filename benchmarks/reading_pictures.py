"""Draw the pictures of docs/reading.md from runs: what the same numbers look like in good runs and in sick ones.

    python benchmarks/reading_pictures.py RUN RUN ...            one column for each run, in this order
    python benchmarks/reading_pictures.py --unseen RUN RUN ...   what D says of examples that it has not seen

The columns bear the verdicts that the diagnosis comes to. The runs in the docs are cases of `broken_gans.py` and
recipes of `ladder.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from PIL import Image

from sparring.analysis.facts import Facts
from sparring.record import Run
from sparring.record.grid import excerpts
from sparring.report.figures.drawing import (
    LIGHT,
    SMALL,
    TEXT,
    as_png,
    blank,
    draw_members,
    dress,
    log_rounds,
    place_legend,
)
from sparring.report.figures.smoothing import shown
from sparring.report.terminal.evaluations import name_of
from sparring.rules import Signals
from sparring.rules._words import called

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
FIGURES = ("frechet-distance", "diversity", "nearest-neighbor")
OPINIONS = ("d_train", "d_held_out", "d_generated")
EXAMPLES = 16
LOWEST, HIGHEST = 0.5, 1e3
"""Ends of a gray band that has none."""


def answers(runs: list[Facts]) -> Figure:
    """What D answers over the rounds, and below it what the first seed's G draws in the end."""
    figure = blank(LIGHT, 4.4)
    top, bottom = figure.subplots(2, len(runs), squeeze=False, height_ratios=(1, 1))
    for axes, below, facts in zip(top, bottom, runs, strict=True):
        _dress(axes, facts, facts.diagnosis.verdict)
        for name in ("d_real", "d_fake"):
            draw_members(axes, facts.story.logged_rounds, shown(facts, name), LIGHT.hues[name], LIGHT)
        axes.axhline(facts.equilibrium["d_real"], color=LIGHT.ink, linewidth=1, linestyle=(0, (5, 3)))
        axes.set_ylim(-0.03, 1.03)
        below.imshow(_samples(facts), interpolation="nearest")
        below.set_axis_off()
    top[0].set_ylabel("D(real) green, D(fake) pink", fontsize=SMALL, color=LIGHT.soft)
    return figure


def curves(runs: list[Facts]) -> Figure:
    """Both losses, with what D's is once it cannot tell, and below them both gradients."""
    figure = blank(LIGHT, 4.4)
    grid = figure.subplots(2, len(runs), squeeze=False, sharey="row")
    for axes, below, facts in zip(*grid, runs, strict=True):
        _dress(axes, facts, facts.diagnosis.verdict)
        _dress(below, facts, "")
        for name in ("d_loss", "g_loss"):
            draw_members(axes, facts.story.logged_rounds, shown(facts, name), LIGHT.hues[name], LIGHT)
        for name in ("d_gradient", "g_gradient"):
            draw_members(below, facts.story.logged_rounds, shown(facts, name), LIGHT.hues[name], LIGHT)
        axes.axhline(facts.equilibrium["d_loss"], color=LIGHT.ink, linewidth=1, linestyle=(0, (5, 3)))
    for axes, title in zip(grid[:, 0], ("losses", "gradient norms"), strict=True):
        _logarithmic(axes)
        axes.set_ylabel(f"{title}: D blue, G orange", fontsize=SMALL, color=LIGHT.soft)
    return figure


def unseen(runs: list[Facts]) -> Figure:
    """What D answers to training examples, to real ones that it has not seen, and to generated ones."""
    figure = blank(LIGHT, 2.9)
    grid = figure.subplots(1, len(runs), squeeze=False)
    for axes, facts in zip(grid[0], runs, strict=True):
        rounds, held = facts.story.evaluations
        _dress(axes, facts, facts.diagnosis.verdict)
        for name in OPINIONS:
            draw_members(axes, rounds, held[name], LIGHT.hues[name], LIGHT)
        axes.set_ylim(-0.03, 1.03)
    keys = [Line2D([], [], color=LIGHT.hues[name], linewidth=2.2, label=called(name)) for name in OPINIONS]
    place_legend(figure, keys, LIGHT)
    return figure


def samples(runs: list[Facts]) -> Figure:
    """Three figures of samples over the rounds, with what real data scores and what is healthy."""
    figure = blank(LIGHT, 5.2)
    grid = figure.subplots(len(FIGURES), len(runs), squeeze=False, sharey="row")
    for row, name in zip(grid, FIGURES, strict=True):
        for axes, facts in zip(row, runs, strict=True):
            rounds, held = facts.story.evaluations
            _dress(axes, facts, facts.diagnosis.verdict if name == FIGURES[0] else "")
            draw_members(axes, rounds, held[name], LIGHT.hues["samples"], LIGHT)
            assert facts.evaluated is not None
            axes.axhline(facts.evaluated.real[name], color=LIGHT.ink, linewidth=1, linestyle=(0, (5, 3)))
            healthy = Signals(facts.story).healthy(name)
            low, high = max(healthy.low, LOWEST), min(healthy.high, HIGHEST)
            axes.axhspan(low, high, color=LIGHT.rule, linewidth=0, zorder=0)
        row[0].set_ylabel(name_of(name).title, fontsize=SMALL, color=LIGHT.soft)
        if name == "frechet-distance":
            _logarithmic(row[0])
    return figure


def _logarithmic(axes: Axes) -> None:
    """With all that share its scale."""
    axes.set_yscale("log")
    for each in axes.get_shared_y_axes().get_siblings(axes):
        each.yaxis.set_minor_locator(NullLocator())


def _dress(axes: Axes, facts: Facts, title: str) -> None:
    dress(axes, LIGHT)
    log_rounds(axes, few=True)
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
    drawn = {"reading-scores": answers, "reading-curves": curves, "reading-samples": samples}
    if words[:1] == ["--unseen"]:
        drawn, words = {"reading-held-out": unseen}, words[1:]
    if not words or words[0].startswith("-"):
        sys.exit(__doc__)
    runs = [Facts.of(Run.open(path)) for path in words]
    for name, draw in drawn.items():
        figure = draw(runs)
        path = PICTURES / f"{name}.png"
        path.write_bytes(as_png(figure))
        print(path)


if __name__ == "__main__":
    main()
