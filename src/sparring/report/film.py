"""A run's training as a film: its sample pictures one after another, each with its round and the curve so far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sparring.errors import SparringError
from sparring.progress import progress
from sparring.record import RunFolder, Story

STRIP, MARGIN = 64, 12
"""Pixels below the samples for the curve and the round, and around it."""
INK, SOFT, ACCENT = (28, 28, 30), (170, 170, 176), (0, 114, 178)
MAX_WIDTH = 1_200
"""A wider picture is made smaller."""


def film(run: RunFolder) -> tuple[list[Image.Image], list[int]]:
    """A frame for each sample picture of a run.

    Args:
        run: The run, finished or not.

    Returns:
        Frames of one size, and the round of each.

    Raises:
        SparringError: It has fewer than two pictures.
    """
    story = run.story
    shown = [
        (event["round"], run.path / event["picture"])
        for event in story.log_points
        if "picture" in event and (run.path / event["picture"]).is_file()
    ]
    if len(shown) < 2:
        raise SparringError(f"{run.path} has {len(shown)} sample pictures: a film needs two or more")
    size, curve = _read(shown[-1][1]).size, _mean_curve(story)
    frames: list[Image.Image] = []
    with progress(f"drawing {len(shown)} pictures", len(shown), quiet=True) as update:
        for round, path in shown:
            frames.append(_frame(_read(path), size, story, curve, round))
            update(len(frames))
    return frames, [round for round, _ in shown]


def _read(path: object) -> Image.Image:
    with Image.open(str(path)) as picture:
        made = picture.convert("RGB")
    made.thumbnail((MAX_WIDTH, 4 * MAX_WIDTH), Image.Resampling.LANCZOS)
    return made


def _frame(
    samples: Image.Image, size: tuple[int, int], story: Story, curve: tuple[np.ndarray, np.ndarray], round: int
) -> Image.Image:
    width, height = max(size[0], 240), size[1]
    frame = Image.new("RGB", (width, height + STRIP), "white")
    frame.paste(samples, (0, 0))
    draw = ImageDraw.Draw(frame)
    text = f"round {round:,}"
    font = ImageFont.load_default(14)
    draw.text((MARGIN, height + STRIP / 2), text, fill=INK, font=font, anchor="lm")
    left = MARGIN + _round_width(draw, story, font) + MARGIN
    _draw_curve(draw, *curve, round, (left, height + 8, width - MARGIN, height + STRIP - 8))
    return frame


def _round_width(draw: ImageDraw.ImageDraw, story: Story, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> int:
    """Pixels that the largest round takes, so that the curve does not move."""
    return int(draw.textlength(f"round {story.round:,}", font=font))


def _mean_curve(story: Story) -> tuple[np.ndarray, np.ndarray]:
    """The rounds at which D's mean loss over the members is finite, and that loss."""
    rounds, values = story.logged_rounds, story.curve("d_loss")
    with np.errstate(all="ignore"):
        mean = np.array([np.mean(row[np.isfinite(row)]) if np.isfinite(row).any() else np.nan for row in values])
    kept = np.isfinite(mean)
    return rounds[kept], mean[kept]


def _draw_curve(
    draw: ImageDraw.ImageDraw, rounds: np.ndarray, mean: np.ndarray, round: int, box: Sequence[float]
) -> None:
    """The curve so far in color, the rest in gray."""
    if len(rounds) < 2 or box[2] - box[0] < 40:
        return
    low, high = float(mean.min()), float(mean.max())
    x = box[0] + (box[2] - box[0]) * rounds / rounds[-1]
    y = box[3] - (box[3] - box[1]) * (mean - low) / (high - low or 1)
    points = list(zip(x.tolist(), y.tolist(), strict=True))
    draw.line(points, fill=SOFT, width=1)
    so_far = [point for point, at in zip(points, rounds, strict=True) if at <= round]
    if len(so_far) > 1:
        draw.line(so_far, fill=ACCENT, width=2)
    if so_far:
        (px, py) = so_far[-1]
        draw.ellipse((px - 3, py - 3, px + 3, py + 3), fill=ACCENT)
