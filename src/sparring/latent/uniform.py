from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from sparring.latent import Latent

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.chance import Chance


@final
@dataclass(frozen=True)
class Uniform(Latent):
    """Uniform on [0, 1): torch's `rand`."""

    size: int = 1

    def draw(self, chance: Chance, purpose: str, count: int) -> Tensor:
        return chance.uniform(purpose, (count, self.size))
