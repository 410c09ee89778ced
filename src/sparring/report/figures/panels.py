"""Figures of small panels: sample-quality metrics over the rounds beside real data, and gradient norms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparring.analysis.facts import GRADIENT_TITLES, Facts
from sparring.report.figures.drawing import (
    LIGHT,
    SMALL,
    TEXT,
    TITLE,
    Limits,
    Scheme,
    blank,
    draw_curve,
    draw_members,
    dress,
    halo,
    keys_of_seeds,
    label_rounds,
    legend_of_seeds,
    limits,
    logarithmic,
    output_limits,
    place_legend,
    round_ticks,
    two_panels,
)
from sparring.report.metric_names import D_OUTPUTS, in_order, name_of

COLUMNS = 3
HEIGHT = 2.3
"""Inches of a row."""
MAX_DOTS = 24
"""Up to this many evaluations each has a dot on the median's line."""
DECADES = 1.0
"""A positive metric that spans more powers of ten than this is drawn on a logarithmic axis."""


def evaluations(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """Every metric of the samples over the rounds, for every seed, with real data's value as a dashed line."""
    rounds, metrics = facts.story.evaluations
    names = [name for name in in_order(metrics) if name not in D_OUTPUTS]
    outputs = [name for name in D_OUTPUTS if name in metrics]
    panels = len(names) + bool(outputs)
    columns = 1 if scheme.narrow else 2 if panels in (2, 4) else min(COLUMNS, panels)
    rows = math.ceil(panels / columns)
    figure = blank(scheme, 0.7 + rows * HEIGHT)
    grid = figure.subplots(rows, columns, squeeze=False)
    every = list(grid.flat)
    for axes, name in zip(every, names, strict=False):
        _metric(axes, facts, rounds, metrics[name], name, scheme)
    if outputs:
        _outputs(every[len(names)], facts, rounds, {name: metrics[name] for name in outputs}, scheme)
    for axes in every[panels:]:
        axes.set_visible(False)
    label_rounds(every[max(panels - columns, 0) : panels], scheme)
    keys = keys_of_seeds(facts, scheme)
    if facts.evaluation and facts.evaluation.real:
        keys.append(Line2D([], [], color=scheme.ink, linewidth=1.1, linestyle=(0, (5, 3)), label="real data"))
    place_legend(figure, keys, scheme)
    return figure


def gradients(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """Each player's gradient norm over the rounds, for every seed, on logarithmic axes."""
    figure, panels = two_panels(scheme)
    for axes, name in zip(panels, GRADIENT_TITLES, strict=True):
        if name not in facts.gradients:  # it was finite in no round that was logged
            axes.set_visible(False)
            continue
        draw_curve(axes, facts, name, scheme)
        logarithmic(axes, facts.story.curve(name))
        axes.set_title(GRADIENT_TITLES[name], loc="left", fontsize=TITLE, color=scheme.ink)
        axes.set_ylabel("L2 norm over all weights", fontsize=TEXT, color=scheme.soft)
    legend_of_seeds(figure, facts, scheme)
    return figure


def _metric(axes: Axes, facts: Facts, rounds: np.ndarray, values: np.ndarray, name: str, scheme: Scheme) -> None:
    level = facts.evaluation.real.get(name) if facts.evaluation else None
    _dress(axes, facts, name_of(name).title, name_of(name).unit, scheme)
    _draw(axes, rounds, values, "samples", scheme)
    levels = [] if level is None else [level]
    if level is not None:
        axes.axhline(level, color=scheme.ink, linewidth=1.1, linestyle=(0, (5, 3)), zorder=3)
    if _spans_decades(values, levels) and not name_of(name).linear:
        logarithmic(axes, np.append(values, levels))
    else:
        axes.set_ylim(*limits(values, levels))


def _outputs(axes: Axes, facts: Facts, rounds: np.ndarray, outputs: dict[str, np.ndarray], scheme: Scheme) -> None:
    """D's mean output for three kinds of examples, with the name of each at the end of its line."""
    _dress(axes, facts, "D's outputs", "D(x), without dropout", scheme)
    for name, values in outputs.items():
        _draw(axes, rounds, values, name, scheme)
    every = np.concatenate([values.ravel() for values in outputs.values()])
    level = facts.equilibrium.get("d_real")
    reach = output_limits(every) if level == 0.5 else limits(every, [] if level is None else [level])
    axes.set_ylim(*reach)
    if level is not None:
        axes.axhline(level, color=scheme.missing, linewidth=1.1, zorder=0)
    _name_lines(axes, outputs, reach, scheme)


def _name_lines(axes: Axes, outputs: dict[str, np.ndarray], reach: Limits, scheme: Scheme) -> None:
    """Beside the picture, no two nearer than a line of text."""
    last = {name: float(np.nanmedian(values[-1])) for name, values in outputs.items() if np.isfinite(values[-1]).any()}
    apart, at = 0.13 * (reach[1] - reach[0]), -math.inf
    for name, value in sorted(last.items(), key=lambda item: item[1]):
        at = max(value, at + apart)
        axes.annotate(
            name_of(name).title.removeprefix("D(").removesuffix(")").replace(" examples", ""),
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
    if not alive.any():
        return
    if len(rounds) == 1:  # a line through one point shows nothing
        each: dict[str, Any] = {"markersize": 3, "markeredgewidth": 0, "alpha": 0.4}
        axes.plot(np.repeat(rounds, values.shape[1]), values[0], "o", color=scheme.hues[hue], **each)
    if len(rounds) <= MAX_DOTS:
        dots: dict[str, Any] = {
            "markersize": 4,
            "markeredgewidth": 0,
            "path_effects": halo(scheme, 1.5),
        }
        axes.plot(rounds[alive], np.nanmedian(values[alive], axis=1), "o", color=scheme.hues[hue], zorder=4, **dots)


def _dress(axes: Axes, facts: Facts, title: str, unit: str, scheme: Scheme) -> None:
    dress(axes, scheme)
    round_ticks(axes, few=True)
    axes.set_xlim(0, 1.02 * max(facts.story.round, 1))  # room for the last dot
    axes.set_title(title, loc="left", fontsize=TEXT, color=scheme.ink, pad=18)
    above: dict[str, Any] = {"xycoords": "axes fraction", "xytext": (0, 5), "textcoords": "offset points"}
    axes.annotate(unit, (0, 1), fontsize=SMALL - 1, color=scheme.soft, **above)


def _spans_decades(values: np.ndarray, levels: list[float]) -> bool:
    every = np.append(values[np.isfinite(values)], levels)
    return len(every) > 0 and every.min() > 0 and math.log10(every.max() / every.min()) > DECADES
