"""Plots of examples that are plain numbers, generated over real ones: histograms, pairs of columns, or signals."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from sparring.record.scatter import AXIS, BACKGROUND, FRAME, INSIDE, OVERSAMPLING, SIDE

REAL, GENERATED = "#b0b0b0", INSIDE
INK = "#606060"
MAX_PAIRED = 6
"""Numbers of an example up to which every pair of columns is plotted; examples of more are drawn as signals."""
ROWS, COLUMNS = 6, 2
"""Signals of a member; as many real ones lie behind them."""
BINS = 24
DOTS = 400
"""Points of a cloud that are drawn."""
CHARACTER = 6.0
"""Pixels that a character takes."""
MARGIN = 0.08
"""Share of the range of real examples that a plot shows beyond it on either side."""


@dataclass(frozen=True)
class Numbers:
    """What generated examples that are plain numbers are drawn over."""

    real: np.ndarray
    """Real examples `(M, K)`, or none."""
    columns: Sequence[str] = ()
    """Names of the K numbers, where they have any."""


def plot(examples: np.ndarray, numbers: Numbers) -> Image.Image:
    """Draw generated examples `(N, K)` of one member over real ones, in a square of SIDE pixels.

    Up to MAX_PAIRED numbers: a histogram of each column on the diagonal, columns against each other below it, and the
    axes are those of the real ones, so that what lies beyond is drawn on the edge. More numbers: each example is a
    line, on one axis for all. What is not finite is left out. Without real examples, axes are those of what is there.
    """
    side = SIDE * OVERSAMPLING
    canvas = Image.new("RGB", (side, side), BACKGROUND)
    draw = ImageDraw.Draw(canvas)
    real = numbers.real
    finite = examples[np.isfinite(examples).all(1)].astype(np.float64)
    shown = real if len(real) else finite
    if not len(shown):
        return canvas.resize((SIDE, SIDE))
    clouds = [(rows, color) for rows, color in ((real, REAL), (finite, GENERATED)) if len(rows)]
    if examples.shape[1] <= MAX_PAIRED:
        names = numbers.columns or [f"column {k + 1}" for k in range(examples.shape[1])]
        labels = _pairs(draw, clouds, shown, names)
    else:
        labels = _signals(draw, clouds, shown)
    small = canvas.resize((SIDE, SIDE), Image.Resampling.BOX)
    for place, text in labels:
        ImageDraw.Draw(small).text(place, text, fill=INK)
    return small


Labels = list[tuple[tuple[float, float], str]]
"""Where text stands in the small picture, and what."""
Box = tuple[float, float, float, float]


Clouds = list[tuple[np.ndarray, str]]
"""Examples `(N, K)`, and the color that they have; real ones first."""


def _pairs(draw: ImageDraw.ImageDraw, clouds: Clouds, ranged: np.ndarray, names: Sequence[str]) -> Labels:
    count = ranged.shape[1]
    step = SIDE * OVERSAMPLING / count
    labels: Labels = []
    ranges = [_range(ranged[:, k]) for k in range(count)]
    for row in range(count):
        for column in range(row + 1):
            box = (column * step, row * step, (column + 1) * step - 1, (row + 1) * step - 1)
            if row == column:
                _histograms(draw, box, [(rows[:, row], color) for rows, color in clouds], ranges[row])
                labels.append(
                    ((box[0] / OVERSAMPLING + 3, box[1] / OVERSAMPLING + 1), _cut(names[row], step / OVERSAMPLING))
                )
            else:
                for rows, color in clouds:
                    _cloud(draw, box, rows[:DOTS, [column, row]], (ranges[column], ranges[row]), color)
            draw.rectangle(box, outline=FRAME, width=OVERSAMPLING)
    if count > 1 and len(clouds) > 1:
        labels += [((SIDE / 2 + 36, 4), "gray: real")]
    return labels


def _cut(name: str, room: float) -> str:
    """A name as far as it fits, in characters that Pillow's own font has."""
    plain = "".join(character if " " <= character <= "~" else "?" for character in name)
    return plain[: max(1, int(room / CHARACTER))]


