"""Figures of one run: its curves, and for data of a few numbers the outputs of G over the rounds and at the end.

Each figure is a function of the run's facts that returns a matplotlib Figure; none touches matplotlib's global state.
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
from sparring.analysis.wording import count
from sparring.record import RunFolder
from sparring.report.figures.drawing import (
    LIGHT,
    SMALL,
    TEXT,
    TITLE,
    Scheme,
    as_png,
    blank,
    draw_curve,
    draw_level,
    drawn_values,
    dress,
    equilibrium_levels,
    halo,
    label_rounds,
    legend_of_seeds,
    limits,
    output_limits,
    place_legend,
    round_ticks,
    title,
    two_panels,
)
from sparring.report.figures.panels import evaluations, gradients
from sparring.rules import NEAR

MAX_PANELS = 16
"""Seeds that have a heat map of their own."""


def curves(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """Both players' losses over the rounds, for every seed, with their values at equilibrium."""
    figure, (left, right) = two_panels(scheme)
    unit = "mean loss per example" + ("" if scheme.narrow else f" ({facts.objective})")
    for axes, name in ((left, "d_loss"), (right, "g_loss")):
        draw_curve(axes, facts, name, scheme)
        title(axes, TITLES[name], scheme)
        axes.set_ylabel(unit, fontsize=TEXT, color=scheme.soft)
        draw_level(axes, facts.equilibrium.get(name), "equilibrium", scheme)
        _fit(axes, facts, [name])
    legend_of_seeds(figure, facts, scheme)
    return figure


