"""Figures that compare runs: small ones with the same axes for every run, and one of D's final outputs in all."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparring.analysis.comparison import Comparison
from sparring.analysis.facts import TITLES, Facts
from sparring.characters import printable
from sparring.report.figures.drawing import (
    LIGHT,
    SMALL,
    TEXT,
    Limits,
    Scheme,
    blank,
    draw_curve,
    draw_level,
    drawn_values,
    dress,
    equilibrium_levels,
    halo,
    limits,
    logarithmic_rounds,
    output_limits,
    place_legend,
)

LOSSES, OUTPUTS = ("d_loss", "g_loss"), ("d_real", "d_fake")
SMALL_WIDTH, SMALL_HEIGHT = 4.3, 2.7
"""Inches of a small figure."""
CLOSE = 0.25
"""Share of the axis below which the labels of two dashed lines would overlap."""
ENDS_WIDTH = 7.0
"""Inches: no wider than the column of text, so that it fits on a phone."""


def losses(comparison: Comparison, facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """Both players' losses in one run; runs of the same objective have the same axes."""
    runs = comparison.same_objective(facts)
    reach = limits(drawn_values(runs, LOSSES), equilibrium_levels(runs, LOSSES))
    return _small(comparison, facts, LOSSES, reach, scheme)


def outputs(comparison: Comparison, facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """D(real) and D(fake) in one run; runs whose outputs are comparable have the same axes."""
    return _small(comparison, facts, OUTPUTS, _output_limits(comparison, facts), scheme)


def final_outputs(comparison: Comparison, scheme: Scheme = LIGHT) -> Figure:
    """D(real) and D(fake) at the end of every run: a dot for each seed, a bar for the mean."""
    figure = blank(scheme, 1.3 + 0.5 * len(comparison.runs), None if scheme.narrow else ENDS_WIDTH)
    axes = figure.subplots()
    dress(axes, scheme, grid=False)
    axes.grid(True, axis="x", color=scheme.rule, linewidth=0.8)
    for row, facts in enumerate(comparison.runs):
        for name, shift in (("d_real", -0.14), ("d_fake", 0.14)):
            _dots(axes, facts.last[name], row + shift, scheme.hues[name], scheme)
    levels = equilibrium_levels(comparison.runs, OUTPUTS)
    for level in levels:
        axes.axvline(level, color=scheme.ink, linewidth=1.1, linestyle=(0, (5, 3)), zorder=1)
    if levels == [0.5]:
        axes.set_xlim(-0.03, 1.03)
    axes.set_yticks(range(len(comparison.runs)), [_short(name) for name in comparison.names])
    axes.tick_params(axis="y", labelsize=TEXT, labelcolor=scheme.ink, length=0)
    axes.set_ylim(len(comparison.runs) - 0.5, -0.5)
    axes.set_xlabel("D(x): 0 = fake, 1 = real" if levels == [0.5] else "D(x)", fontsize=TEXT, color=scheme.soft)
    keys: list[Any] = [
        Line2D([], [], color=scheme.hues[name], linestyle="", marker="o", markersize=6, label=TITLES[name])
        for name in OUTPUTS
    ]
    keys.append(
        Line2D([], [], color=scheme.soft, linestyle="", marker="|", markersize=10, markeredgewidth=3, label="mean")
    )
    keys.append(Line2D([], [], color=scheme.ink, linewidth=1.1, linestyle=(0, (5, 3)), label="at equilibrium"))
    place_legend(figure, keys, scheme)
    return figure


def _small(comparison: Comparison, facts: Facts, names: tuple[str, str], reach: Limits, scheme: Scheme) -> Figure:
    figure = blank(scheme, SMALL_HEIGHT, SMALL_WIDTH)
    axes = figure.subplots()
    for name in names:
        draw_curve(axes, facts, name, scheme)
    levels = equilibrium_levels([facts], names)
    close = len(levels) == 2 and levels[1] - levels[0] < CLOSE * (reach[1] - reach[0])
    for level, side in zip(levels, ("top", "bottom") if close else ("center", "center"), strict=False):
        draw_level(axes, level, "equilibrium", scheme, side)
    _share_rounds(axes, comparison)
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


def _share_rounds(axes: Axes, comparison: Comparison) -> None:
    """The same axis of rounds for every run, so that the same round is at the same place in all."""
    longest = max(facts.rounds for facts in comparison.runs)
    if comparison.linear_rounds:
        axes.set_xlim(0, longest)
    else:
        shortest = min(facts.rounds for facts in comparison.runs)
        logged = [int(rounds[0]) for facts in comparison.runs if len(rounds := facts.story.logged_rounds)]
        logarithmic_rounds(axes, max(1, min([*logged, shortest])), longest)


def _output_limits(comparison: Comparison, facts: Facts) -> Limits:
    runs = comparison.runs if comparison.outputs_comparable else comparison.same_objective(facts)
    values, levels = drawn_values(runs, OUTPUTS), equilibrium_levels(runs, OUTPUTS)
    return output_limits(values) if levels == [0.5] else limits(values, levels)


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
    """As much of a name as fits beside the figure; an unescaped dollar sign would start a formula."""
    name = printable(name)
    return (name if len(name) <= 28 else f"{name[:27]}…").replace("$", r"\$")
