"""The outcome's metric over training: median and middle half of each cell's seeds; and who reached a target by when."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sparring.characters import printable
from sparring.report.figures.drawing import (
    LIGHT,
    MIN_SEEDS_FOR_BAND,
    SMALL,
    TEXT,
    Scheme,
    blank,
    dress,
    halo,
    limits,
    logarithmic,
)
from sparring.report.figures.study.hues import CellStyle, cell_styles
from sparring.study.answer import Answer
from sparring.study.outcome import Outcome, quantity_of
from sparring.study.results import Row
from sparring.study.survival import Clock, Survival

DECADES = 1.0
PAST_END = 1.04
"""How far the axis reaches, so that a step at the very end is seen."""
CLOCKS: dict[Clock, str] = {"rounds": "round", "seconds": "seconds of training"}


def has_courses(answer: Answer) -> bool:
    """Whether the outcome's metric was evaluated more than once during training."""
    name = Outcome.read(answer.results.outcome).name
    return any(len(row.series[name].rounds) > 1 for row in answer.results.rows if name in row.series)


def courses(answer: Answer, scheme: Scheme = LIGHT) -> Figure:
    """The metric over rounds and over seconds, the same axis of values for both."""
    figure = blank(scheme, 7.4 if scheme.narrow else 4.3)
    panels = figure.subplots(2, 1) if scheme.narrow else figure.subplots(1, 2, sharey=True)
    name = Outcome.read(answer.results.outcome).name
    drawn = [_course(axes, answer, name, clock, scheme) for axes, clock in zip(panels, CLOCKS, strict=True)]
    values = np.concatenate([value for some in drawn for value in some])
    real = answer.results.real(name, measured=False)
    for axes, clock in zip(panels, CLOCKS, strict=True):
        _scale(axes, values, real, scheme, linear=quantity_of(name).linear)
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=clock == "rounds"))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,g}"))
        axes.set_xlabel(CLOCKS[clock], fontsize=TEXT, color=scheme.soft)
    for axes in panels if scheme.narrow else panels[:1]:
        axes.set_ylabel(textwrap.fill(quantity_of(name).title, 34), fontsize=TEXT, color=scheme.soft)
    _legend(figure, answer, scheme, real is not None)
    return figure


def reached(found: Survival, answer: Answer, scheme: Scheme = LIGHT) -> Figure:
    """The share of each cell's seeds that reached the target by then: one minus Kaplan and Meier's estimate."""
    named = sum(style.named for style in cell_styles(answer, scheme))
    figure = blank(scheme, 3.2 + (0.34 if scheme.narrow else 0.26) * named, None if scheme.narrow else 7.0)
    axes = figure.subplots()
    dress(axes, scheme)
    styles = {each.cell.id: style for each, style in zip(answer.cells, cell_styles(answer, scheme), strict=True)}
    for place, each in enumerate(found.cells):  # of a study that was interrupted, not of all cells
        style = styles[each.cell]
        grown = [(t, s) for t, s in zip(each.times, each.shares, strict=True) if t <= found.horizon]
        x = [0.0, *(time for time, _ in grown), PAST_END * found.horizon]
        y = [0.0, *(share for _, share in grown), grown[-1][1] if grown else 0.0]
        lift = 0.006 * (place - len(found.cells) / 2)  # cells that go together are all seen
        width, above = (2.2, 3) if style.named else (1.2, 2)
        drawn: dict[str, Any] = {"color": style.color, "linestyle": style.line, "linewidth": width, "zorder": above}
        axes.step(x, np.array(y) + lift, where="post", **drawn)
    axes.set_ylim(-0.03, 1.04)
    axes.set_xlim(0, PAST_END * found.horizon)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{100 * y:.0f} %"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,g}"))
    axes.set_xlabel(CLOCKS[found.clock], fontsize=TEXT, color=scheme.soft)
    axes.set_ylabel("seeds that reached the target", fontsize=TEXT, color=scheme.soft)
    _legend(figure, answer, scheme, False)
    return figure