def scores(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """D(real) and D(fake) over the rounds, for every seed."""
    figure, panels = two_panels(scheme)
    level = facts.equilibrium.get("d_real")
    titles = {"d_real": "D(real): D's output for real examples", "d_fake": "D(fake): D's output for generated examples"}
    for axes, name in zip(panels, titles, strict=True):
        draw_curve(axes, facts, name, scheme)
        title(axes, titles[name], scheme)
        axes.set_ylabel("D(x): 0 = fake, 1 = real" if level == 0.5 else "D(x)", fontsize=TEXT, color=scheme.soft)
        draw_level(axes, level, "equilibrium", scheme)
        if level == 0.5:
            axes.set_ylim(*output_limits(drawn_values([facts], list(titles))))
        else:
            _fit(axes, facts, list(titles))
    legend_of_seeds(figure, facts, scheme)
    return figure


def outputs(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """Each member's output for one latent vector over the rounds: a row for each number, color for its value."""
    assert facts.outputs is not None
    rounds, examples = facts.outputs
    members = min(len(facts.seeds), MAX_PANELS)
    rows = math.ceil(members / (1 if members == 1 else 2 if members <= 4 or scheme.narrow else 4))
    columns = math.ceil(members / rows)  # five panels are three and two, not four and one
    figure = blank(scheme, 1.0 + rows * (2.2 if columns == 1 else 1.6))
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    colors = colormaps["viridis"].with_extremes(bad=scheme.missing)
    mesh = None
    for member, axes in enumerate(panels.flat):
        if member >= members:
            axes.set_visible(False)
            continue
        mesh = axes.pcolormesh(
            _edges(rounds), np.arange(examples.shape[2] + 1) + 0.5, examples[:, member].T, cmap=colors, vmin=0, vmax=1
        )
        axes.invert_yaxis() if member == 0 else None
        dress(axes, scheme, grid=False)
        _name_member(axes, facts, member, examples[-1, member], scheme)
        round_ticks(axes, few=columns > 2 or scheme.narrow)
        axes.set_yticks(range(1, examples.shape[2] + 1), _row_names(facts, examples.shape[2]))
    assert mesh is not None
    for axes in panels[:, 0]:
        axes.set_ylabel("number" if facts.ends is None else "number (target)", fontsize=SMALL, color=scheme.soft)
    lowest = list(panels.flat)[max(members - columns, 0) : members]
    label_rounds(lowest, scheme)
    for axes in lowest:
        axes.tick_params(labelbottom=True)
    bar = figure.colorbar(mesh, ax=list(panels.flat), aspect=30 if rows > 1 else 18, pad=0.015)
    bar.set_label("G's output (data units)", fontsize=TEXT, color=scheme.soft)
    bar.ax.tick_params(colors=scheme.soft, labelsize=SMALL, length=3)
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue] - matplotlib's stub calls an artist a list
    which = f", first {members} of {len(facts.seeds):,} seeds" if members < len(facts.seeds) else ""
    _headline(figure, f"G's output over training{which}", scheme)
    return figure


def ends(facts: Facts, scheme: Scheme = LIGHT) -> Figure:
    """The last output of each member's generator beside the target: a line for each seed."""
    final = facts.ends
    assert final is not None
    figure = blank(scheme, 3.7)
    axes = figure.subplots()
    across = np.arange(1, len(final.target) + 1)
    dress(axes, scheme)
    axes.fill_between(across, final.target - NEAR, final.target + NEAR, color=scheme.rule, linewidth=0, zorder=0)
    dashes: dict[str, Any] = {"linewidth": 1.5, "linestyle": (0, (4, 2)), "marker": "D", "markersize": 5}
    axes.plot(across, final.target, color=scheme.ink, zorder=4, path_effects=halo(scheme, 3), **dashes)
    near, away = final.outputs[final.near], final.outputs[~final.near & np.isfinite(final.outputs).all(1)]
    for lines, hue, mark in ((near, scheme.hues["d_loss"], "o"), (away, scheme.hues["away"], "s")):
        alpha = float(np.clip(8 / max(len(lines), 1), 0.06, 0.9))
        segments = [np.column_stack([across, line]) for line in lines]
        axes.add_collection(LineCollection(segments, colors=hue, linewidths=1.1, alpha=alpha, zorder=2))
        points = np.tile(across, len(lines))
        axes.plot(points, lines.ravel(), mark, color=hue, markersize=4.5, alpha=alpha, markeredgewidth=0, zorder=3)
    axes.set_ylim(-0.06, 1.06)
    axes.set_xlim(0.8, len(final.target) + 0.2)
    axes.set_xticks(across)
    axes.set_xlabel("index of the number in an example", fontsize=TEXT, color=scheme.soft)
    axes.set_ylabel("G's output (data units)", fontsize=TEXT, color=scheme.soft)
    reached = f"{final.near.sum():,} of {count(len(facts.seeds), 'seed')} within {NEAR:g} of the target"
    title(axes, f"Final outputs of G: {reached}", scheme)
    keys: list[Any] = [
        Line2D([], [], color=scheme.ink, label="target (mean real example)", **dashes),
        Patch(color=scheme.rule, label=f"within {NEAR:g} of the target"),
        Line2D([], [], color=scheme.hues["d_loss"], marker="o", markersize=5, label=f"near the target: {len(near):,}"),
    ]
    if len(away):
        keys.append(
            Line2D([], [], color=scheme.hues["away"], marker="s", markersize=5, label=f"off target: {len(away):,}")
        )
    if missing := len(facts.seeds) - len(near) - len(away):
        keys.append(Line2D([], [], linestyle="", label=f"not finite: {missing:,}"))
    place_legend(figure, keys, scheme)
    return figure


def figures(facts: Facts) -> dict[str, Callable[[Facts, Scheme], Figure]]:
    """The figures that this run has data for, by name, in reading order."""
    chosen: dict[str, Callable[[Facts, Scheme], Figure]] = {}
    if facts.ends is not None:
        chosen["ends"] = ends
    if facts.outputs is not None:
        chosen["outputs"] = outputs
    if facts.evaluation is not None:
        chosen["metrics"] = evaluations
    chosen |= {"curves": curves, "scores": scores}
    if facts.gradients:
        chosen["gradients"] = gradients
    return chosen


def save_figures(run: RunFolder) -> list[str]:
    """Draw every figure into the run's folder. Returns their paths, relative to that folder."""
    facts = Facts.of(run)
    return [save_figure(run, name, as_png(draw(facts, LIGHT))) for name, draw in figures(facts).items()]


def save_figure(run: RunFolder, name: str, png: bytes) -> str:
    """Write one figure. Returns its path, relative to the run's folder."""
    path = f"figures/{name}.png"
    run.write(path, lambda partial: partial.write_bytes(png))
    return path


def _headline(figure: Figure, text: str, scheme: Scheme) -> None:
    figure.suptitle(text, x=0.01, ha="left", fontsize=TITLE, color=scheme.ink)


def _fit(axes: Axes, facts: Facts, names: Sequence[str]) -> None:
    axes.set_ylim(*limits(drawn_values([facts], names), equilibrium_levels([facts], names)))


def _edges(rounds: np.ndarray) -> np.ndarray:
    """Borders of a heat map's columns: halfway between the rounds."""
    if len(rounds) == 1:
        return np.array([rounds[0], rounds[0] + 1.0])
    middles = (rounds[1:] + rounds[:-1]) / 2
    return np.concatenate([[rounds[0]], middles, [rounds[-1]]])


def _name_member(axes: Axes, facts: Facts, member: int, values: np.ndarray, scheme: Scheme) -> None:
    """The seed and its final output, in another color when that is away from the target."""
    away = facts.ends is not None and not facts.ends.near[member]
    fate = ": diverged" if member in facts.story.diverged else ": off target" if away else ""
    output = " ".join(f"{v:.2f}" if np.isfinite(v) else "NaN" for v in values[:4])
    axes.set_title(
        f"seed {facts.seeds[member]}{fate}\n{output}{' ...' if len(values) > 4 else ''}",
        loc="left",
        fontsize=SMALL - 0.5,
        linespacing=1.4,
        color=scheme.hues["away"] if fate else scheme.ink,
    )


def _row_names(facts: Facts, count: int) -> list[str]:
    if facts.ends is None:
        return [str(k + 1) for k in range(count)]
    return [f"{k + 1} ({facts.ends.target[k]:g})" for k in range(count)]
