"""Images in memory: one uint8 array on the device, scaled there batch by batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sparring.chance import Chance


@dataclass(frozen=True)
class Images:
    """`pixels` is uint8 `(N, C, H, W)`; every epoch shows each image once, in an order of the member's own."""

    pixels: Tensor
    span: tuple[float, float]
    labels: np.ndarray | None = None
    """Class of each image, int64 `(N,)`, where the data set tells it."""

    @classmethod
    def of(
        cls,
        array: np.ndarray,
        span: tuple[float, float],
        device: str | torch.device,
        labels: np.ndarray | None = None,
    ) -> Images:
        return cls(torch.from_numpy(array).to(device), span, labels)

    def draw(self, chance: Chance, count: int) -> Tensor:
        low, high = self.span
        index = chance.shuffled("real", len(self.pixels), count)
        batch = self.pixels.index_select(0, index.flatten()).to(chance.dtype)
        batch = batch.mul_((high - low) / 255)
        if low:
            batch.add_(low)
        return batch.unflatten(0, index.shape)
