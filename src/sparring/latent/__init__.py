"""The latent space: what a generator is fed (the write-ups call it the random seed), and ways to walk in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.chance import Chance


class Latent(ABC):
    """A law that latent vectors are drawn from. Leaves are final frozen dataclasses."""

    size: int
    """Numbers in one latent vector."""

    @abstractmethod
    def draw(self, chance: Chance, purpose: str, count: int) -> Tensor:
        """`count` latent vectors for every member, `(P, count, size)`."""
