"""Forest plot: every effect of a study with its interval, the largest on top."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparring.characters import printable
from sparring.report.figures.drawing import LIGHT, SMALL, TEXT, Scheme, blank, dress, place_legend
from sparring.study.answer import Answer
from sparring.study.effects import Effect
from sparring.study.wording import contrast_text, difference_text

ROW = 0.46
"""Inches for an effect."""
NARROW_ROW = 0.92
"""The same where its name stands above it."""
GAP = 1.1
"""Rows between effects and comparisons, for a heading."""
NAME = 46
"""Characters of a line of an effect's name beside the plot."""
NARROW_NAME = 40


def forest(answer: Answer, scheme: Scheme = LIGHT) -> Figure:
    """A row for each effect, then one for each comparison of a cell with the reference."""
    groups = [group for group in (answer.effects, answer.comparisons) if any(e.mean is not None for e in group)]
    rows = [[each for each in group if each.mean is not None] for group in groups]
    count = sum(map(len, rows)) + round(GAP * (len(rows) - 1))
    height = (NARROW_ROW if scheme.narrow else ROW) * max(count, 2) + 1.3
    figure = blank(scheme, height)
    axes = figure.subplots()
    dress(axes, scheme, grid=False)
    axes.grid(True, axis="x", color=scheme.rule, linewidth=0.8)
    axes.axvline(0, color=scheme.ink, linewidth=1.1, zorder=1)
    at, places = 0.0, list[tuple[float, Effect]]()
    for group in rows:
        places += [(at + index, each) for index, each in enumerate(group)]
        at += len(group) + GAP
    reach = _reach([each for _, each in places])
    for y, each in places:
        _row(axes, y, each, answer, scheme, reach)
    _names(axes, places, answer, scheme)
    if len(rows) > 1:
        _heading(axes, len(rows[0]) + (0.05 if scheme.narrow else 0.15), "cells against the baseline", scheme)
    axes.set_ylim(places[-1][0] + 0.6, -0.9 if scheme.narrow else -0.6)
    axes.set_xlim(*reach)
    axes.set_xlabel(_label(answer, scheme), fontsize=TEXT, color=scheme.soft)
    place_legend(figure, _keys(answer, scheme), scheme)
    return figure


def hue(effect: Effect, answer: Answer, scheme: Scheme) -> str:
    """Blue where it is significantly better, orange where worse, gray where neither is shown."""
    if not effect.significant():
        return scheme.soft
    if not answer.scores.direction:
        return scheme.ink
    return scheme.hues["d_loss" if (effect.mean or 0) * answer.scores.direction > 0 else "g_loss"]


def _row(axes: Axes, y: float, effect: Effect, answer: Answer, scheme: Scheme, reach: tuple[float, float]) -> None:
    color, mean = hue(effect, answer, scheme), effect.mean or 0.0
    if effect.interval is not None:
        ends = [effect.interval.low, effect.interval.high]
        axes.plot(ends, [y, y], color=color, linewidth=2.2, solid_capstyle="butt")
    known = effect.differences[np.isfinite(effect.differences)]
    low, high = reach
    inside = known[(known >= low) & (known <= high)]
    axes.plot(inside, np.full(len(inside), y + 0.22), "|", color=color, markersize=5, alpha=0.55)
    for beyond, at, marker in ((known < low, low, "<"), (known > high, high, ">")):
        if beyond.any():
            axes.plot(at, y + 0.22, marker, color=color, markersize=5, alpha=0.7, clip_on=False, in_layout=False)
    face = color if effect.significant() else scheme.paper
    marker = "D" if effect.contrast.kind == "interaction" else "o"
    axes.plot(mean, y, marker, color=color, markerfacecolor=face, markersize=7.5, markeredgewidth=1.8, zorder=4)


def _names(axes: Axes, places: Sequence[tuple[float, Effect]], answer: Answer, scheme: Scheme) -> None:
    texts = [_name(each, answer, scheme) for _, each in places]
    if not scheme.narrow:
        axes.set_yticks([y for y, _ in places], texts)
        axes.tick_params(axis="y", labelsize=SMALL, labelcolor=scheme.ink, length=0)
        for y, each in places:
            size = difference_text(each)
            _beside(axes, (1, y), size, scheme, (8, 0), "center", "left")
        return
    axes.set_yticks([])
    for (y, each), text in zip(places, texts, strict=True):
        _beside(axes, (0, y - 0.3), f"{text}: {difference_text(each)}", scheme, (0, 0), "bottom", "left")


def _heading(axes: Axes, y: float, text: str, scheme: Scheme) -> None:
    place: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center", "fontstyle": "italic"}
    axes.text(0, y, text, fontsize=SMALL, color=scheme.soft, backgroundcolor=scheme.paper, **place)


def _beside(
    axes: Axes, at: tuple[float, float], text: str, scheme: Scheme, shift: tuple[int, int], va: Any, ha: Any
) -> None:
    axes.annotate(
        text,
        at,
        xycoords=axes.get_yaxis_transform(),
        xytext=shift,
        textcoords="offset points",
        va=va,
        ha=ha,
        fontsize=SMALL - 1 if scheme.narrow else SMALL,
        color=scheme.ink,
        bbox={"facecolor": scheme.paper, "edgecolor": "none", "pad": 0.5},
        annotation_clip=False,
    )


def _name(effect: Effect, answer: Answer, scheme: Scheme) -> str:
    text = printable(contrast_text(effect.contrast, answer.results)).replace("$", r"\$")
    return textwrap.fill(text, NARROW_NAME if scheme.narrow else NAME, break_on_hyphens=False)


def _reach(effects: Sequence[Effect]) -> tuple[float, float]:
    """From the lowest to the highest end, with 0. What is very far leaves the picture; a seed there is an arrow."""
    means = np.array([each.mean for each in effects], dtype=float)
    ends = [end for each in effects if each.interval for end in (each.interval.low, each.interval.high)]
    every = np.concatenate([each.differences for each in effects])
    seen = np.array([0.0, *means, *ends, *every[np.isfinite(every)]])
    room = 3 * max(np.abs(means).max(), 1e-9) if len(means) else 1.0
    low, high = max(seen.min(), -room), min(seen.max(), room)
    gap = 0.06 * max(high - low, 1e-9)
    return low - gap, high + gap


def _label(answer: Answer, scheme: Scheme) -> str:
    text = f"difference in {answer.scores.title}"
    better = {-1: " (lower is better)", 1: " (higher is better)"}.get(answer.scores.direction, "")
    return textwrap.fill(text + better, NARROW_NAME) if scheme.narrow else text + better


def _keys(answer: Answer, scheme: Scheme) -> list[Any]:
    percent = f"{100 * answer.level:.3g} % interval"
    style: dict[str, Any] = {"linestyle": "-", "marker": "o", "markersize": 7, "linewidth": 2.2, "markeredgewidth": 1.8}
    hues = scheme.hues
    better, worse = ("better", "worse") if answer.scores.direction else ("", "")
    sure = f"p < {1 - answer.level:.3g} by Holm"
    keys: list[Any] = []
    if better:
        keys.append(Line2D([], [], color=hues["d_loss"], label=f"{better}, {sure}", **style))
        keys.append(Line2D([], [], color=hues["g_loss"], label=f"{worse}, {sure}", **style))
    keys.append(
        Line2D([], [], color=scheme.soft, markerfacecolor=scheme.paper, label=f"not significant ({percent})", **style)
    )
    keys.append(Line2D([], [], color=scheme.soft, linestyle="", marker="|", markersize=7, label="each seed"))
    return keys
