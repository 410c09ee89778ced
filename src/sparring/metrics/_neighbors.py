"""Distances and nearest neighbors, which several metrics share. Euclidean, in blocks that fit in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

BLOCK = 2**24
"""How many distances are in memory at once."""
GROUP = 256
"""Columns of a row whose minimum is found first."""


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


def nearest_and_kth(points: np.ndarray, others: np.ndarray, k: int, own: np.ndarray | None = None) -> np.ndarray:
    """As `nearest`, to the nearest and to the k-th nearest, `(A, 2)`. A point with a negative `own` is none of them."""
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
        indices = _smallest(away, k)
        apart = [(one[block] - other[indices[:, each]]).norm(dim=1) for each in (0, k - 1)]
        found.append(torch.stack(apart, 1).sort(1).values)
    return torch.cat(found).double().numpy()


def _smallest(values: Tensor, k: int) -> Tensor:
    """Where the k smallest of each row of `(A, B)` are, smallest first, int64 `(A, k)`.

    They lie in the k groups of neighboring columns whose minima are smallest: a tenth of the time of `topk` alone.
    """
    import torch

    count = values.shape[1] // GROUP * GROUP
    if count <= 4 * k * GROUP:
        return values.topk(k, largest=False).indices
    groups = values[:, :count].unflatten(1, (-1, GROUP)).amin(2).topk(k, largest=False).indices
    inside = (GROUP * groups[:, :, None] + torch.arange(GROUP)).flatten(1)
    rest = torch.arange(count, values.shape[1]).expand(len(values), -1)
    among = torch.cat([inside, rest], 1)
    return among.gather(1, values.gather(1, among).topk(k, largest=False).indices)
