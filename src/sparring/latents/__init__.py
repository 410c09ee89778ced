"""The latent space: what a generator is fed (the write-ups call it the random seed), and ways to walk in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.rng import RandomStreams


class Latent(ABC):
    """A law that latent vectors are drawn from. Leaves are final frozen dataclasses."""

    size: int
    """Numbers in one latent vector."""
    reach: ClassVar[tuple[float, float]] = (-3.0, 3.0)
    """From where to where it is worth turning one of them, when nothing else is said."""

    @abstractmethod
    def draw(self, rng: RandomStreams, purpose: str, count: int) -> Tensor:
        """`count` latent vectors for every member, `(P, count, size)`."""
