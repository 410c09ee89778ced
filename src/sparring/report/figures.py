"""Pictures of one run: its curves, how D scored, and for data of a few numbers what G gave and where it ended.

Each picture is a function of the run's facts that returns a matplotlib Figure; none touches matplotlib's global state.
Hues are Okabe and Ito's, which people with any colour vision can tell apart. The fonts that come with matplotlib hold
no Chinese, so the text in pictures is English.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sparring.record import Run
from sparring.report.facts import NEAR, TITLES, Facts

WIDTH = 9.0
"""Inches."""
DPI = 150
SMALL, TEXT, TITLE = 9.5, 10.5, 11.5
"""Points."""
SMOOTH_SHARE = 0.03
"""Of the run: the window of the moving mean that the curves show."""
MOST_LINES = 64
"""Seeds up to which each has a line of its own; beyond, bands tell more."""
BAND_FROM = 4
"""Seeds from which on an interquartile band means something."""
MOST_PANELS = 16


@dataclass(frozen=True)
class Scheme:
    """Colours of a picture on light or on dark ground."""

    paper: str
    ink: str
    soft: str
    rule: str
    hues: dict[str, str]
    lost: str
    """The grey of what is not there."""


LIGHT = Scheme(
    paper="#ffffff",
    ink="#1c1c1e",
    soft="#63636a",
    rule="#e6e6ea",
    hues={"d_loss": "#0072B2", "g_loss": "#D55E00", "d_real": "#009E73", "d_fake": "#CC79A7", "away": "#D55E00"},
    lost="#c9c9cf",
)
DARK = Scheme(
    paper="#1b1c20",
    ink="#ececf0",
    soft="#a2a3ab",
    rule="#33353c",
    hues={"d_loss": "#56B4E9", "g_loss": "#E69F00", "d_real": "#20C695", "d_fake": "#E39AC3", "away": "#E69F00"},
    lost="#4a4c55",
)


def curves(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """Both players' losses over the rounds, every seed, with what they are once D cannot tell."""
    figure, (left, right) = _two_panels(scheme)
    unit = f"loss per example ({facts.objective})"
    for axes, name in ((left, "d_loss"), (right, "g_loss")):
        _draw_curve(axes, facts, name, scheme)
        axes.set_title(TITLES[name], loc="left", fontsize=TITLE, color=scheme.ink)
        axes.set_ylabel(unit, fontsize=TEXT, color=scheme.soft)
        _draw_level(axes, facts.equilibrium.get(name), "D cannot\ntell", scheme)
        _fit(axes, facts, [name])
    _legend(figure, facts, scheme)
    return figure


