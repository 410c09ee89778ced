"""Distances and nearest neighbors, which several metrics share. Euclidean, in blocks that fit in memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

BLOCK = 2**24
"""How many distances are in memory at once."""


def blocks(count: int, others: int) -> Iterator[slice]:
    """`count` points in blocks, each so small that its distances to `others` points fit in memory."""
    step = max(1, BLOCK // others)
    return (slice(begin, begin + step) for begin in range(0, count, step))


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """From every row of `(A, D)` to every row of `(B, D)`, `(A, B)`."""
    import torch

    return torch.cdist(torch.from_numpy(one), torch.from_numpy(other)).numpy()


def between_two(points: np.ndarray) -> float:
    """Mean distance between two different points of `(n, D)`."""
    import torch

    # Centered first: differences of large numbers leave a remainder.
    x = torch.from_numpy(points - points.mean(0))
    return float(torch.cdist(x, x).double().sum()) / (len(x) * (len(x) - 1))


def radii(points: np.ndarray, k: int) -> np.ndarray:
    """From each of `(N, D)` to its k-th nearest neighbor among the others, `(N,)`."""
    found: list[np.ndarray] = []
    for block in blocks(len(points), len(points)):
        among = distances(points[block], points)
        own = np.arange(len(among))
        among[own, block.start + own] = -1.0  # rounding could put another before the point itself
        found.append(np.partition(among, k, axis=1)[:, k])
    return np.concatenate(found)


def nearest(points: np.ndarray, others: np.ndarray, own: np.ndarray | None = None) -> np.ndarray:
    """From each of `(A, D)` to the nearest of `(B, D)`, `(A,)`. `own` says which of the others each point is itself.

    Single precision: a thousand images are compared with 60,000 in a second or two.
    """
    import torch

    one, other = (torch.from_numpy(x.astype(np.float32, copy=False)) for x in (points, others))
    squares = other.square().sum(1)
    found: list[torch.Tensor] = []
    for block in blocks(len(one), len(other)):
        away = torch.addmm(squares, one[block], other.T, alpha=-2)  # the squared distance, less the point's own square
        if own is not None:
            away[torch.arange(len(away)), torch.from_numpy(own[block])] = torch.inf
        # Differences of large numbers leave a remainder; measured again, an exact copy comes out at 0.
        found.append((one[block] - other[away.argmin(1)]).norm(dim=1))
    return torch.cat(found).double().numpy()


def two_nearest(points: np.ndarray, others: np.ndarray, own: np.ndarray | None = None) -> np.ndarray:
    """As `nearest`, to the nearest and to the next, `(A, 2)`. A point whose `own` is negative is none of the others."""
    import torch

    one, other = (torch.from_numpy(x.astype(np.float32, copy=False)) for x in (points, others))
    squares = other.square().sum(1)
    found: list[torch.Tensor] = []
    for block in blocks(len(one), len(other)):
        away = torch.addmm(squares, one[block], other.T, alpha=-2)
        if own is not None:
            itself = torch.from_numpy(own[block])
            rows = torch.nonzero(itself >= 0)[:, 0]
            away[rows, itself[rows]] = torch.inf
        indices = away.topk(2, largest=False).indices
        apart = [(one[block] - other[indices[:, each]]).norm(dim=1) for each in range(2)]
        found.append(torch.stack(apart, 1).sort(1).values)
    return torch.cat(found).double().numpy()
