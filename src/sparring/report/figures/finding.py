"""The picture of one finding: the curves or metrics behind it over the rounds, with the healthy range in gray."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparring.analysis.curves import smoothed_curve
from sparring.analysis.facts import Facts
from sparring.report.figures.drawing import (
    LIGHT,
    Scheme,
    blank,
    draw_members,
    dress,
    label_rounds,
    limits,
    logarithmic,
    place_legend,
    round_ticks,
    title,
)
from sparring.rules import Finding, Plot
from sparring.rules._words import title as title_of


def finding_figure(facts: Facts, finding: Finding, scheme: Scheme = LIGHT) -> Figure:
    """The members that the finding holds for; the dotted line is the round since which it holds."""
    plot = finding.plot
    figure = blank(scheme, 3.0)
    axes = figure.subplots()
    dress(axes, scheme)
    round_ticks(axes)
    label_rounds([axes], scheme)
    axes.set_xlim(0, max(facts.story.round, 1))
    title(axes, plot.title, scheme)
    drawn: list[np.ndarray] = []
    keys: list[Line2D] = []
    for name in plot.names:
        rounds, values = _values(facts, finding, name)
        if not len(rounds):
            continue
        hue = scheme.hues.get(name, scheme.hues["samples"])
        draw_members(axes, rounds, values, hue, scheme)
        _mark_last_finite(axes, rounds, values, hue)
        keys.append(Line2D([], [], color=hue, linewidth=2.2, label=title_of(name)))
        drawn.append(values.ravel())
    _fit(axes, plot, np.concatenate(drawn) if drawn else np.empty(0), scheme)
    axes.axvline(finding.since, color=scheme.soft, linewidth=1, linestyle=(0, (2, 2)), zorder=1)
    if len(plot.names) > 1:
        place_legend(figure, keys, scheme)
    return figure


def has_range(plot: Plot) -> bool:
    """Whether the healthy range has an end, so that it is drawn."""
    return math.isfinite(plot.healthy.low) or math.isfinite(plot.healthy.high)


def _fit(axes: Axes, plot: Plot, values: np.ndarray, scheme: Scheme) -> None:
    """Limits that hold values and range, and the range itself as a gray band."""
    ends = [end for end in (plot.healthy.low, plot.healthy.high) if math.isfinite(end)]
    if not (plot.log and logarithmic(axes, values, ends)):
        axes.set_ylim(*limits(values, ends))
    if ends:
        bottom, top = axes.get_ylim()
        low, high = max(plot.healthy.low, bottom), min(plot.healthy.high, top)
        axes.axhspan(low, high, color=scheme.rule, linewidth=0, zorder=0)


def _mark_last_finite(axes: Axes, rounds: np.ndarray, values: np.ndarray, hue: str) -> None:
    """A cross where a member's values end before the run does; of one that diverged at once nothing else is visible."""
    for line in values.T:
        finite = np.flatnonzero(np.isfinite(line))
        if len(finite) and finite[-1] < len(line) - 1:
            axes.plot(rounds[finite[-1]], line[finite[-1]], "x", color=hue, markersize=7, markeredgewidth=1.8, zorder=5)


def _values(facts: Facts, finding: Finding, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Rounds `(T,)` and values `(T, P')` of the P' members that the finding holds for."""
    members = [facts.seeds.index(seed) for seed in finding.members]
    if finding.plot.drawn == "curves":
        return facts.story.logged_rounds, smoothed_curve(facts, name)[:, members]
    rounds, metrics = facts.story.evaluations
    return (rounds, metrics[name][:, members]) if name in metrics else (rounds[:0], np.empty((0, len(members))))
