"""Pictures of one run: its curves, how D scored, and for data of a few numbers what G gave and where it ended.

Each picture is a function of the run's facts that returns a matplotlib Figure; none touches matplotlib's global state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sparring.analysis.facts import TITLES, Facts
from sparring.record import Run
from sparring.report.figures.drawing import (
    LIGHT,
    SMALL,
    TEXT,
    TITLE,
    Scheme,
    answer_limits,
    as_png,
    blank,
    draw_curve,
    draw_level,
    drawn,
    dress,
    halo,
    label_rounds,
    legend_of_seeds,
    levels_of,
    limits,
    log_rounds,
    place_legend,
)
from sparring.report.figures.panels import figures_at_ticks, gradients
from sparring.rules import NEAR

MOST_PANELS = 16


def curves(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """Both players' losses over the rounds, every seed, with what they are once D cannot tell."""
    figure, (left, right) = _two_panels(scheme)
    unit = f"loss per example ({facts.objective})"
    for axes, name in ((left, "d_loss"), (right, "g_loss")):
        draw_curve(axes, facts, name, scheme)
        axes.set_title(TITLES[name], loc="left", fontsize=TITLE, color=scheme.ink)
        axes.set_ylabel(unit, fontsize=TEXT, color=scheme.soft)
        draw_level(axes, facts.equilibrium.get(name), "D cannot\ntell", scheme)
        _fit(axes, facts, [name])
    legend_of_seeds(figure, facts, scheme)
    return figure


def scores(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """What D says of real and of generated examples over the rounds, every seed."""
    figure, panels = _two_panels(scheme)
    level = facts.equilibrium.get("d_real")
    titles = {"d_real": "D's answer to real examples", "d_fake": "D's answer to generated examples"}
    for axes, name in zip(panels, titles, strict=True):
        draw_curve(axes, facts, name, scheme)
        axes.set_title(titles[name], loc="left", fontsize=TITLE, color=scheme.ink)
        axes.set_ylabel("D(x): 0 = fake, 1 = real" if level == 0.5 else "D(x)", fontsize=TEXT, color=scheme.soft)
        draw_level(axes, level, "undecided", scheme)
        if level == 0.5:
            axes.set_ylim(*answer_limits(drawn([facts], list(titles))))
        else:
            _fit(axes, facts, list(titles))
    legend_of_seeds(figure, facts, scheme)
    return figure


def outputs(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """What each member's generator gave as training went on: a row for each number, color for its value."""
    assert facts.outputs is not None
    rounds, examples = facts.outputs
    shown = min(len(facts.seeds), MOST_PANELS)
    columns = 1 if shown == 1 else 2 if shown <= 4 else 4
    rows = math.ceil(shown / columns)
    figure = blank(scheme, 1.0 + rows * (2.2 if columns == 1 else 1.6))
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    colors = colormaps["viridis"].with_extremes(bad=scheme.lost)
    mesh = None
    for member, axes in enumerate(panels.flat):
        if member >= shown:
            axes.set_visible(False)
            continue
        mesh = axes.pcolormesh(
            _edges(rounds), np.arange(examples.shape[2] + 1) + 0.5, examples[:, member].T, cmap=colors, vmin=0, vmax=1
        )
        axes.invert_yaxis() if member == 0 else None
        dress(axes, scheme, grid=False)
        _name_member(axes, facts, member, examples[-1, member], scheme)
        log_rounds(axes, few=columns > 2)
        axes.set_yticks(range(1, examples.shape[2] + 1), _row_names(facts, examples.shape[2]))
    assert mesh is not None
    for axes in panels[:, 0]:
        axes.set_ylabel("number" if facts.ends is None else "number (target)", fontsize=SMALL, color=scheme.soft)
    lowest = list(panels.flat)[max(shown - columns, 0) : shown]
    label_rounds(lowest, scheme)
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
    figure = blank(scheme, 3.7)
    axes = figure.subplots()
    across = np.arange(1, len(held.target) + 1)
    dress(axes, scheme)
    axes.fill_between(across, held.target - NEAR, held.target + NEAR, color=scheme.rule, linewidth=0, zorder=0)
    dashes: dict[str, Any] = {"linewidth": 1.5, "linestyle": (0, (4, 2)), "marker": "D", "markersize": 5}
    axes.plot(across, held.target, color=scheme.ink, zorder=4, path_effects=halo(scheme, 3), **dashes)
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
    place_legend(figure, keys, scheme)
    return figure


def figures(facts: Facts) -> dict[str, Callable[[Facts, Scheme], Figure]]:
    """The pictures that this run has data for, by name, in reading order."""
    chosen: dict[str, Callable[[Facts, Scheme], Figure]] = {}
    if facts.ends is not None:
        chosen["ends"] = ends
    if facts.outputs is not None:
        chosen["outputs"] = outputs
    if facts.evaluated is not None:
        chosen["metrics"] = figures_at_ticks
    chosen |= {"curves": curves, "scores": scores}
    if facts.gradients:
        chosen["gradients"] = gradients
    return chosen


def save_figures(run: Run) -> list[str]:
    """Draw every picture into the run's folder. Returns their names there."""
    facts = Facts.of(run)
    return [save_figure(run, name, as_png(draw(facts, LIGHT))) for name, draw in figures(facts).items()]


def save_figure(run: Run, name: str, png: bytes) -> str:
    path = f"figures/{name}.png"
    run.write(path, lambda partial: partial.write_bytes(png))
    return path


# Dress.


def _two_panels(scheme: Scheme) -> tuple[Figure, Sequence[Axes]]:
    figure = blank(scheme, 3.9)
    return figure, figure.subplots(1, 2)


def _headline(figure: Figure, text: str, scheme: Scheme) -> None:
    figure.suptitle(text, x=0.01, ha="left", fontsize=TITLE, color=scheme.ink)


def _fit(axes: Axes, facts: Facts, names: Sequence[str]) -> None:
    axes.set_ylim(*limits(drawn([facts], names), levels_of([facts], names)))


def _edges(rounds: np.ndarray) -> np.ndarray:
    """Where one column of a heat map ends and the next begins: halfway between the rounds."""
    if len(rounds) == 1:
        return np.array([rounds[0], rounds[0] + 1.0])
    middles = (rounds[1:] + rounds[:-1]) / 2
    return np.concatenate([[rounds[0]], middles, [rounds[-1]]])


def _name_member(axes: Axes, facts: Facts, member: int, values: np.ndarray, scheme: Scheme) -> None:
    """The seed and what it ended with, in another color when that is away from the target."""
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
