from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from sparring.latents import Latent, refuse_no_size

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.rng import RandomStreams


@final
@dataclass(frozen=True)
class Normal(Latent):
    """Standard normal in every dimension, as torch.randn."""

    size: int = 100
    """Dimensions of a latent vector."""

    def __post_init__(self) -> None:
        refuse_no_size(self.size)

    def draw(self, rng: RandomStreams, purpose: str, count: int) -> Tensor:
        return rng.normal(purpose, (count, self.size))
