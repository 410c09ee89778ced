"""Distances and nearest neighbours, which several metrics share. Euclidean, in blocks that fit in memory."""

from __future__ import annotations

import numpy as np
import torch

BLOCK = 2**24
"""Distances held at once."""


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """From every row of `(A, D)` to every row of `(B, D)`, `(A, B)`."""
    return torch.cdist(torch.from_numpy(one), torch.from_numpy(other)).numpy()


def radii(points: np.ndarray, k: int) -> np.ndarray:
    """From each of `(N, D)` to its k-th nearest neighbour among the others, `(N,)`."""
    among = distances(points, points)
    np.fill_diagonal(among, -1.0)  # rounding could put another before the point itself
    return np.partition(among, k, axis=1)[:, k]


def nearest(points: np.ndarray, others: np.ndarray, own: np.ndarray | None = None) -> np.ndarray:
    """From each of `(A, D)` to the nearest of `(B, D)`, `(A,)`. `own` says which of the others each point is itself.

    Single precision: a thousand pictures are compared with 60,000 in a second or two.
    """
    one, other = (torch.from_numpy(x.astype(np.float32, copy=False)) for x in (points, others))
    squares = other.square().sum(1)
    found: list[torch.Tensor] = []
    step = max(1, BLOCK // len(others))
    for begin in range(0, len(one), step):
        part = one[begin : begin + step]
        away = torch.addmm(squares, part, other.T, alpha=-2)  # the square of the distance, but for the point's own
        if own is not None:
            away[torch.arange(len(part)), torch.from_numpy(own[begin : begin + step])] = torch.inf
        # Differences of large numbers leave a remainder; measured again, an exact copy comes out at 0.
        found.append((part - other[away.argmin(1)]).norm(dim=1))
    return torch.cat(found).double().numpy()
