"""Shared parts of all figures: colors for light and dark, axes, curves of many seeds, limits, legends.

Hues are Okabe and Ito's, which people with any color vision can tell apart. The fonts that come with matplotlib hold
no Chinese, so the text in pictures is English. Nothing here touches matplotlib's global state.
"""

from __future__ import annotations

import io
import math
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from sparring.analysis.curves import smoothed_curve, window
from sparring.analysis.facts import Facts

WIDTH, NARROW_WIDTH = 9.0, 4.4
"""Inches of a figure, and of one that a phone shows in full with readable text."""
DPI = 150
SMALL, TEXT, TITLE = 9.5, 10.5, 11.5
"""Points."""
NARROW_TITLE = 40
"""Characters of a line of a title in a narrow figure."""
MAX_LINES = 64
"""Up to this many seeds each has a line of its own; with more, bands are easier to read."""
MIN_SEEDS_FOR_BAND = 4
"""With fewer seeds, an interquartile band means nothing."""

Limits = tuple[float, float]


@dataclass(frozen=True)
class Scheme:
    """Colors of a figure on a light or a dark background, and whether it is for a narrow screen."""

    paper: str
    ink: str
    soft: str
    rule: str
    hues: dict[str, str]
    missing: str
    """The gray of a value that is not finite."""
    narrow: bool = False
    """Whether panels lie below each other, for a phone."""


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
    missing="#c9c9cf",
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
    missing="#4a4c55",
)
PHONE = replace(LIGHT, narrow=True)
"""In the dark the page inverts these pictures, which saves drawing them once more."""


# Curves.


def draw_curve(axes: Axes, facts: Facts, name: str, scheme: Scheme) -> None:
    """A smoothed curve of every seed over the rounds, with crosses where seeds diverged."""
    rounds, raw = facts.story.logged_rounds, facts.story.curve(name)
    members, hue = raw.shape[1], scheme.hues[name]
    values = smoothed_curve(facts, name)
    dress(axes, scheme)
    round_ticks(axes)
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
    """Draw values `(T, P)`: a thick line for the median, a thin one for each member, bands where there are enough.

    Where there is a single point of time, dots: a line of one point is not seen.
    """
    members, alive = values.shape[1], np.isfinite(values).any(1)
    if not alive.any():
        return
    if 1 < members <= MAX_LINES:
        lines = [np.column_stack([rounds, line]) for line in values.T]
        alpha = float(np.clip(4 / members, 0.2, 0.5))
        axes.add_collection(LineCollection(lines, colors=hue, linewidths=0.8, alpha=alpha))
    if members >= MIN_SEEDS_FOR_BAND:
        reaches = [(25, 75, 0.22)] if members <= MAX_LINES else [(5, 95, 0.16), (25, 75, 0.26)]
        for low, high, alpha in reaches:
            edges = np.nanpercentile(values[alive], [low, high], axis=1)
            axes.fill_between(rounds[alive], edges[0], edges[1], color=hue, alpha=alpha, linewidth=0)
    median = np.nanmedian(values[alive], axis=1)
    if alive.sum() == 1:
        here = np.full(members, rounds[alive][0])
        axes.plot(here, values[alive][0], "o", color=hue, markersize=4, alpha=0.5, clip_on=False)
        axes.plot(rounds[alive], median, "o", color=hue, markersize=8, clip_on=False)
        return
    axes.plot(rounds[alive], median, color=hue, linewidth=2.2, solid_capstyle="round", path_effects=halo(scheme, 3.6))


def _mark_diverged(axes: Axes, facts: Facts, rounds: np.ndarray, values: np.ndarray, scheme: Scheme) -> None:
    """A cross at the last finite value of every diverged member."""
    for member in facts.story.diverged:
        finite = np.flatnonzero(np.isfinite(values[:, member]))
        if len(finite):
            at = finite[-1]
            axes.plot(
                rounds[at], values[at, member], "x", color=scheme.ink, markersize=7, markeredgewidth=1.8, zorder=5
            )


