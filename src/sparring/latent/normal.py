from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from sparring.latent import Latent

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.chance import Chance


@final
@dataclass(frozen=True)
class Normal(Latent):
    """Standard normal: torch's `randn`."""

    size: int = 100

    def draw(self, chance: Chance, purpose: str, count: int) -> Tensor:
        return chance.normal(purpose, (count, self.size))
