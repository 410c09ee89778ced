from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.latents import Latent, refuse_no_size

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.rng import RandomStreams


@final
@dataclass(frozen=True)
class Uniform(Latent):
    """Uniform on [0, 1) in every dimension, as torch.rand."""

    size: int = 1
    """Dimensions of a latent vector."""
    reach: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __post_init__(self) -> None:
        refuse_no_size(self.size)

    def draw(self, rng: RandomStreams, purpose: str, count: int) -> Tensor:
        return rng.uniform(purpose, (count, self.size))
