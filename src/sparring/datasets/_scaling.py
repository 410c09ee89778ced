"""Numbers scaled for networks, to mean 0 and standard deviation 1, and back to their own units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Numbers = tuple[float, ...]
TINY = 1e-6
"""Standard deviation, as a share of the mean, up to which numbers are one and the same."""
APART = 10.0
"""Ratio of two columns' standard deviations, or size of a mean or a deviation, from which on scaling is advised."""


def scaling(rows: np.ndarray, by_column: bool) -> tuple[Numbers, Numbers]:
    """Means and standard deviations of `(N, K)`, of each column or of all numbers; what is constant is only moved."""
    numbers = rows.astype(np.float64)
    axis = 0 if by_column else None
    center, sd = np.atleast_1d(numbers.mean(axis)), np.atleast_1d(numbers.std(axis))
    constant = sd <= TINY * np.maximum(1e-30, np.abs(center))
    return tuple(center.tolist()), tuple(np.where(constant, 1.0, sd).tolist())


def scaled(rows: np.ndarray, center: Sequence[float], sd: Sequence[float]) -> np.ndarray:
    """Rows as networks get them, float32; unchanged without a scaling."""
    if not center:
        return rows
    return ((rows - np.asarray(center)) / np.asarray(sd)).astype(np.float32)


def unscaled(rows: np.ndarray, center: Sequence[float], sd: Sequence[float]) -> np.ndarray:
    """Rows in their own units, float32: the inverse."""
    return (rows * np.asarray(sd) + np.asarray(center)).astype(np.float32) if center else rows


def far_apart(rows: np.ndarray) -> str:
    """Why `(N, K)` numbers had better be scaled, in words; empty where they need not be."""
    if np.abs(rows).max() <= APART:
        return ""
    center, sd = rows.mean(0, dtype=np.float64), rows.std(0, dtype=np.float64)
    varied = np.flatnonzero(sd > TINY * np.maximum(1e-30, np.abs(center)))
    if len(varied) and sd[varied].max() > APART * sd[varied].min():
        return f"columns have standard deviations from {sd[varied].min():.3g} to {sd[varied].max():.3g}"
    off = [k for k in varied if max(abs(center[k]), sd[k]) > APART]
    if off:
        return f"column {off[0] + 1} has mean {center[off[0]]:.3g} and standard deviation {sd[off[0]]:.3g}"
    return ""
