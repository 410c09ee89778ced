"""Every member of a study by its outcome, and how two factors depend on each other."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparring.characters import printable
from sparring.report.figures.drawing import (
    LIGHT,
    SMALL,
    TEXT,
    WIDTH,
    Scheme,
    blank,
    dress,
    halo,
    logarithmic,
    place_legend,
    title,
)
from sparring.report.figures.study.hues import LINES, MARKERS, ORDER
from sparring.study.answer import Answer
from sparring.study.effects import Effect
from sparring.study.factors import short_name
from sparring.study.intervals import mean_interval
from sparring.study.wording import p_text

NAME, NARROW_NAME = 40, 52
DECADES = 1.3
"""Outcomes that span more powers of ten than this are drawn on a logarithmic axis."""
MAX_INTERACTIONS = 4


def members(answer: Answer, scheme: Scheme = LIGHT) -> Figure:
    """A row for each cell: a dot for each seed, a bar for the mean with its interval, crosses for diverged seeds."""
    figure = blank(scheme, 1.4 + (0.7 if scheme.narrow else 0.48) * len(answer.cells))
    axes = figure.subplots()
    dress(axes, scheme, grid=False)
    axes.grid(True, axis="x", color=scheme.rule, linewidth=0.8)
    values = answer.scores.values
    finite = values[np.isfinite(values)]
    if not answer.results.asked.linear and _spans_decades(finite):
        axes.set_xscale("log")
    for row in range(len(answer.cells)):
        _cell(axes, row, answer, scheme)
    if answer.scores.real is not None:
        axes.axvline(answer.scores.real, color=scheme.ink, linewidth=1.1, linestyle=(0, (5, 3)), zorder=1)
    _names(axes, [printable(each.cell.label).replace("$", r"\$") for each in answer.cells], scheme)
    axes.set_xlabel(textwrap.fill(_axis(answer), 44 if scheme.narrow else 90), fontsize=TEXT, color=scheme.soft)
    place_legend(figure, _keys(answer, scheme), scheme)
    return figure


def interactions(answer: Answer, scheme: Scheme = LIGHT) -> Figure:
    """For each significant interaction of two factors, or else the largest: means of one at each level of the other."""
    chosen = interacting(answer)
    columns = 1 if scheme.narrow else min(2, len(chosen))
    rows = -(-len(chosen) // columns)
    width = None if columns == 2 or scheme.narrow else WIDTH * 0.62
    figure = blank(scheme, 0.4 + 3.5 * rows, width)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, effect in zip(grid.flat, chosen, strict=False):
        _interaction(axes, effect, answer, scheme)
    for axes in list(grid.flat)[len(chosen) :]:
        axes.set_visible(False)
    return figure


def interacting(answer: Answer) -> list[Effect]:
    """The interactions of two factors to draw, each pair of factors once."""
    pairs: dict[tuple[str, ...], Effect] = {}
    for each in answer.effects:
        if each.contrast.kind == "interaction" and len(each.contrast.changes) == 2 and each.mean is not None:
            pairs.setdefault(tuple(change[0] for change in each.contrast.changes), each)
    significant = [each for each in pairs.values() if each.significant()]
    return (significant or list(pairs.values())[:1])[:MAX_INTERACTIONS]


def _cell(axes: Axes, row: int, answer: Answer, scheme: Scheme) -> None:
    values, collapsed = answer.scores.values[row], answer.scores.collapsed[row]
    known, hue = np.isfinite(values), scheme.hues["d_loss"]
    for chosen, marker, color in ((known & ~collapsed, "o", hue), (known & collapsed, "v", scheme.hues["g_loss"])):
        at = np.full(chosen.sum(), row + 0.17)
        axes.plot(values[chosen], at, marker, color=color, markersize=5, alpha=0.75, markeredgewidth=0)
    lost = int(answer.scores.diverged[row].sum())
    if lost:
        axes.annotate(
            f"× {lost} diverged",
            (1, row),
            xycoords=axes.get_yaxis_transform(),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            color=scheme.hues["g_loss"],
            annotation_clip=False,
        )
    summary = answer.cells[row]
    if summary.mean is None:
        return
    if summary.interval is not None:
        ends = [summary.interval.low, summary.interval.high]
        axes.plot(ends, [row - 0.12] * 2, color=scheme.ink, linewidth=1.8, solid_capstyle="butt")
    axes.plot(summary.mean, row - 0.12, "D", color=scheme.ink, markersize=5.5, path_effects=halo(scheme, 2))


def _names(axes: Axes, names: list[str], scheme: Scheme) -> None:
    """Beside the rows, or above them where the figure is narrow."""
    axes.set_ylim(len(names) - 0.5, -0.8 if scheme.narrow else -0.5)
    if not scheme.narrow:
        axes.set_yticks(range(len(names)), [textwrap.fill(name, NAME, break_on_hyphens=False) for name in names])
        axes.tick_params(axis="y", labelsize=SMALL, labelcolor=scheme.ink, length=0)
        return
    axes.set_yticks([])
    for row, name in enumerate(names):
        short = textwrap.shorten(name, NARROW_NAME, placeholder=" …", break_on_hyphens=False)
        place: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "bottom"}
        axes.text(0, row - 0.3, short, fontsize=SMALL - 1, color=scheme.ink, **place)


def _keys(answer: Answer, scheme: Scheme) -> list[Any]:
    style: dict[str, Any] = {"linestyle": "", "markeredgewidth": 0}
    keys: list[Any] = [Line2D([], [], color=scheme.hues["d_loss"], marker="o", label="each seed", **style)]
    if answer.scores.collapsed.any():
        keys.append(Line2D([], [], color=scheme.hues["g_loss"], marker="v", label="collapsed seed", **style))
    label = f"mean and {100 * answer.level:.3g} % interval"
    keys.append(Line2D([], [], color=scheme.ink, marker="D", markersize=5.5, linewidth=1.8, label=label))
    if answer.scores.real is not None:
        keys.append(Line2D([], [], color=scheme.ink, linewidth=1.1, linestyle=(0, (5, 3)), label="real data"))
    return keys


def _spans_decades(values: np.ndarray) -> bool:
    return len(values) > 0 and values.min() > 0 and bool(np.log10(values.max() / values.min()) > DECADES)


def _axis(answer: Answer) -> str:
    better = {-1: "lower is better", 1: "higher is better"}.get(answer.scores.direction)
    beside = ", ".join(part for part in (answer.results.asked.unit, better) if part)
    return f"{answer.scores.title} ({beside})" if beside else answer.scores.title


def _interaction(axes: Axes, effect: Effect, answer: Answer, scheme: Scheme) -> None:
    """One factor along the axis, a line for each level of the other one, averaged over all further factors."""
    first, second = (change[0] for change in effect.contrast.changes)
    levels = {factor.name: factor.levels for factor in answer.results.factors}
    across, lines = levels[first], levels[second]
    dress(axes, scheme)
    every: list[float] = []
    for place, line in enumerate(lines):
        shift = 0.05 * (place - (len(lines) - 1) / 2)
        points = [_mean(answer, {first: level, second: line}) for level in across]
        means = [point[0] for point in points]
        every += [value for point in points for value in point]
        color, style = scheme.hues[ORDER[place % len(ORDER)]], LINES[place % len(LINES)]
        x = np.arange(len(across)) + shift
        axes.vlines(x, [p[1] for p in points], [p[2] for p in points], color=color, linewidth=1.6)
        label = f"{short_name(second)} {line}"
        axes.plot(
            x, means, linestyle=style, marker=MARKERS[place % len(MARKERS)], color=color, linewidth=2, label=label
        )
    axes.set_xticks(range(len(across)), [textwrap.fill(level, 18, break_on_hyphens=False) for level in across])
    axes.set_xlim(-0.35, len(across) - 0.65)
    values = np.array(every)
    if np.isfinite(values).all() and _spans_decades(values):
        logarithmic(axes, values)
    axes.set_xlabel(short_name(first), fontsize=TEXT, color=scheme.soft)
    axes.set_ylabel(textwrap.fill(answer.scores.title, 30), fontsize=TEXT, color=scheme.soft)
    low, high = axes.get_ylim()
    if axes.get_yscale() == "linear":
        axes.set_ylim(low, high + 0.3 * (high - low))  # room for the legend
    p = f"interaction: p {text if (text := p_text(effect.p_holm)).startswith('<') else f'= {text}'}"
    title(axes, p, scheme)
    axes.legend(fontsize=SMALL, frameon=False, labelcolor=scheme.ink, loc="upper left", handlelength=3)


def _mean(answer: Answer, levels: dict[str, str]) -> tuple[float, float, float]:
    """Mean and interval over seeds of the cells at these levels, each seed's mean over them."""
    there = [all(each.cell.levels[name] == level for name, level in levels.items()) for each in answer.cells]
    means = answer.scores.values[there].mean(0)
    means = means[np.isfinite(means)]
    if not len(means):
        return (np.nan, np.nan, np.nan)
    interval = mean_interval(means, answer.level)
    middle = float(means.mean())
    return (middle, interval.low, interval.high) if interval else (middle, middle, middle)
