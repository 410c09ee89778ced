from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from sparring.latent import Latent

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.chance import Chance


@final
@dataclass(frozen=True)
class Constant(Latent):
    """Always the same number: a generator that learns one answer, not a distribution."""

    value: float = 0.5
    size: int = 1

    def draw(self, chance: Chance, purpose: str, count: int) -> Tensor:
        return chance.constant(self.value, (count, self.size))