def scores(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """What D says of real and of generated examples over the rounds, every seed."""
    figure, panels = _two_panels(scheme)
    level = facts.equilibrium.get("d_real")
    titles = {"d_real": "D's answer to real examples", "d_fake": "D's answer to generated examples"}
    for axes, name in zip(panels, titles, strict=True):
        _draw_curve(axes, facts, name, scheme)
        axes.set_title(titles[name], loc="left", fontsize=TITLE, color=scheme.ink)
        axes.set_ylabel("D(x): 0 = fake, 1 = real" if level == 0.5 else "D(x)", fontsize=TEXT, color=scheme.soft)
        _draw_level(axes, level, "undecided", scheme)
        if level == 0.5:
            axes.set_ylim(*_answer_limits(facts, list(titles)))
        else:
            _fit(axes, facts, list(titles))
    _legend(figure, facts, scheme)
    return figure


def outputs(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """What each member's generator gave as training went on: a row for each number, colour for its value."""
    assert facts.outputs is not None
    rounds, examples = facts.outputs
    shown = min(len(facts.seeds), MOST_PANELS)
    columns = 1 if shown == 1 else 2 if shown <= 4 else 4
    rows = math.ceil(shown / columns)
    figure = _figure(scheme, 1.0 + rows * (2.2 if columns == 1 else 1.6))
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    colours = colormaps["viridis"].with_extremes(bad=scheme.lost)
    mesh = None
    for member, axes in enumerate(panels.flat):
        if member >= shown:
            axes.set_visible(False)
            continue
        mesh = axes.pcolormesh(
            _edges(rounds), np.arange(examples.shape[2] + 1) + 0.5, examples[:, member].T, cmap=colours, vmin=0, vmax=1
        )
        axes.invert_yaxis() if member == 0 else None
        _dress(axes, scheme, grid=False)
        _name_member(axes, facts, member, examples[-1, member], scheme)
        _rounds(axes, few=columns > 2)
        axes.set_yticks(range(1, examples.shape[2] + 1), _row_names(facts, examples.shape[2]))
    assert mesh is not None
    for axes in panels[:, 0]:
        axes.set_ylabel("number" if facts.ends is None else "number (target)", fontsize=SMALL, color=scheme.soft)
    lowest = list(panels.flat)[max(shown - columns, 0) : shown]
    _label_rounds(lowest, scheme)
    for axes in lowest:
        axes.tick_params(labelbottom=True)
    bar = figure.colorbar(mesh, ax=list(panels.flat), aspect=30 if rows > 1 else 18, pad=0.015)
    bar.set_label("G's output (data units)", fontsize=TEXT, color=scheme.soft)
    bar.ax.tick_params(colors=scheme.soft, labelsize=SMALL, length=3)
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue] - matplotlib's stub calls an artist a list
    which = f", first {shown} of {len(facts.seeds):,} seeds" if shown < len(facts.seeds) else ""
    _headline(figure, f"G's output through training{which}", scheme)
    return figure


def ends(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """Where each member's generator ended beside the target: one line for each seed."""
    held = facts.ends
    assert held is not None
    figure = _figure(scheme, 3.7)
    axes = figure.subplots()
    across = np.arange(1, len(held.target) + 1)
    _dress(axes, scheme)
    axes.fill_between(across, held.target - NEAR, held.target + NEAR, color=scheme.rule, linewidth=0, zorder=0)
    dashes: dict[str, Any] = {"linewidth": 1.5, "linestyle": (0, (4, 2)), "marker": "D", "markersize": 5}
    axes.plot(across, held.target, color=scheme.ink, zorder=4, path_effects=_halo(scheme, 3), **dashes)
    near, away = held.outputs[held.near], held.outputs[~held.near & np.isfinite(held.outputs).all(1)]
    for lines, hue, mark in ((near, scheme.hues["d_loss"], "o"), (away, scheme.hues["away"], "s")):
        alpha = float(np.clip(8 / max(len(lines), 1), 0.06, 0.9))
        segments = [np.column_stack([across, line]) for line in lines]
        axes.add_collection(LineCollection(segments, colors=hue, linewidths=1.1, alpha=alpha, zorder=2))
        points = np.tile(across, len(lines))
        axes.plot(points, lines.ravel(), mark, color=hue, markersize=4.5, alpha=alpha, markeredgewidth=0, zorder=3)
    axes.set_ylim(-0.06, 1.06)
    axes.set_xlim(0.8, len(held.target) + 0.2)
    axes.set_xticks(across)
    axes.set_xlabel("which number", fontsize=TEXT, color=scheme.soft)
    axes.set_ylabel("G's output (data units)", fontsize=TEXT, color=scheme.soft)
    axes.set_title(
        f"Where G ended: {held.near.sum():,} of {len(facts.seeds):,} within {NEAR:g} of the target in every number",
        loc="left",
        fontsize=TITLE,
        color=scheme.ink,
    )
    keys: list[Any] = [
        Line2D([], [], color=scheme.ink, label="target (mean example)", **dashes),
        Patch(color=scheme.rule, label=f"within {NEAR:g} of it"),
        Line2D([], [], color=scheme.hues["d_loss"], marker="o", markersize=5, label=f"near: {len(near):,}"),
    ]
    if len(away):
        keys.append(Line2D([], [], color=scheme.hues["away"], marker="s", markersize=5, label=f"away: {len(away):,}"))
    if lost := len(facts.seeds) - len(near) - len(away):
        keys.append(Line2D([], [], linestyle="", label=f"not finite: {lost:,}"))
    _place_legend(figure, keys, scheme)
    return figure


def figures(facts: Facts) -> dict[str, Callable[[Facts, Scheme], Figure]]:
    """The pictures that this run has data for, by name, in reading order."""
    chosen: dict[str, Callable[[Facts, Scheme], Figure]] = {}
    if facts.ends is not None:
        chosen["ends"] = ends
    if facts.outputs is not None:
        chosen["outputs"] = outputs
    return {**chosen, "curves": curves, "scores": scores}


def as_png(figure: Figure) -> bytes:
    file = io.BytesIO()
    # No date and no version inside: the same run gives the same file.
    figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return file.getvalue()


def save_figures(run: Run) -> list[str]:
    """Draw every picture into the run's folder. Returns their names there."""
    facts = Facts.of(run)
    return [save_figure(run, name, as_png(draw(facts, LIGHT))) for name, draw in figures(facts).items()]


def save_figure(run: Run, name: str, png: bytes) -> str:
    path = f"figures/{name}.png"
    run.write(path, lambda partial: partial.write_bytes(png))
    return path


# Curves.


def smoothed(values: np.ndarray, window: int) -> np.ndarray:
    """Moving mean over `window` points of `(T, P)`, shorter at the ends; NaN where a value is not finite."""
    if window <= 1 or not len(values):
        return values
    finite = np.isfinite(values)
    return np.where(finite, _moving_sum(np.where(finite, values, 0.0), window), np.nan) / np.maximum(
        _moving_sum(finite.astype(np.float64), window), 1
    )


def _moving_sum(values: np.ndarray, window: int) -> np.ndarray:
    before = window // 2
    sums = np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(0)])
    index = np.arange(len(values))
    return sums[np.minimum(index - before + window, len(values))] - sums[np.maximum(index - before, 0)]


