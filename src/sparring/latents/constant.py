from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from sparring.latents import Latent

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.rng import RandomStreams


@final
@dataclass(frozen=True)
class Constant(Latent):
    """Always the same number: a generator that learns one answer, not a distribution."""

    value: float = 0.5
    size: int = 1

    def draw(self, rng: RandomStreams, purpose: str, count: int) -> Tensor:
        return rng.constant(self.value, (count, self.size))
