"""Examples in their own units: a generator's last operations take the scaled numbers of tables and signals back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sparring.datasets import Dataset
from sparring.datasets.in_memory import InMemory
from sparring.datasets.table import Table


@dataclass(frozen=True)
class Scale:
    """`own = scaled * sd + center`, in float64: float32 is too coarse for some columns, such as of timestamps."""

    center: np.ndarray
    """Means, float64 `(K,)`, or `(1,)` where all numbers are scaled alike."""
    sd: np.ndarray
    """Standard deviations, of the same shape."""

    def own(self, scaled: np.ndarray) -> np.ndarray:
        """Examples in their own units, float64."""
        return scaled * self.sd + self.center

    def scaled(self, own: np.ndarray) -> np.ndarray:
        """Examples as networks make them, float64."""
        return (own - self.center) / self.sd

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"center": self.center.tolist(), "sd": self.sd.tolist()}


def scale_of(data: Dataset) -> Scale | None:
    """How a data set scales its numbers; None where networks get them as they are."""
    match data:
        case Table() | InMemory() if data.found_center:
            scale = Scale(np.array(data.found_center, np.float64), np.array(data.found_sd, np.float64))
            return scale if scale.center.any() or (scale.sd != 1).any() else None
        case _:
            return None


class InOwnUnits(nn.Module):
    """A generator and its scale: float64 examples in their own units."""

    center: Tensor
    sd: Tensor

    def __init__(self, generator: nn.Module, scale: Scale):
        super().__init__()
        self.generator = generator
        self.register_buffer("center", torch.from_numpy(scale.center))
        self.register_buffer("sd", torch.from_numpy(scale.sd))

    def forward(self, z: Tensor, classes: Tensor | None = None) -> Tensor:
        return self.generator(z, classes).double() * self.sd + self.center
