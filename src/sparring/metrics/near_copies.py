from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._neighbors import blocks
from sparring.metrics.copies import SMALLEST

if TYPE_CHECKING:
    from torch import Tensor

SAME = 1 / 255
"""Root mean square difference, in data units, up to which two training images are one and the same: a copy of it is a
copy, though the other one lies as near."""
COARSE = 8
"""Pixels a side of the reduced images that are searched first."""
FINE = 32
"""Pixels a side, at most, of the images whose distances are compared: larger ones are reduced by a whole factor."""
CANDIDATES = 8
"""Training images of each sample that lie nearest when reduced, and are compared in full."""
BOUNDS = 2
"""The next of them, which say how near others are to the nearest one at most."""
AT_ONCE = 2**23
"""How many numbers of candidates are in memory at once."""


@final
@dataclass(frozen=True)
class NearCopies(Metric):
    """Share of samples that are all but exact copies of a training image, of however many there are.

    A near copy lies nearer to a training image than `nearer` times the distance from that image to the training image
    that is nearest to it and differs from it. Unlike the median distance to the training set, it shows a G of which
    only some samples are copies. Distances are those of the best of nine positions, up to a pixel apart in each
    direction: a copy that was moved by one pixel is found where its reduced image still lies among the nearest; one
    that was mirrored or moved farther is not.
    """

    nearer: float = 0.5
    """Share of an image's distance to the nearest other one, below which a sample is a copy of it."""

    title: ClassVar[str] = "near copies of training images"
    short: ClassVar[str] = "near copies"
    unit: ClassVar[str] = "share of samples"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(max_above=0.03, why="no more near copies than among unseen images")
    space: ClassVar[Space] = "examples"
    source: ClassVar[str] = "our own: the distance to a training image, as a share of that image's to its neighbor"
    catches: ClassVar[tuple[Fault, ...]] = ("copying",)
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 111
    linear: ClassVar[bool] = True
    searches: ClassVar[bool] = True
    all_training: ClassVar[bool] = True
    single_precision: ClassVar[bool] = True
    min_examples: ClassVar[int] = 3

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether examples are images that are large enough."""
        return len(shape) == 3 and prod(shape) >= SMALLEST

    def leave_one_out(self, real: np.ndarray, count: int) -> float:
        """Of `count` from all over them, which may be in some order, each compared with the others."""
        import torch

        images = _Searched.of(real)
        own = torch.arange(0, len(real), max(1, len(real) // count))[:count]
        return float(self._copied(images, images.fine[own], images.coarse[own], own).mean())

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        images = _Searched.of(real)
        members = (_Searched.of(member) for member in fake)
        return np.array([self._copied(images, each.fine, each.coarse).mean() for each in members])

    def _copied(self, images: _Searched, fine: Tensor, coarse: Tensor, own: Tensor | None = None) -> np.ndarray:
        """Which samples `(n, C, H, W)` are copies of one of the images, bool `(n,)`; `own`: which each is itself."""
        import torch

        found = images.nearest(coarse, own)
        distances, order = images.distances(fine, found).sort(1)
        distance, index = distances[:, 0], found.gather(1, order[:, :1])[:, 0]
        # The distance to any other image bounds that to the nearest other one: most samples need no second search.
        bound = images.to_others(index, found.gather(1, order[:, 1 : 1 + BOUNDS]), own)
        copied = distance < self.nearer * bound
        maybe = torch.nonzero(copied)[:, 0]
        if len(maybe):
            one, itself = index[maybe], None if own is None else own[maybe]
            others = torch.minimum(
                bound[maybe], images.to_others(one, images.nearest(images.coarse[one], one, True), itself)
            )
            copied[maybe] = distance[maybe] < self.nearer * others
        return copied.numpy()


@dataclass(frozen=True)
class _Searched:
    """Images that are searched in two steps, as far as they are compared."""

    fine: Tensor
    """`(N, C, H, W)`, at most FINE pixels a side."""
    coarse: Tensor
    """The same, reduced to COARSE pixels a side, `(N, D)`."""

    @classmethod
    def of(cls, images: np.ndarray) -> _Searched:
        """Of `(N, C, H, W)`."""
        import torch
        from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d

        fine = torch.from_numpy(np.ascontiguousarray(images))
        factor = -(-max(fine.shape[-2:]) // FINE)
        if factor > 1:
            fine = avg_pool2d(fine, [min(factor, side) for side in fine.shape[-2:]])
        height, width = fine.shape[-2:]
        return cls(fine, adaptive_avg_pool2d(fine, (min(height, COARSE), min(width, COARSE))).flatten(1))

    def nearest(self, coarse: Tensor, own: Tensor | None, differing: bool = False) -> Tensor:
        """The images nearest to others `(n, D)`, but for what each is itself, int64 `(n, CANDIDATES)`.

        With `differing`, also but for those that are the same as far as it can be seen at this size.
        """
        import torch

        count = min(CANDIDATES, len(self.coarse) - (own is not None))
        squares, found = self.coarse.square().sum(1), list[torch.Tensor]()
        for block in blocks(len(coarse), len(self.coarse)):
            away = torch.addmm(squares, coarse[block], self.coarse.T, alpha=-2)
            if own is not None:
                away[torch.arange(len(away)), own[block]] = torch.inf
            if differing:
                apart = away + coarse[block].square().sum(1, keepdim=True)
                away[apart <= SAME**2 * coarse.shape[1]] = torch.inf
            found.append(away.topk(count, largest=False).indices)
        return torch.cat(found)

    def distances(self, fine: Tensor, indices: Tensor) -> Tensor:
        """From each of `(n, C, H, W)` to the images of `(n, k)`, at the best of nine positions, `(n, k)`."""
        import torch

        step = max(1, AT_ONCE // (indices.shape[1] * fine[0].numel()))
        parts = zip(fine.split(step), indices.split(step), strict=True)
        return torch.cat([_apart(one, self.fine[index]) for one, index in parts])

    def to_others(self, one: Tensor, among: Tensor, own: Tensor | None) -> Tensor:
        """From images `(n,)` to the nearest of those among `(n, k)` that differ from it, `(n,)`; infinite if none."""
        import torch

        distances = self.distances(self.fine[one], among)
        distances[distances <= SAME * _inner(self.fine[:1]).numel() ** 0.5] = torch.inf
        if own is not None:
            distances[among == own[:, None]] = torch.inf
        return distances.min(1).values


def _apart(one: Tensor, others: Tensor) -> Tensor:
    """From the inner pixels of `(n, C, H, W)` to those of `(n, k, C, H, W)` at the best of nine positions, `(n, k)`."""
    import torch

    inner = _inner(one)[:, None]
    squares = [(inner - part).square().sum((2, 3, 4)) for part in _positions(others)]
    return torch.stack(squares).amin(0).sqrt()


def _inner(images: Tensor) -> Tensor:
    """Without the outermost pixels, which have no counterpart in an image that is moved; tiny images are not moved."""
    return images[..., 1:-1, 1:-1] if min(images.shape[-2:]) >= COARSE else images


def _positions(images: Tensor) -> Iterator[Tensor]:
    """As much of images as `_inner` leaves, at each of nine positions; images as they are where it leaves all."""
    height, width = _inner(images).shape[-2:]
    for down, across in product(range(images.shape[-2] - height + 1), range(images.shape[-1] - width + 1)):
        yield images[..., down : down + height, across : across + width]