def draw_level(axes: Axes, level: float | None, meaning: str, scheme: Scheme, va: str = "center") -> None:
    """A dashed horizontal line, with its value and meaning to the right of the panel, aligned to the line by `va`."""
    if level is None:
        return
    axes.axhline(level, color=scheme.ink, linewidth=1.1, linestyle=(0, (5, 3)), zorder=3)
    # Outside the panel, where no curve can cross it.
    axes.annotate(
        f"{level:.3g}:\n{meaning}",
        (1, level),
        xycoords=axes.get_yaxis_transform(),
        xytext=(5, 0),
        textcoords="offset points",
        va=va,
        fontsize=SMALL,
        color=scheme.ink,
        annotation_clip=False,
    )


def limits(values: np.ndarray, levels: Sequence[float]) -> Limits:
    """Limits that contain values and levels, except for extreme values, such as those of a member about to diverge."""
    values = values[np.isfinite(values)]
    if not len(values):
        return (0, 2 * max(levels)) if levels and max(levels) > 0 else (-1, 1)
    inner = np.quantile(values, [0.005, 0.995])
    spread = max(float(inner[1] - inner[0]), 1e-6)
    low, high = max(values.min(), inner[0] - spread), min(values.max(), inner[1] + spread)
    low, high = min([low, *levels]), max([high, *levels])
    room = 0.08 * max(high - low, 1e-3)
    return float(low - room), float(high + 2.2 * room)


def logarithmic(axes: Axes, values: np.ndarray, levels: Sequence[float] = ()) -> bool:
    """Give axes a logarithmic scale that contains the positive values and levels; False when there are no values."""
    positive = values[np.isfinite(values) & (values > 0)]
    if not len(positive):
        return False
    low, high = limits(np.log10(positive), [math.log10(level) for level in levels if level > 0])
    axes.set_yscale("log")
    axes.set_ylim(10**low, 10**high)
    # An axis that spans less than two decades may contain no power of ten to label.
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if high - low > 2 else (1.0, 2.0, 5.0), numticks=6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    return True


def output_limits(values: np.ndarray) -> Limits:
    """Limits for D's outputs as probabilities: from 0 to 1, or near 0.5 when they never leave that."""
    values = values[np.isfinite(values)]
    return (-0.03, 1.03) if len(values) and np.abs(values - 0.5).max() > 0.2 else (0.29, 0.71)


def drawn_values(runs: Sequence[Facts], names: Sequence[str]) -> np.ndarray:
    """All values of these curves of these runs, as they are drawn, in one dimension."""
    return np.concatenate([smoothed_curve(facts, name).ravel() for facts in runs for name in names])


def equilibrium_levels(runs: Sequence[Facts], names: Sequence[str]) -> list[float]:
    """The values of these curves at equilibrium, each once, in ascending order."""
    levels = [facts.equilibrium[name] for facts in runs for name in names if name in facts.equilibrium]
    return sorted({f"{level:.3g}": level for level in levels}.values())


def legend_of_seeds(figure: Figure, facts: Facts, scheme: Scheme) -> None:
    """One legend for both panels, so in neither panel's hue."""
    if not len(facts.story.logged_rounds):
        return
    points = window(facts)
    over = f" (moving mean of {points * _step(facts.story.logged_rounds):,} rounds)" if points > 1 else ""
    keys = keys_of_seeds(facts, scheme, over)
    if len(facts.seeds) == 1:
        keys.append(Line2D([], [], color=scheme.soft, linewidth=0.8, alpha=0.5, label="every logged round"))
    if facts.diverged:
        label = f"diverged: {len(facts.diverged):,} of {len(facts.seeds):,}"
        keys.append(Line2D([], [], color=scheme.ink, marker="x", linestyle="", markeredgewidth=1.8, label=label))
    place_legend(figure, keys, scheme)


