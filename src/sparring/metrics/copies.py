from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._neighbors import distances

LARGEST = 500
"""Training images up to which they are compared with one another: more would take longer than an evaluation may."""
SMALLEST = 64
"""Numbers of an example below which unseen ones, too, may well lie near to others."""


@final
@dataclass(frozen=True)
class Copies(Metric):
    """Share of samples that are copies of one of few training images, also rough ones.

    A copy lies nearer to a training image than `nearer` times the distance from that image to the training image that
    is nearest to it. An unseen image is at least as far off, but for a few. Only for up to 500 training images. Unlike
    `copying` it needs no unseen examples, which few images cannot spare, and is evaluated while a run trains.
    """

    nearer: float = 0.7
    """Share of an image's distance to the nearest other one, below which a sample is a copy of it."""

    title: ClassVar[str] = "copies of training images"
    short: ClassVar[str] = "copies"
    unit: ClassVar[str] = "share of samples"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(max_above=0.22, why="of unseen images up to 14 % lie so near to one")
    space: ClassVar[Space] = "examples"
    source: ClassVar[str] = "our own: the distance to a training image, as a share of that image's to its neighbor"
    catches: ClassVar[tuple[Fault, ...]] = ("copying",)
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 112
    linear: ClassVar[bool] = True
    searches: ClassVar[bool] = True
    single_precision: ClassVar[bool] = True
    min_examples: ClassVar[int] = 3

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether examples are images that are large enough."""
        return len(shape) == 3 and prod(shape) >= SMALLEST

    def leave_one_out(self, real: np.ndarray, count: int) -> float:
        """None of them is nearer to another than to its nearest; NaN where they are too many."""
        return 0.0 if len(real) <= LARGEST else float("nan")

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        if len(real) > LARGEST:
            return np.full(len(fake), np.nan)
        images = real.reshape(len(real), -1)
        between = distances(images, images)
        np.fill_diagonal(between, np.inf)
        reach = self.nearer * between.min(1)
        shares: list[float] = []
        for member in fake.reshape(*fake.shape[:2], -1):
            away = distances(member, images)
            index = away.argmin(1)
            shares.append(float((away[np.arange(len(away)), index] < reach[index]).mean()))
        return np.array(shares)
