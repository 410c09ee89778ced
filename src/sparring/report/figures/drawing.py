"""What pictures are drawn with: colors for light and dark, dressed axes, curves of many seeds, limits to hold them.

Hues are Okabe and Ito's, which people with any color vision can tell apart. The fonts that come with matplotlib hold
no Chinese, so the text in pictures is English. Nothing here touches matplotlib's global state.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sparring.analysis.facts import Facts
from sparring.report.figures.smoothing import shown, window

WIDTH = 9.0
"""Inches."""
DPI = 150
SMALL, TEXT, TITLE = 9.5, 10.5, 11.5
"""Points."""
MOST_LINES = 64
"""Seeds up to which each has a line of its own; beyond, bands tell more."""
BAND_FROM = 4
"""Seeds from which on an interquartile band means something."""

Limits = tuple[float, float]


@dataclass(frozen=True)
class Scheme:
    """Colors of a picture on light or on dark ground."""

    paper: str
    ink: str
    soft: str
    rule: str
    hues: dict[str, str]
    lost: str
    """The gray of what is not there."""


LIGHT = Scheme(
    paper="#ffffff",
    ink="#1c1c1e",
    soft="#63636a",
    rule="#e6e6ea",
    hues={
        "d_loss": "#0072B2",
        "g_loss": "#D55E00",
        "d_real": "#009E73",
        "d_fake": "#CC79A7",
        "d_gradient": "#0072B2",
        "g_gradient": "#D55E00",
        "samples": "#D55E00",
        "d_train": "#009E73",
        "d_held_out": "#0072B2",
        "d_generated": "#CC79A7",
        "away": "#D55E00",
    },
    lost="#c9c9cf",
)
DARK = Scheme(
    paper="#1b1c20",
    ink="#ececf0",
    soft="#a2a3ab",
    rule="#33353c",
    hues={
        "d_loss": "#56B4E9",
        "g_loss": "#E69F00",
        "d_real": "#20C695",
        "d_fake": "#E39AC3",
        "d_gradient": "#56B4E9",
        "g_gradient": "#E69F00",
        "samples": "#E69F00",
        "d_train": "#20C695",
        "d_held_out": "#56B4E9",
        "d_generated": "#E39AC3",
        "away": "#E69F00",
    },
    lost="#4a4c55",
)


# Curves.


def draw_curve(axes: Axes, facts: Facts, name: str, scheme: Scheme) -> None:
    rounds, raw = facts.story.logged_rounds, facts.story.curve(name)
    members, hue = raw.shape[1], scheme.hues[name]
    values = shown(facts, name)
    dress(axes, scheme)
    log_rounds(axes)
    label_rounds([axes], scheme)
    axes.set_xlim(0, max(facts.story.round, 1))
    if not len(rounds):
        axes.text(0.5, 0.8, "no round played yet", transform=axes.transAxes, ha="center", color=scheme.soft)
        return
    if members == 1:
        axes.plot(rounds, raw[:, 0], color=hue, linewidth=0.5, alpha=0.25)
    draw_members(axes, rounds, values, hue, scheme)
    _mark_diverged(axes, facts, rounds, values, scheme)


def draw_members(axes: Axes, rounds: np.ndarray, values: np.ndarray, hue: str, scheme: Scheme) -> None:
    """Lines of `(T, P)`: thick the median, thin each member, bands where there are enough of them."""
    members, alive = values.shape[1], np.isfinite(values).any(1)
    if not alive.any():
        return
    if 1 < members <= MOST_LINES:
        lines = [np.column_stack([rounds, line]) for line in values.T]
        alpha = float(np.clip(4 / members, 0.2, 0.5))
        axes.add_collection(LineCollection(lines, colors=hue, linewidths=0.8, alpha=alpha))
    if members >= BAND_FROM:
        reaches = [(25, 75, 0.22)] if members <= MOST_LINES else [(5, 95, 0.16), (25, 75, 0.26)]
        for low, high, alpha in reaches:
            edges = np.nanpercentile(values[alive], [low, high], axis=1)
            axes.fill_between(rounds[alive], edges[0], edges[1], color=hue, alpha=alpha, linewidth=0)
    middle = np.nanmedian(values[alive], axis=1)
    axes.plot(rounds[alive], middle, color=hue, linewidth=2.2, solid_capstyle="round", path_effects=halo(scheme, 3.6))


def _mark_diverged(axes: Axes, facts: Facts, rounds: np.ndarray, values: np.ndarray, scheme: Scheme) -> None:
    """A cross where a member's numbers end."""
    for member in facts.story.diverged:
        held = np.flatnonzero(np.isfinite(values[:, member]))
        if len(held):
            at = held[-1]
            axes.plot(
                rounds[at], values[at, member], "x", color=scheme.ink, markersize=7, markeredgewidth=1.8, zorder=5
            )