def _window(facts: Facts) -> int:
    """Points of a curve that the moving mean takes together."""
    return max(1, round(len(facts.story.noted) * SMOOTH_SHARE))


def _draw_curve(axes: Axes, facts: Facts, name: str, scheme: Scheme) -> None:
    rounds, raw = facts.story.noted, facts.story.curve(name)
    members, hue = raw.shape[1], scheme.hues[name]
    values = smoothed(raw, _window(facts))
    _dress(axes, scheme)
    _rounds(axes)
    _label_rounds([axes], scheme)
    axes.set_xlim(0, max(facts.story.round, 1))
    if not len(rounds):
        axes.text(0.5, 0.8, "no round played yet", transform=axes.transAxes, ha="center", color=scheme.soft)
        return
    if members == 1:
        axes.plot(rounds, raw[:, 0], color=hue, linewidth=0.5, alpha=0.25)
    elif members <= MOST_LINES:
        lines = [np.column_stack([rounds, line]) for line in values.T]
        alpha = float(np.clip(4 / members, 0.2, 0.5))
        axes.add_collection(LineCollection(lines, colors=hue, linewidths=0.8, alpha=alpha))
    alive = np.isfinite(values).any(1)
    if members >= BAND_FROM:
        reaches = [(25, 75, 0.22)] if members <= MOST_LINES else [(5, 95, 0.16), (25, 75, 0.26)]
        for low, high, alpha in reaches:
            edges = np.nanpercentile(values[alive], [low, high], axis=1)
            axes.fill_between(rounds[alive], edges[0], edges[1], color=hue, alpha=alpha, linewidth=0)
    middle = np.nanmedian(values[alive], axis=1)
    axes.plot(rounds[alive], middle, color=hue, linewidth=2.2, solid_capstyle="round", path_effects=_halo(scheme, 3.6))
    _mark_diverged(axes, facts, rounds, values, scheme)


def _mark_diverged(axes: Axes, facts: Facts, rounds: np.ndarray, values: np.ndarray, scheme: Scheme) -> None:
    """A cross where a member's numbers end."""
    for member in facts.story.diverged:
        held = np.flatnonzero(np.isfinite(values[:, member]))
        if len(held):
            at = held[-1]
            axes.plot(
                rounds[at], values[at, member], "x", color=scheme.ink, markersize=7, markeredgewidth=1.8, zorder=5
            )


def _draw_level(axes: Axes, level: float | None, meaning: str, scheme: Scheme) -> None:
    if level is None:
        return
    axes.axhline(level, color=scheme.ink, linewidth=1.1, linestyle=(0, (5, 3)), zorder=3)
    # Beside the picture, where no curve can run through it.
    axes.annotate(
        f"{level:.3g}:\n{meaning}",
        (1, level),
        xycoords=axes.get_yaxis_transform(),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
        color=scheme.ink,
        annotation_clip=False,
    )


def _answer_limits(facts: Facts, names: Sequence[str]) -> tuple[float, float]:
    """All that D may answer, or the middle when it never leaves that."""
    values = np.concatenate([smoothed(facts.story.curve(name), _window(facts)).ravel() for name in names])
    values = values[np.isfinite(values)]
    return (-0.03, 1.03) if len(values) and np.abs(values - 0.5).max() > 0.2 else (0.29, 0.71)


def _fit(axes: Axes, facts: Facts, names: Sequence[str]) -> None:
    """Limits that hold the curves, but not at the price of all others what one member does before it diverges."""
    values = np.concatenate([smoothed(facts.story.curve(name), _window(facts)).ravel() for name in names])
    values = values[np.isfinite(values)]
    levels = [facts.equilibrium[name] for name in names if name in facts.equilibrium]
    if not len(values):
        axes.set_ylim(*((0, 2 * max(levels)) if levels and max(levels) > 0 else (-1, 1)))
        return
    most = np.quantile(values, [0.005, 0.995])
    spread = max(float(most[1] - most[0]), 1e-6)
    low, high = max(values.min(), most[0] - spread), min(values.max(), most[1] + spread)
    low, high = min([low, *levels]), max([high, *levels])
    room = 0.08 * max(high - low, 1e-3)
    axes.set_ylim(low - room, high + 2.2 * room)


