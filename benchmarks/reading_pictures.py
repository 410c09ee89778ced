"""Draw the pictures of docs/reading.md from runs: what the same numbers look like in good runs and in sick ones.

    python benchmarks/reading_pictures.py RUN RUN ...        one column for each run, in this order

The columns bear the verdicts that the diagnosis comes to.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from sparring.record import Run
from sparring.record.grid import excerpts
from sparring.report.course import shown
from sparring.report.drawing import LIGHT, SMALL, TEXT, as_png, blank, draw_members, dress, tick_rounds
from sparring.report.facts import Facts
from sparring.report.looks import name_of

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
FIGURES = ("frechet-distance", "diversity", "nearest-training")
EXAMPLES = 16


def answers(runs: list[Facts]) -> Figure:
    """What D answers over the rounds, and below it what the first seed's G draws in the end."""
    figure = blank(LIGHT, 4.4)
    top, bottom = figure.subplots(2, len(runs), squeeze=False, height_ratios=(1, 1))
    for axes, below, facts in zip(top, bottom, runs, strict=True):
        _dress(axes, facts, facts.diagnosis.verdict)
        for name in ("d_real", "d_fake"):
            draw_members(axes, facts.story.noted, shown(facts, name), LIGHT.hues[name], LIGHT)
        axes.axhline(facts.equilibrium["d_real"], color=LIGHT.ink, linewidth=1, linestyle=(0, (5, 3)))
        axes.set_ylim(-0.03, 1.03)
        below.imshow(_samples(facts), interpolation="nearest")
        below.set_axis_off()
    top[0].set_ylabel("D(real) green, D(fake) pink", fontsize=SMALL, color=LIGHT.soft)
    return figure


def samples(runs: list[Facts]) -> Figure:
    """Three figures of samples over the rounds, with what real data scores."""
    figure = blank(LIGHT, 5.2)
    grid = figure.subplots(len(FIGURES), len(runs), squeeze=False, sharey="row")
    for row, name in zip(grid, FIGURES, strict=True):
        for axes, facts in zip(row, runs, strict=True):
            rounds, held = facts.story.figures
            _dress(axes, facts, facts.diagnosis.verdict if name == FIGURES[0] else "")
            draw_members(axes, rounds, held[name], LIGHT.hues["samples"], LIGHT)
            assert facts.looked is not None
            axes.axhline(facts.looked.real[name], color=LIGHT.ink, linewidth=1, linestyle=(0, (5, 3)))
        row[0].set_ylabel(name_of(name).title, fontsize=SMALL, color=LIGHT.soft)
        if name == "frechet-distance":
            row[0].set_yscale("log")
    return figure


def _dress(axes: Axes, facts: Facts, title: str) -> None:
    dress(axes, LIGHT)
    tick_rounds(axes, few=True)
    axes.set_xlim(0, facts.story.round)
    axes.set_title(title, loc="left", fontsize=TEXT, color=LIGHT.ink)


def _samples(facts: Facts) -> np.ndarray:
    with Image.open(facts.run.path / facts.story.pictures[-1]) as picture:
        found = excerpts(picture, 1, EXAMPLES)
        assert found is not None
        return np.asarray(found[0].convert("RGB"))


def main() -> None:
    """Both pictures."""
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    runs = [Facts.of(Run.open(path)) for path in sys.argv[1:]]
    for name, figure in (("reading-answers", answers(runs)), ("reading-samples", samples(runs))):
        path = PICTURES / f"{name}.png"
        path.write_bytes(as_png(figure))
        print(path)


if __name__ == "__main__":
    main()