def draw_level(axes: Axes, level: float | None, meaning: str, scheme: Scheme) -> None:
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


def limits(values: np.ndarray, levels: Sequence[float]) -> Limits:
    """Limits that hold curves and levels; what one member does before it diverges does not press the others flat."""
    values = values[np.isfinite(values)]
    if not len(values):
        return (0, 2 * max(levels)) if levels and max(levels) > 0 else (-1, 1)
    most = np.quantile(values, [0.005, 0.995])
    spread = max(float(most[1] - most[0]), 1e-6)
    low, high = max(values.min(), most[0] - spread), min(values.max(), most[1] + spread)
    low, high = min([low, *levels]), max([high, *levels])
    room = 0.08 * max(high - low, 1e-3)
    return float(low - room), float(high + 2.2 * room)


def answer_limits(values: np.ndarray) -> Limits:
    """All that a D that answers from 0 to 1 may answer, or the middle when it never leaves that."""
    values = values[np.isfinite(values)]
    return (-0.03, 1.03) if len(values) and np.abs(values - 0.5).max() > 0.2 else (0.29, 0.71)


def drawn(runs: Sequence[Facts], names: Sequence[str]) -> np.ndarray:
    """All points of these curves of these runs, as they are drawn, in one row."""
    return np.concatenate([shown(facts, name).ravel() for facts in runs for name in names])


def levels_of(runs: Sequence[Facts], names: Sequence[str]) -> list[float]:
    """What these curves are once D cannot tell, each number once."""
    found = [facts.equilibrium[name] for facts in runs for name in names if name in facts.equilibrium]
    return sorted(set(found))


def legend_of_seeds(figure: Figure, facts: Facts, scheme: Scheme) -> None:
    """One for both panels, so in ink rather than in either's hue."""
    if not len(facts.story.logged_rounds):
        return
    together = window(facts)
    over = f" (mean over {together * _step(facts.story.logged_rounds):,} rounds)" if together > 1 else ""
    keys = keys_of_seeds(facts, scheme, over)
    if len(facts.seeds) == 1:
        keys.append(Line2D([], [], color=scheme.soft, linewidth=0.8, alpha=0.5, label="every point noted"))
    if facts.diverged:
        label = f"diverged: {len(facts.diverged):,} of {len(facts.seeds):,}"
        keys.append(Line2D([], [], color=scheme.ink, marker="x", linestyle="", markeredgewidth=1.8, label=label))
    place_legend(figure, keys, scheme)


def keys_of_seeds(facts: Facts, scheme: Scheme, over: str = "") -> list[Any]:
    """What the lines and bands of `draw_members` are; `over` tells what the thick line was averaged over."""
    ink, members = scheme.soft, len(facts.seeds)
    if members == 1:
        return [Line2D([], [], color=ink, linewidth=2.2, label=f"seed {facts.seeds[0]}{over}")]
    keys: list[Any] = [Line2D([], [], color=ink, linewidth=2.2, label=f"median of {members:,} seeds{over}")]
    if members <= MOST_LINES:
        keys.append(Line2D([], [], color=ink, linewidth=0.8, alpha=0.6, label="each seed"))
    if members >= BAND_FROM:
        keys.append(Patch(color=ink, alpha=0.4, linewidth=0, label="middle half of seeds"))
    if members > MOST_LINES:
        keys.append(Patch(color=ink, alpha=0.2, linewidth=0, label="5 % to 95 %"))
    return keys


def _step(rounds: np.ndarray) -> int:
    return int(np.median(np.diff(rounds))) if len(rounds) > 1 else 1


def blank(scheme: Scheme, height: float, width: float = WIDTH) -> Figure:
    """A figure of so many inches."""
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
    return Figure(figsize=(width, height), dpi=DPI, facecolor=scheme.paper, layout=layout)


def dress(axes: Axes, scheme: Scheme, grid: bool = True) -> None:
    axes.set_facecolor(scheme.paper)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(colors=scheme.soft, labelsize=SMALL, length=0 if grid else 3)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(True, axis="y", color=scheme.rule, linewidth=0.8)


def log_rounds(axes: Axes, few: bool = False) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(3 if few else 5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))


def label_rounds(panels: Sequence[Axes], scheme: Scheme) -> None:
    for axes in panels:
        axes.set_xlabel("round", fontsize=TEXT, color=scheme.soft)


def place_legend(figure: Figure, keys: Sequence[Any], scheme: Scheme) -> None:
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


def halo(scheme: Scheme, width: float) -> list[Any]:
    return [withStroke(linewidth=width, foreground=scheme.paper)]


def as_png(figure: Figure) -> bytes:
    file = io.BytesIO()
    # No date and no version inside: the same run gives the same file.
    figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return file.getvalue()
