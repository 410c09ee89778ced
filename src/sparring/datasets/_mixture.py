"""Points in the plane drawn from equally likely round Gaussians."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparring.datasets import Modes

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from sparring.rng import RandomStreams


@dataclass(frozen=True)
class Mixture:
    """A source of points. `centers` is `(K, 2)`."""

    centers: Tensor
    sd: float

    @classmethod
    def of(cls, modes: Modes, device: str | torch.device) -> Mixture:
        import torch

        exact = torch.float32 if torch.device(device).type == "mps" else torch.float64  # Apple's GPUs have no float64
        return cls(torch.tensor(modes.centers, dtype=exact, device=device), modes.sd)

    def draw(self, rng: RandomStreams, count: int) -> Tensor:
        share = rng.uniform("real mode", (count,))
        # A number just below 1 times K may be rounded to K.
        mode = (share * len(self.centers)).long().clamp_(max=len(self.centers) - 1)
        return self.centers.to(rng.dtype)[mode] + self.sd * rng.normal("real", (count, 2))
