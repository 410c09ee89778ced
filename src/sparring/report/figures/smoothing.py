"""How a curve runs: smoothed as the pictures show it, and in words. Loads no matplotlib."""

from __future__ import annotations

import numpy as np

from sparring.analysis.facts import TITLES, Facts
from sparring.analysis.wording import number

SMOOTH_SHARE = 0.03
"""Of the run: the window of the moving mean that the curves show."""
TURNS = 0.1
"""A fall or a rise by less than this share of a curve's beginning is not worth words."""
CLEAR = 5.0
"""Nor is one by less than so many standard errors of the jitter between points: the least of many is low by luck."""


def smoothed(values: np.ndarray, window: int) -> np.ndarray:
    """Moving mean over `window` points of `(T, P)`, shorter at the ends; NaN where a value is not finite."""
    if window <= 1 or not len(values):
        return values
    finite = np.isfinite(values)
    return np.where(finite, _moving_sum(np.where(finite, values, 0.0), window), np.nan) / np.maximum(
        _moving_sum(finite.astype(np.float64), window), 1
    )


def window(facts: Facts) -> int:
    """Points of a curve that the moving mean takes together."""
    return max(1, round(len(facts.story.logged_rounds) * SMOOTH_SHARE))


def shown(facts: Facts, name: str) -> np.ndarray:
    """A curve as it is drawn, `(T, P)`."""
    return smoothed(facts.story.curve(name), window(facts))


def course(facts: Facts, name: str) -> str | None:
    """Where the median seed's curve began, how low it fell and when; None unless there is much to tell."""
    raw = facts.story.curve(name)
    alive = np.isfinite(raw).any(1)
    if alive.sum() < 3:
        return None
    rounds, middle = facts.story.logged_rounds[alive], np.nanmedian(shown(facts, name)[alive], axis=1)
    least = int(middle.argmin())
    began, low, ended = float(middle[0]), float(middle[least]), float(middle[-1])
    # A normal law's SD is 1.48 times its median distance from 0; unlike the SD itself, that is deaf to a few jumps.
    jitter = 1.48 * float(np.median(np.abs(np.diff(np.nanmedian(raw[alive], axis=1)))))
    much = max(TURNS * began, CLEAR * jitter / (2 * window(facts)) ** 0.5)
    if began - low <= much:
        return None
    whose = f"{TITLES[name]}, in the median over seeds," if len(facts.seeds) > 1 else TITLES[name]
    fell = f"{whose} began at {number(began)} and fell to {number(low)} by round {rounds[least]:,}"
    return f"{fell}, then came back to {number(ended)}." if ended - low > much else f"{fell}."


def _moving_sum(values: np.ndarray, window: int) -> np.ndarray:
    before = window // 2
    sums = np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(0)])
    index = np.arange(len(values))
    return sums[np.minimum(index - before + window, len(values))] - sums[np.maximum(index - before, 0)]
