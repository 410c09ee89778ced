from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._neighbors import blocks, distances
from sparring.metrics.copies import SMALLEST

SAME = 1 / 255
"""Root mean square difference, in data units, up to which two training images are one and the same: a copy of it is a
copy, though the other one lies as near."""


@final
@dataclass(frozen=True)
class NearCopies(Metric):
    """Share of samples that are all but exact copies of a training image, of however many there are.

    A near copy lies nearer to a training image than `nearer` times the distance from that image to the training image
    that is nearest to it and differs from it. Unlike the median distance to the training set, it shows a G of which
    only some samples are copies. Evaluations search a subset of a large training set; a copy that was moved or mirrored
    is not found.
    """

    nearer: float = 0.5
    """Share of an image's distance to the nearest other one, below which a sample is a copy of it."""

    title: ClassVar[str] = "near copies of training images"
    short: ClassVar[str] = "near copies"
    unit: ClassVar[str] = "share of samples"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(max_above=0.05, why="no more near copies than among unseen images")
    space: ClassVar[Space] = "examples"
    source: ClassVar[str] = "our own: the distance to a training image, as a share of that image's to its neighbor"
    catches: ClassVar[tuple[Fault, ...]] = ("copying",)
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 111
    linear: ClassVar[bool] = True
    searches: ClassVar[bool] = True
    single_precision: ClassVar[bool] = True
    min_examples: ClassVar[int] = 3

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether examples are images that are large enough."""
        return len(shape) == 3 and prod(shape) >= SMALLEST

    def leave_one_out(self, real: np.ndarray, count: int) -> float:
        """Of the first `count`, each compared with the others."""
        images = real.reshape(len(real), -1)
        return float(self._copied(images, images[:count], np.arange(min(count, len(images)))).mean())

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        images = real.reshape(len(real), -1)
        samples = fake.reshape(*fake.shape[:2], -1)
        return np.array([self._copied(images, member, np.full(len(member), -1)).mean() for member in samples])

    def _copied(self, images: np.ndarray, samples: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Which of the samples `(n, D)` are copies of an image of `(N, D)`, bool `(n,)`; `own` says which each is."""
        parts = [self._copied_of(images, samples[part], own[part]) for part in blocks(len(samples), len(images))]
        return np.concatenate(parts)

    def _copied_of(self, images: np.ndarray, samples: np.ndarray, own: np.ndarray) -> np.ndarray:
        away = distances(samples, images)
        away[np.flatnonzero(own >= 0), own[own >= 0]] = np.inf
        index = away.argmin(1)
        distance = away[np.arange(len(away)), index]
        # The distance to the second nearest image bounds that between both: most samples need no second search.
        away[np.arange(len(away)), index] = np.inf
        second = away.argmin(1)
        between = np.linalg.norm(images[index] - images[second], axis=1)
        same = SAME * images.shape[1] ** 0.5
        maybe = np.flatnonzero((distance < self.nearer * between) | (between <= same))
        copied = np.zeros(len(samples), dtype=bool)
        if len(maybe):
            others = distances(images[index[maybe]], images)
            others[others <= same] = np.inf
            others[np.flatnonzero(own[maybe] >= 0), own[maybe][own[maybe] >= 0]] = np.inf
            copied[maybe] = distance[maybe] < self.nearer * others.min(1)
        return copied
