"""Numbers scaled for networks, to mean 0 and standard deviation 1, and back to their own units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Numbers = tuple[float, ...]
SIGNAL = 16
"""Columns without names; rows of more are taken for signals."""
TINY, NOISE = 1e-6, 1e-15
"""Standard deviations, as shares of the mean, up to which numbers are one and the same: in float32, and in float64."""
BLOCK = 2**20
"""Numbers that are examined together, to save memory."""
ROUNDING = 1e-4
"""Share of the standard deviation by which rounding to float32 may change numbers."""
APART = 10.0
"""Ratio of two columns' standard deviations, or size of a mean or a deviation, from which on numbers are scaled."""


def scaling(rows: np.ndarray, by_column: bool) -> tuple[Numbers, Numbers]:
    """Means and standard deviations of `(N, K)`, of each column or of all numbers; what is constant is only moved."""
    axis = 0 if by_column else None
    center, sd = _moments(rows, axis)
    constant = sd <= (NOISE if rows.dtype == np.float64 else TINY) * np.abs(center)
    constant |= rows.max(axis) == rows.min(axis)  # their mean may be off by more, where they are many
    return tuple(center.tolist()), tuple(np.where(constant, 1.0, sd).tolist())


def scaled(rows: np.ndarray, center: Sequence[float], sd: Sequence[float]) -> np.ndarray:
    """Rows as networks get them, float32; unchanged without a scaling."""
    if not center:
        return rows
    return ((rows - np.asarray(center)) / np.asarray(sd)).astype(np.float32)


def unscaled(rows: np.ndarray, center: Sequence[float], sd: Sequence[float]) -> np.ndarray:
    """Rows in their own units, float32, or float64 where float32 is too coarse: the inverse."""
    if not center:
        return rows
    own = rows * np.asarray(sd, np.float64) + np.asarray(center, np.float64)
    return own if _too_coarse(np.abs(center), np.asarray(sd)).any() else own.astype(np.float32)


def finer_than_float32(rows: np.ndarray, by_column: bool) -> np.ndarray:
    """Whether numbers need float64 until they are scaled: of each column of `(N, K)`, or of all together `(1,)`.

    Seconds since 1970 and long ids do: float32 holds 24 bits, of which their large mean takes most.
    """
    if np.can_cast(rows.dtype, np.float32):
        return np.zeros(rows.shape[1] if by_column else 1, bool)
    table = rows if by_column else rows.reshape(-1, 1)
    first = table[0].astype(np.float64)
    reach = np.maximum(np.abs(table.max(0) - first), np.abs(table.min(0) - first))
    _, exponent = np.frexp(reach)  # squares of what is scaled by it neither vanish nor overflow
    total, squares, error = np.zeros((3, table.shape[1]))
    at_once = max(1, BLOCK // table.shape[1])
    for start in range(0, len(table), at_once):
        block = table[start : start + at_once].astype(np.float64)
        error += np.abs(block.astype(np.float32) - block).sum(0)
        block = np.ldexp(block - first, -exponent)
        total += block.sum(0)
        squares += np.square(block).sum(0)
    mean = total / len(table)
    sd = np.ldexp(np.sqrt(np.maximum(squares / len(table) - mean**2, 0)), exponent)
    size = np.abs(first + np.ldexp(mean, exponent))
    return (sd > NOISE * size) & ((sd <= TINY * size) | (error / len(table) > ROUNDING * sd))


def _too_coarse(size: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Whether float32 numbers of these sizes lie too far apart for so small a standard deviation."""
    float32 = np.finfo(np.float32)
    return np.maximum(float(float32.eps) * size, float(float32.tiny)) / 4 > ROUNDING * sd  # the mean error


def _moments(rows: np.ndarray, axis: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations, as of numbers near 1: their squares neither vanish nor overflow."""
    numbers = rows.astype(np.float64)
    _, exponent = np.frexp(np.maximum(numbers.max(axis), -numbers.min(axis)))
    np.ldexp(numbers, -exponent, out=numbers)  # exact, a power of two
    center = numbers.mean(axis)
    if rows.dtype == np.float64:
        numbers -= center  # of large numbers the mean is not exact: it is corrected by that of what is left
        center = center + numbers.mean(axis)
    center, sd = np.ldexp(center, exponent), np.ldexp(numbers.std(axis), exponent)
    return np.atleast_1d(center), np.atleast_1d(sd)


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
        whose = f"column {off[0] + 1} has" if rows.shape[1] > 1 else "the numbers have"
        return f"{whose} mean {center[off[0]]:.3g} and standard deviation {sd[off[0]]:.3g}"
    return ""