def keys_of_seeds(facts: Facts, scheme: Scheme, over: str = "") -> list[Any]:
    """Legend entries for the lines and bands of `draw_members`; `over` says what the thick line is averaged over."""
    ink, members = scheme.soft, len(facts.seeds)
    if members == 1:
        return [Line2D([], [], color=ink, linewidth=2.2, label=f"seed {facts.seeds[0]}{over}")]
    keys: list[Any] = [Line2D([], [], color=ink, linewidth=2.2, label=f"median of {members:,} seeds{over}")]
    if members <= MAX_LINES:
        keys.append(Line2D([], [], color=ink, linewidth=0.8, alpha=0.6, label="each seed"))
    if members >= MIN_SEEDS_FOR_BAND:
        keys.append(Patch(color=ink, alpha=0.4, linewidth=0, label="middle half of seeds"))
    if members > MAX_LINES:
        keys.append(Patch(color=ink, alpha=0.2, linewidth=0, label="5 % to 95 %"))
    return keys


def _step(rounds: np.ndarray) -> int:
    return int(np.median(np.diff(rounds))) if len(rounds) > 1 else 1


def blank(scheme: Scheme, height: float, width: float | None = None) -> Figure:
    """An empty figure; height and width are in inches, the width by the scheme if None."""
    width = width or (NARROW_WIDTH if scheme.narrow else WIDTH)
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
    return Figure(figsize=(width, height), dpi=DPI, facecolor=scheme.paper, layout=layout)


def title(axes: Axes, text: str, scheme: Scheme) -> None:
    """Write a title above the left end of a panel, in as many lines as the figure's width needs."""
    text = textwrap.fill(text, NARROW_TITLE) if scheme.narrow else text
    axes.set_title(text, loc="left", fontsize=TITLE, color=scheme.ink)


def two_panels(scheme: Scheme) -> tuple[Figure, Sequence[Axes]]:
    """Panels side by side, or below each other on a narrow screen."""
    figure = blank(scheme, 5.6 if scheme.narrow else 3.9)
    return figure, figure.subplots(2, 1) if scheme.narrow else figure.subplots(1, 2)


def dress(axes: Axes, scheme: Scheme, grid: bool = True) -> None:
    """Give axes the scheme's colors and no frame."""
    axes.set_facecolor(scheme.paper)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(colors=scheme.soft, labelsize=SMALL, length=0 if grid else 3)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(True, axis="y", color=scheme.rule, linewidth=0.8)


def round_ticks(axes: Axes, few: bool = False) -> None:
    """Whole rounds on the horizontal axis, with thousands separators."""
    axes.xaxis.set_major_locator(MaxNLocator(3 if few else 5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))


def logarithmic_rounds(axes: Axes, first: int, last: int) -> None:
    """A logarithmic axis of rounds, for runs of very different lengths."""
    axes.set_xscale("log")
    axes.set_xlim(first, last)
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())


def label_rounds(panels: Sequence[Axes], scheme: Scheme) -> None:
    """Write "round" below these panels."""
    for axes in panels:
        axes.set_xlabel("round", fontsize=TEXT, color=scheme.soft)


def place_legend(figure: Figure, keys: Sequence[Any], scheme: Scheme) -> None:
    """Legend entries below all panels, in one row where it is wide enough."""
    figure.legend(
        handles=keys,
        loc="outside lower center",
        ncols=1 if scheme.narrow else len(keys),
        fontsize=SMALL,
        frameon=False,
        labelcolor=scheme.soft,
        handlelength=1.8,
        columnspacing=1.6,
    )


def halo(scheme: Scheme, width: float) -> list[Any]:
    """A border of the background's color, so that a line stands out from those below it."""
    return [withStroke(linewidth=width, foreground=scheme.paper)]


def as_png(figure: Figure) -> bytes:
    """The figure as a PNG file, without date or version inside, so that the same run gives the same bytes."""
    file, engine = io.BytesIO(), figure.get_layout_engine()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # of a folder's name: a box is drawn
        if engine is not None:  # here, as savefig would draw everything once more to have it done
            engine.execute(figure)
            figure.set_layout_engine(None)
        figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return file.getvalue()
