"""Small pictures side by side: what samples were like at each look, beside real data; and gradient norms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from sparring.analysis.facts import GRADIENT_TITLES, Facts
from sparring.report.figures.drawing import (
    LIGHT,
    SMALL,
    TEXT,
    TITLE,
    Limits,
    Scheme,
    answer_limits,
    blank,
    draw_curve,
    draw_members,
    dress,
    halo,
    keys_of_seeds,
    label_rounds,
    legend_of_seeds,
    limits,
    log_rounds,
    place_legend,
)
from sparring.report.terminal.evaluations import OPINIONS, in_order, name_of

COLUMNS = 3
HEIGHT = 2.3
"""Inches of a row."""
MARKED = 24
"""Looks up to which each has a dot on the median's line."""
DECADES = 1.0
"""Powers of ten that a figure above 0 must span to be drawn on a logarithmic axis."""


def figures_at_ticks(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """Each figure of the samples over the rounds, every seed, beside what real data scores."""
    rounds, held = facts.story.evaluations
    told = [name for name in in_order(held) if name not in OPINIONS]
    answers = [name for name in OPINIONS if name in held]
    panels = len(told) + bool(answers)
    columns = 2 if panels in (2, 4) else min(COLUMNS, panels)
    rows = math.ceil(panels / columns)
    figure = blank(scheme, 0.7 + rows * HEIGHT)
    grid = figure.subplots(rows, columns, squeeze=False)
    every = list(grid.flat)
    for axes, name in zip(every, told, strict=False):
        _figure(axes, facts, rounds, held[name], name, scheme)
    if answers:
        _answers(every[len(told)], facts, rounds, {name: held[name] for name in answers}, scheme)
    for axes in every[panels:]:
        axes.set_visible(False)
    label_rounds(every[max(panels - columns, 0) : panels], scheme)
    keys = keys_of_seeds(facts, scheme)
    if facts.evaluated and facts.evaluated.real:
        keys.append(Line2D([], [], color=scheme.ink, linewidth=1.1, linestyle=(0, (5, 3)), label="real data"))
    place_legend(figure, keys, scheme)
    return figure


def gradients(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """The norm of each player's gradients over the rounds, every seed, on logarithmic axes."""
    figure = blank(scheme, 3.9)
    for axes, name in zip(figure.subplots(1, len(facts.gradients), squeeze=False)[0], facts.gradients, strict=True):
        draw_curve(axes, facts, name, scheme)
        _logarithmic(axes, facts.story.curve(name))
        axes.set_title(GRADIENT_TITLES[name], loc="left", fontsize=TITLE, color=scheme.ink)
        axes.set_ylabel("Euclidean norm, all weights", fontsize=TEXT, color=scheme.soft)
    legend_of_seeds(figure, facts, scheme)
    return figure


def _figure(axes: Axes, facts: Facts, rounds: np.ndarray, values: np.ndarray, name: str, scheme: Scheme) -> None:
    level = facts.evaluated.real.get(name) if facts.evaluated else None
    _dress(axes, facts, name_of(name).title, name_of(name).unit, scheme)
    _draw(axes, rounds, values, "samples", scheme)
    levels = [] if level is None else [level]
    if level is not None:
        axes.axhline(level, color=scheme.ink, linewidth=1.1, linestyle=(0, (5, 3)), zorder=3)
    if _spans_decades(values, levels) and not name_of(name).bounded:
        _logarithmic(axes, np.append(values, levels))
    else:
        axes.set_ylim(*limits(values, levels))


def _answers(axes: Axes, facts: Facts, rounds: np.ndarray, held: dict[str, np.ndarray], scheme: Scheme) -> None:
    """What D says of three kinds of examples, the name of each at the end of its line."""
    _dress(axes, facts, "What D says", "D(x), in evaluation mode", scheme)
    for name, values in held.items():
        _draw(axes, rounds, values, name, scheme)
    every = np.concatenate([values.ravel() for values in held.values()])
    undecided = facts.equilibrium.get("d_real")
    reach = answer_limits(every) if undecided == 0.5 else limits(every, [] if undecided is None else [undecided])
    axes.set_ylim(*reach)
    if undecided is not None:
        axes.axhline(undecided, color=scheme.lost, linewidth=1.1, zorder=0)
    _name_lines(axes, held, reach, scheme)


def _name_lines(axes: Axes, held: dict[str, np.ndarray], reach: Limits, scheme: Scheme) -> None:
    """Beside the picture, no two nearer than a line of text."""
    last = {name: float(np.nanmedian(values[-1])) for name, values in held.items() if np.isfinite(values[-1]).any()}
    apart, at = 0.13 * (reach[1] - reach[0]), -math.inf
    for name, value in sorted(last.items(), key=lambda item: item[1]):
        at = max(value, at + apart)
        axes.annotate(
            name_of(name).title.removeprefix("D(").removesuffix(")").replace(" data", ""),
            (1, at),
            xycoords=axes.get_yaxis_transform(),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            color=scheme.hues[name],
            annotation_clip=False,
        )


def _draw(axes: Axes, rounds: np.ndarray, values: np.ndarray, hue: str, scheme: Scheme) -> None:
    draw_members(axes, rounds, values, scheme.hues[hue], scheme)
    alive = np.isfinite(values).any(1)
    if len(rounds) <= MARKED:
        dots: dict[str, Any] = {"markersize": 3.5, "markeredgewidth": 0, "path_effects": halo(scheme, 1.5)}
        axes.plot(rounds[alive], np.nanmedian(values[alive], axis=1), "o", color=scheme.hues[hue], **dots)


def _dress(axes: Axes, facts: Facts, title: str, unit: str, scheme: Scheme) -> None:
    dress(axes, scheme)
    log_rounds(axes, few=True)
    axes.set_xlim(0, max(facts.story.round, 1))
    axes.set_title(title, loc="left", fontsize=TEXT, color=scheme.ink, pad=18)
    above: dict[str, Any] = {"xycoords": "axes fraction", "xytext": (0, 5), "textcoords": "offset points"}
    axes.annotate(unit, (0, 1), fontsize=SMALL - 1, color=scheme.soft, **above)


def _spans_decades(values: np.ndarray, levels: list[float]) -> bool:
    every = np.append(values[np.isfinite(values)], levels)
    return len(every) > 0 and every.min() > 0 and math.log10(every.max() / every.min()) > DECADES


def _logarithmic(axes: Axes, values: np.ndarray) -> None:
    """A logarithmic axis that holds the values above 0, what a few of them do before they diverge left out."""
    above = values[np.isfinite(values) & (values > 0)]
    if not len(above):
        return
    low, high = limits(np.log10(above), [])
    axes.set_yscale("log")
    axes.set_ylim(10**low, 10**high)
    # Between two powers of ten there is none to write, where the axis spans few of them.
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if high - low > 2 else (1.0, 2.0, 5.0), numticks=6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,g}"))
    axes.yaxis.set_minor_locator(NullLocator())
