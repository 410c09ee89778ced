"""The training images of a run, to find the one that is nearest to an example."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sparring.datasets import Dataset
from sparring.datasets._images import Images
from sparring.errors import SparringError

AT_ONCE = 4_096
"""Images that are compared at a time."""


@dataclass(frozen=True)
class Nearest:
    """The training image that is nearest to an example."""

    index: int
    image: np.ndarray
    """`(C, H, W)` in data units."""
    distance: float
    """Root of the mean squared difference of their pixels, in data units: 0 is the same, 1 is black for white."""
    count: int
    """How many images were compared."""


class TrainingImages:
    """Opens the data of a run without downloading any.

    Raises SparringError where they are not here, or are no images.
    """

    def __init__(self, data: Dataset):
        source = data.open(_folder())
        if not isinstance(source, Images):
            raise SparringError("the nearest training image is looked for among images, and this data has none")
        self.pixels = source.pixels.flatten(1)
        self.shape = tuple(source.pixels.shape[1:])
        squares = [part.float().pow(2).sum(1) for part in self.pixels.split(AT_ONCE)]
        self.squares = torch.cat(squares) / 255**2

    def nearest(self, example: np.ndarray) -> Nearest:
        """Of an example `(C, H, W)` in data units, by the pixels' mean squared difference."""
        target = torch.from_numpy(example.astype(np.float32)).flatten().clamp(0, 1)
        dots = torch.cat([_dots(part, target) for part in self.pixels.split(AT_ONCE)])
        distances = self.squares - 2 * dots + target.pow(2).sum()
        k = int(distances.argmin())
        image = self.pixels[k].float().reshape(self.shape).numpy() / 255
        root = max(0.0, float(distances[k]) / len(target)) ** 0.5
        return Nearest(k, image, root, len(self.pixels))


def _dots(pixels: Tensor, target: Tensor) -> Tensor:
    return pixels.float() @ target / 255


def _folder() -> Path | None:
    """The folder to read published files from: where one is named, nothing is downloaded."""
    if os.environ.get("SPARRING_DATA"):
        return None
    import pooch

    return Path(pooch.os_cache("sparring"))
