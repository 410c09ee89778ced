"""How far samples are from held-out data, told without anything that the diagnosis uses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

WINDOW = 5
"""Side of the pieces of pictures, and length of those of signals, that are compared."""
PIECES = 4
"""Pieces of each example."""
SHORT = 16
"""Up to so many numbers, a row is a row of a table and not a signal."""
COMPONENTS = 48
"""Principal components that are compared, of whole examples and of pieces."""
DIRECTIONS = 128
"""Random directions that the rows of a table are projected on."""
FLOOR = 0.05
"""Least standard deviation that a component is divided by, as a share of the largest one's."""


def times_real(samples: np.ndarray, real: np.ndarray, held_out: np.ndarray) -> float:
    """How far samples are from real examples, as a multiple of how far held-out ones are.

    For pictures and signals, the Fréchet distance of whitened examples and of whitened small pieces of them, so that
    what is faint in the data, such as speckle, counts as much as brightness does. For the rows of a table, the square
    of the sliced Wasserstein distance of whitened rows: mean and covariance say nothing of two moons.

    Args:
        samples: `(N, *shape)`.
        real: What both are compared with, `(N, *shape)`.
        held_out: Others, `(N, *shape)`.

    Returns:
        1 for samples as good as real ones; infinite where numbers are not finite.
    """
    if not np.isfinite(samples).all():
        return float("inf")
    sides = [_views(side) for side in (samples, held_out, real)]
    ratios: list[float] = []
    for made, others, those in zip(*sides, strict=True):
        whiten = _whitening(those)
        first, second, third = (whiten(rows) for rows in (made, others, those))
        distance = _frechet if len(sides[0]) > 1 else _sliced
        ratios.append(distance(first, third) / distance(second, third))
    return float(np.mean(ratios))


def _views(examples: np.ndarray) -> list[np.ndarray]:
    """Whole examples as rows, and for pictures and signals small pieces of them."""
    rows = examples.reshape(len(examples), -1).astype(np.float64)
    if examples.ndim == 2 and examples.shape[1] <= SHORT:
        return [rows]
    axes = tuple(range(2, examples.ndim)) if examples.ndim == 4 else (1,)
    windows = np.lib.stride_tricks.sliding_window_view(examples, (WINDOW,) * len(axes), axes)
    # A different place for each example: the same ones on every side.
    rng = np.random.default_rng(0)
    places = [rng.integers(0, windows.shape[axis], (len(examples), PIECES)) for axis in axes]
    index = np.arange(len(examples))[:, None]
    pieces = windows[index, :, places[0], places[1]] if examples.ndim == 4 else windows[index, places[0]]
    return [rows, pieces.reshape(PIECES * len(examples), -1).astype(np.float64)]


def _whitening(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A function from rows to their principal components, each divided by its standard deviation in these rows."""
    mean = rows.mean(0)
    _, sizes, axes = np.linalg.svd(rows - mean, full_matrices=False)
    spread = sizes / len(rows) ** 0.5
    axes, spread = axes[:COMPONENTS], np.maximum(spread[:COMPONENTS], FLOOR * spread[0])
    return lambda those: (those - mean) @ axes.T / spread


def _frechet(first: np.ndarray, second: np.ndarray) -> float:
    """Between Gaussians with the mean and covariance of either side."""
    one, other = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    cross = np.sqrt(np.maximum(np.linalg.eigvals(one @ other).real, 0)).sum()
    gap = ((first.mean(0) - second.mean(0)) ** 2).sum()
    return float(gap + np.trace(one) + np.trace(other) - 2 * cross)


def _sliced(first: np.ndarray, second: np.ndarray) -> float:
    """The square of the mean Wasserstein distance of as many rows, over fixed directions."""
    directions = np.random.default_rng(0).normal(size=(first.shape[1], DIRECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    one, other = (np.sort(side @ directions, axis=0) for side in (first, second))
    return float(np.abs(one - other).mean() ** 2)
