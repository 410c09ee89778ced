from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from sparring.latent import Latent

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.chance import Chance


@final
@dataclass(frozen=True)
class WideNormal(Latent):
    """Normal about 0 with a standard deviation of its own: a wide one lets a generator break sharply between modes.

    What lies between two modes of the data is made from the latent vectors that lie where G goes from one to the other.
    The steeper G is there, the fewer these are, and its slope is that of its weights times the width of the law.
    """

    size: int = 2
    sd: float = 5.0
    """Of each number."""

    def draw(self, chance: Chance, purpose: str, count: int) -> Tensor:
        return self.sd * chance.normal(purpose, (count, self.size))
