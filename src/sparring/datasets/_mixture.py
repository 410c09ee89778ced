"""Points in the plane drawn from equally likely round Gaussians, without end."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.chance import Chance
from sparring.datasets import Modes


@dataclass(frozen=True)
class Mixture:
    """`centres` is float64 `(K, 2)`."""

    centres: Tensor
    sd: float

    @classmethod
    def of(cls, modes: Modes, device: str | torch.device) -> Mixture:
        return cls(torch.tensor(modes.centres, dtype=torch.float64, device=device), modes.sd)

    def draw(self, chance: Chance, count: int) -> Tensor:
        share = chance.uniform("real mode", (count,))
        # A number just below 1 may round up to K when it is multiplied.
        mode = (share * len(self.centres)).long().clamp_(max=len(self.centres) - 1)
        return self.centres.to(chance.dtype)[mode] + self.sd * chance.normal("real", (count, 2))