def _legend(figure: Figure, facts: Facts, scheme: Scheme) -> None:
    """One for both panels, so in ink rather than in either's hue."""
    if not len(facts.story.noted):
        return
    ink, members = scheme.soft, len(facts.seeds)
    window = _window(facts) * _step(facts.story.noted)
    over = f" (mean over {window:,} rounds)" if _window(facts) > 1 else ""
    if members == 1:
        keys: list[Any] = [
            Line2D([], [], color=ink, linewidth=2.2, label=f"seed {facts.seeds[0]}{over}"),
            Line2D([], [], color=ink, linewidth=0.8, alpha=0.5, label="every point noted"),
        ]
    else:
        keys = [Line2D([], [], color=ink, linewidth=2.2, label=f"median of {members:,} seeds{over}")]
        if members <= MOST_LINES:
            keys.append(Line2D([], [], color=ink, linewidth=0.8, alpha=0.6, label="each seed"))
        if members >= BAND_FROM:
            keys.append(Patch(color=ink, alpha=0.4, linewidth=0, label="middle half of seeds"))
        if members > MOST_LINES:
            keys.append(Patch(color=ink, alpha=0.2, linewidth=0, label="5 % to 95 %"))
    if facts.diverged:
        label = f"diverged: {len(facts.diverged):,} of {members:,}"
        keys.append(Line2D([], [], color=scheme.ink, marker="x", linestyle="", markeredgewidth=1.8, label=label))
    _place_legend(figure, keys, scheme)


def _step(rounds: np.ndarray) -> int:
    return int(np.median(np.diff(rounds))) if len(rounds) > 1 else 1


# Dress.


def _figure(scheme: Scheme, height: float) -> Figure:
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=scheme.paper, layout=layout)
    return figure


def _two_panels(scheme: Scheme) -> tuple[Figure, Sequence[Axes]]:
    figure = _figure(scheme, 3.9)
    return figure, figure.subplots(1, 2)


def _dress(axes: Axes, scheme: Scheme, grid: bool = True) -> None:
    axes.set_facecolor(scheme.paper)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(colors=scheme.soft, labelsize=SMALL, length=0 if grid else 3)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(True, axis="y", color=scheme.rule, linewidth=0.8)


def _rounds(axes: Axes, few: bool = False) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(2 if few else 5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))


def _label_rounds(panels: Sequence[Axes], scheme: Scheme) -> None:
    for axes in panels:
        axes.set_xlabel("round", fontsize=TEXT, color=scheme.soft)


def _headline(figure: Figure, text: str, scheme: Scheme) -> None:
    figure.suptitle(text, x=0.01, ha="left", fontsize=TITLE, color=scheme.ink)


def _place_legend(figure: Figure, keys: Sequence[Any], scheme: Scheme) -> None:
    figure.legend(
        handles=keys,
        loc="outside lower center",
        ncols=len(keys),
        fontsize=SMALL,
        frameon=False,
        labelcolor=scheme.soft,
        handlelength=1.8,
        columnspacing=1.6,
    )


def _halo(scheme: Scheme, width: float) -> list[Any]:
    return [withStroke(linewidth=width, foreground=scheme.paper)]


def _edges(rounds: np.ndarray) -> np.ndarray:
    """Where one column of a heat map ends and the next begins: halfway between the rounds."""
    if len(rounds) == 1:
        return np.array([rounds[0], rounds[0] + 1.0])
    middles = (rounds[1:] + rounds[:-1]) / 2
    return np.concatenate([[rounds[0]], middles, [rounds[-1]]])


def _name_member(axes: Axes, facts: Facts, member: int, values: np.ndarray, scheme: Scheme) -> None:
    """The seed and what it ended with, in another colour when that is away from the target."""
    away = facts.ends is not None and not facts.ends.near[member]
    fate = ": diverged" if member in facts.story.diverged else ": away" if away else ""
    told = " ".join(f"{v:.2f}" if np.isfinite(v) else "lost" for v in values[:4])
    axes.set_title(
        f"seed {facts.seeds[member]}{fate}\n{told}{' ...' if len(values) > 4 else ''}",
        loc="left",
        fontsize=SMALL - 0.5,
        linespacing=1.4,
        color=scheme.hues["away"] if fate else scheme.ink,
    )


def _row_names(facts: Facts, count: int) -> list[str]:
    if facts.ends is None:
        return [str(k + 1) for k in range(count)]
    return [f"{k + 1} ({facts.ends.target[k]:g})" for k in range(count)]
