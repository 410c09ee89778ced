"""Curves of a run smoothed as pictures show them, and the course of a curve in one sentence. Loads no torch."""

from __future__ import annotations

import numpy as np

from sparring.analysis.facts import TITLES, Facts
from sparring.analysis.wording import number
from sparring.languages import Text
from sparring.rules import SMOOTHING, moving_mean

MIN_CHANGE = 0.1
"""A fall or a rise by less than this share of a curve's first value is not mentioned."""
MIN_ERRORS = 5.0
"""Nor is one below this many standard errors of the noise between points: the min of many values is low by accident."""


def window(facts: Facts) -> int:
    """How many logged rounds the moving mean averages."""
    return max(1, round(len(facts.story.logged_rounds) * SMOOTHING))


def smoothed_curve(facts: Facts, name: str) -> np.ndarray:
    """A curve as pictures show it, `(T, P)`."""
    return moving_mean(facts.story.curve(name), window(facts))


def course(facts: Facts, name: str) -> str | None:
    """One sentence on how the median seed's curve fell and perhaps rose again; None when it hardly changed."""
    raw = facts.story.curve(name)
    alive = np.isfinite(raw).any(1)
    if alive.sum() < 3:
        return None
    rounds, median = facts.story.logged_rounds[alive], np.nanmedian(smoothed_curve(facts, name)[alive], axis=1)
    lowest = int(median.argmin())
    first, low, last = float(median[0]), float(median[lowest]), float(median[-1])
    # The SD of a normal distribution is 1.48 times its median absolute deviation, which a few jumps do not affect.
    noise = 1.48 * float(np.median(np.abs(np.diff(np.nanmedian(raw[alive], axis=1)))))
    threshold = max(MIN_CHANGE * first, MIN_ERRORS * noise / (2 * window(facts)) ** 0.5)
    if first - low <= threshold:
        return None
    whose = Text(TITLES[name])
    if len(facts.seeds) > 1:
        whose = Text("{curve} (median over seeds)", curve=whose)
    fell = Text(
        "{whose} started at {first} and fell to {low} by round {round}",
        whose=whose,
        first=number(first),
        low=number(low),
        round=f"{rounds[lowest]:,}",
    )
    rose = Text("{fell}, then rose back to {last}.", fell=fell, last=number(last))
    return rose if last - low > threshold else Text("{fell}.", fell=fell)