def _course(axes: Axes, answer: Answer, name: str, clock: Clock, scheme: Scheme) -> list[np.ndarray]:
    dress(axes, scheme)
    drawn: list[np.ndarray] = []
    order = sorted(zip(answer.cells, cell_styles(answer, scheme), strict=True), key=lambda pair: pair[1].named)
    for summary, style in order:
        rows = [row for row in answer.results.by_cell[summary.cell.id] if name in row.series]
        if rows:
            drawn.append(_draw(axes, rows, name, clock, style, scheme))
    return drawn


def _draw(axes: Axes, rows: list[Row], name: str, clock: Clock, style: CellStyle, scheme: Scheme) -> np.ndarray:
    """Seeds of one cell; where they were trained apart, at the times of the first, by nearest evaluation before."""
    series = [row.series[name] for row in rows]
    longest = max(series, key=lambda each: len(each.rounds))
    times = np.array(getattr(longest, clock), dtype=float)
    values = np.full((len(times), len(series)), np.nan)
    for member, each in enumerate(series):
        at = np.searchsorted(np.array(getattr(each, clock), dtype=float), times, side="right") - 1
        known = np.array([np.nan if v is None else v for v in each.values], dtype=float)
        there = (at >= 0) & (times <= (each.seconds if clock == "seconds" else each.rounds)[-1] * 1.02)
        values[there, member] = known[at[there]]
    alive = np.isfinite(values).any(1)
    if not alive.any():  # every seed diverged before its first evaluation
        return np.array([])
    median = np.nanmedian(values[alive], axis=1)
    width = 2.2 if style.named else 1.0
    effects: dict[str, Any] = {"path_effects": halo(scheme, 3.4)} if style.named else {}
    axes.plot(times[alive], median, color=style.color, linestyle=style.line, linewidth=width, **effects)
    if style.named and len(rows) >= MIN_SEEDS_FOR_BAND:
        low, high = np.nanpercentile(values[alive], [25, 75], axis=1)
        axes.fill_between(times[alive], low, high, color=style.color, alpha=0.18, linewidth=0)
    return median


def _scale(axes: Axes, values: np.ndarray, real: float | None, scheme: Scheme, *, linear: bool) -> None:
    levels = [] if real is None else [real]
    if real is not None:
        axes.axhline(real, color=scheme.ink, linewidth=1.1, linestyle=(0, (5, 3)), zorder=3)
    seen = values[np.isfinite(values)]
    if not len(seen):
        return
    positive = seen.min() > 0 and np.log10(seen.max() / seen.min()) > DECADES
    if linear or not positive or not logarithmic(axes, seen, levels):
        axes.set_ylim(*limits(seen, levels))


def _legend(figure: Figure, answer: Answer, scheme: Scheme, real: bool) -> None:
    keys = [
        Line2D([], [], color=style.color, linestyle=style.line, linewidth=2.2, label=_name(each.cell.label, scheme))
        for each, style in zip(answer.cells, cell_styles(answer, scheme), strict=True)
        if style.named
    ]
    if len(keys) < len(answer.cells):
        keys.append(Line2D([], [], color=scheme.missing, linewidth=1.2, label="the other cells"))
    if real:
        keys.append(Line2D([], [], color=scheme.ink, linewidth=1.1, linestyle=(0, (5, 3)), label="real data"))
    figure.legend(
        handles=keys,
        loc="outside lower center",
        ncols=_columns(figure, keys),
        fontsize=SMALL,
        frameon=False,
        labelcolor=scheme.soft,
        handlelength=3.2,
    )


def _name(label: str, scheme: Scheme) -> str:
    return textwrap.fill(printable(label), 44 if scheme.narrow else 60, break_on_hyphens=False).replace("$", r"\$")


def _columns(figure: Figure, keys: list[Line2D]) -> int:
    """As many columns of legend entries as the figure is wide for; a character takes about 0.08 inches."""
    widest = max(len(line) for key in keys for line in str(key.get_label()).splitlines())
    return max(1, min(4, len(keys), int(figure.get_figwidth() / (0.08 * widest + 0.9))))