def _signals(draw: ImageDraw.ImageDraw, clouds: Clouds, ranged: np.ndarray) -> Labels:
    side = SIDE * OVERSAMPLING
    width, height = side / COLUMNS, side / ROWS
    low, high = span = _range(ranged)
    for index in range(ROWS * COLUMNS):
        left, top = index % COLUMNS * width, index // COLUMNS * height
        box = (left, top, left + width - 1, top + height - 1)
        for rows, color in clouds:
            if index < len(rows):
                _line(draw, box, rows[index], span, color)
        draw.rectangle(box, outline=FRAME, width=OVERSAMPLING)
    return [((3, 1), f"{high:.3g}"), ((3, SIDE / ROWS - 12), f"{low:.3g}")]


def _range(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = MARGIN * (high - low) or max(1.0, abs(high))
    return low - margin, high + margin


def _placed(values: np.ndarray, span: tuple[float, float], start: float, end: float) -> np.ndarray:
    """Places on an axis from `start` to `end`; what lies beyond the range is put on its end."""
    share = (values - span[0]) / (span[1] - span[0])
    return start + share.clip(0, 1) * (end - start)


def _histograms(draw: ImageDraw.ImageDraw, box: Box, columns: Clouds, span: tuple[float, float]):
    """As steps, each of the same area; the highest real one reaches 70 % of the height."""
    left, top, right, bottom = box
    edges = np.linspace(*span, BINS + 1)
    shares = [np.histogram(values.clip(*span), edges)[0] / max(1, len(values)) for values, _ in columns]
    full = 0.7 * (bottom - top) / max(shares[0].max(), 1e-9)
    places = _placed(edges, span, left, right)
    for share, (_, color) in zip(shares, columns, strict=True):
        heights = np.maximum(bottom - full * share, top)
        outline = [(x, y) for k, y in enumerate(heights) for x in (places[k], places[k + 1])]
        if color == REAL:
            draw.polygon([(left, bottom), *outline, (right, bottom)], fill=AXIS)
        draw.line(outline, fill=color, width=OVERSAMPLING)


def _cloud(
    draw: ImageDraw.ImageDraw,
    box: Box,
    points: np.ndarray,
    spans: tuple[tuple[float, float], tuple[float, float]],
    color: str,
):
    left, top, right, bottom = box
    dot = 0.8 * OVERSAMPLING
    xs = _placed(points[:, 0], spans[0], left + dot, right - dot)
    ys = _placed(points[:, 1], spans[1], bottom - dot, top + dot)
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        draw.ellipse([x - dot, y - dot, x + dot, y + dot], fill=color)


def _line(draw: ImageDraw.ImageDraw, box: Box, values: np.ndarray, span: tuple[float, float], color: str):
    left, top, right, bottom = box
    xs = np.linspace(left + OVERSAMPLING, right - OVERSAMPLING, len(values))
    ys = _placed(values, span, bottom - OVERSAMPLING, top + OVERSAMPLING)
    draw.line(list(zip(xs.tolist(), ys.tolist(), strict=True)), fill=color, width=OVERSAMPLING)


def save_table(
    examples: np.ndarray, path: Path, names: Sequence[str], seeds: Sequence[int], members: Sequence[Any]
) -> None:
    """Write examples `(P, N, ...)` as a CSV file: a row for each, with the member's seed in the first column.

    Where a seed is that of several, what each is called stands in a second column, `member`. Numbers have as many
    digits as give the same number back.
    """
    digits = 17 if examples.dtype == np.float64 else 9
    several = len(set(seeds)) < len(seeds)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["seed", *(["member"] if several else []), *names])
        for seed, member, rows in zip(seeds, members, examples.reshape(*examples.shape[:2], -1), strict=True):
            who = [seed, member] if several else [seed]
            writer.writerows([*who, *(f"{value:.{digits}g}" for value in row)] for row in rows)
