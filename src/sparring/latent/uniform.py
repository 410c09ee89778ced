from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.latent import Latent

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.chance import Chance


@final
@dataclass(frozen=True)
class Uniform(Latent):
    """Uniform on [0, 1): torch's `rand`."""

    size: int = 1
    reach: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def draw(self, chance: Chance, purpose: str, count: int) -> Tensor:
        return chance.uniform(purpose, (count, self.size))
