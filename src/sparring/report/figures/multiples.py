"""Pictures of runs side by side: small ones with the same axes for each run, and one of where all of them ended."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparring.analysis.comparison import Comparison
from sparring.analysis.facts import TITLES, Facts
from sparring.report.figures.drawing import (
    LIGHT,
    SMALL,
    TEXT,
    Limits,
    Scheme,
    answer_limits,
    blank,
    draw_curve,
    draw_level,
    drawn,
    dress,
    halo,
    levels_of,
    limits,
    place_legend,
)

LOSSES, ANSWERS = ("d_loss", "g_loss"), ("d_real", "d_fake")
SMALL_WIDTH, SMALL_HEIGHT = 4.3, 2.7
"""Inches of a small picture."""
ENDS_WIDTH = 7.0
"""Inches: no wider than the column of text, so that little of it lies off a telephone's screen."""


def losses(held: Comparison, facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """Both players' losses in one run; the same axes in every run of the same objective."""
    rivals = held.rivals(facts)
    return _small(held, facts, LOSSES, limits(drawn(rivals, LOSSES), levels_of(rivals, LOSSES)), scheme)


def answers(held: Comparison, facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """What D says of real and of generated examples in one run; the same axes in every run whose answers compare."""
    return _small(held, facts, ANSWERS, _answer_limits(held, facts), scheme)


def ends(held: Comparison, scheme: Scheme = LIGHT) -> Figure:
    """Where D's answers ended in every run: each seed a dot, the mean a bar."""
    figure = blank(scheme, 1.3 + 0.5 * len(held.runs), ENDS_WIDTH)
    axes = figure.subplots()
    dress(axes, scheme, grid=False)
    axes.grid(True, axis="x", color=scheme.rule, linewidth=0.8)
    for row, facts in enumerate(held.runs):
        for name, shift in (("d_real", -0.14), ("d_fake", 0.14)):
            _dots(axes, facts.last[name], row + shift, scheme.hues[name], scheme)
    levels = levels_of(held.runs, ANSWERS)
    for level in levels:
        axes.axvline(level, color=scheme.ink, linewidth=1.1, linestyle=(0, (5, 3)), zorder=1)
    if levels == [0.5]:
        axes.set_xlim(-0.03, 1.03)
    axes.set_yticks(range(len(held.runs)), [_short(name) for name in held.names])
    axes.tick_params(axis="y", labelsize=TEXT, labelcolor=scheme.ink, length=0)
    axes.set_ylim(len(held.runs) - 0.5, -0.5)
    axes.set_xlabel("D(x): 0 = fake, 1 = real" if levels == [0.5] else "D(x)", fontsize=TEXT, color=scheme.soft)
    keys: list[Any] = [
        Line2D([], [], color=scheme.hues[name], linestyle="", marker="o", markersize=6, label=TITLES[name])
        for name in ANSWERS
    ]
    keys.append(
        Line2D([], [], color=scheme.soft, linestyle="", marker="|", markersize=10, markeredgewidth=3, label="mean")
    )
    keys.append(Line2D([], [], color=scheme.ink, linewidth=1.1, linestyle=(0, (5, 3)), label="D cannot tell"))
    place_legend(figure, keys, scheme)
    return figure


def _small(held: Comparison, facts: Facts, names: tuple[str, str], reach: Limits, scheme: Scheme) -> Figure:
    figure = blank(scheme, SMALL_HEIGHT, SMALL_WIDTH)
    axes = figure.subplots()
    for name in names:
        draw_curve(axes, facts, name, scheme)
    for level in levels_of([facts], names):
        draw_level(axes, level, "D cannot\ntell", scheme)
    axes.set_xlim(0, max(other.rounds for other in held.runs) if held.lengths_compare else facts.rounds)
    axes.set_ylim(*reach)
    keys = [Line2D([], [], color=scheme.hues[name], linewidth=2.2, label=TITLES[name]) for name in names]
    axes.legend(
        handles=keys,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        fontsize=SMALL,
        frameon=False,
        labelcolor=scheme.ink,
        handlelength=1.4,
        borderaxespad=0.2,
    )
    return figure


def _answer_limits(held: Comparison, facts: Facts) -> Limits:
    runs = held.runs if held.answers_compare else held.rivals(facts)
    if levels_of(runs, ANSWERS) == [0.5]:
        return answer_limits(drawn(runs, ANSWERS))
    return limits(drawn(runs, ANSWERS), levels_of(runs, ANSWERS))


def _dots(axes: Axes, values: np.ndarray, row: float, hue: str, scheme: Scheme) -> None:
    values = values[np.isfinite(values)]
    if not len(values):
        return
    alpha = float(np.clip(8 / len(values), 0.15, 0.6))
    axes.plot(values, np.full(len(values), row), "o", color=hue, markersize=5, alpha=alpha, markeredgewidth=0)
    mean = float(values.mean())
    edges = [row - 0.13, row + 0.13]
    axes.plot([mean, mean], edges, color=hue, linewidth=3, solid_capstyle="round", path_effects=halo(scheme, 5))


def _short(name: str) -> str:
    """As much of a name as fits beside the picture; a dollar would begin a formula."""
    return (name if len(name) <= 28 else f"{name[:27]}…").replace("$", r"\$")
