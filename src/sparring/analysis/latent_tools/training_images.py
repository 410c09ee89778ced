"""Images of a run's data: the training image that is nearest to an example, and some that are held out."""

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


def held_out_images(data: Dataset, count: int) -> np.ndarray:
    """Some of the images that no run is trained on, `(N, C, H, W)` in data units.

    Raises SparringError where there are none, or they are not here.
    """
    held_out = data.held_out(_folder()) if isinstance(data.open(_folder()), Images) else None
    if held_out is None:
        raise SparringError("this data has no held-out part")
    chosen = np.random.default_rng(1).permutation(len(held_out))[:count]
    return held_out[chosen].astype(np.float32) / 255


def _dots(pixels: Tensor, target: Tensor) -> Tensor:
    return pixels.float() @ target / 255


def _folder() -> Path | None:
    """The folder to read published files from: where one is named, nothing is downloaded."""
    if os.environ.get("SPARRING_DATA"):
        return None
    import pooch

    return Path(pooch.os_cache("sparring"))
