"""A user's own data that is no folder of images: three hundred rows of two columns, the second the first's square."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from sparring.datasets import Card, Dataset
from sparring.rng import RandomStreams


@dataclass(frozen=True)
class OpenRows:
    rows: Tensor

    def draw(self, rng: RandomStreams, count: int) -> Tensor:
        return self.rows[rng.shuffled("real", len(self.rows), count)].to(rng.dtype)


@dataclass(frozen=True)
class Rows(Dataset):
    shape: ClassVar[tuple[int, ...]] = (2,)
    card: ClassVar[Card] = Card("two columns", 300, "own", "own")

    def open(self, data_dir: Path | None = None, device: str | torch.device = "cpu") -> OpenRows:
        x = np.random.default_rng(0).uniform(-1, 1, 300)
        return OpenRows(torch.from_numpy(np.stack([x, x * x], 1).astype(np.float32)).to(device))
