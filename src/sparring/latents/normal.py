from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from sparring.latents import Latent

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.rng import RandomStreams


@final
@dataclass(frozen=True)
class Normal(Latent):
    """Standard normal: torch's `randn`."""

    size: int = 100

    def draw(self, rng: RandomStreams, purpose: str, count: int) -> Tensor:
        return rng.normal(purpose, (count, self.size))
