"""Latent distributions: what the vectors that a generator takes are drawn from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sparring import catalogue, fields

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.rng import RandomStreams


class Latent(ABC):
    """A distribution of latent vectors. Subclasses are final frozen dataclasses."""

    size: int
    """Dimensions of a latent vector."""
    reach: ClassVar[tuple[float, float]] = (-3.0, 3.0)
    """The range that a latent traversal covers in one dimension by default."""

    def __new__(cls, *args: Any, **values: Any) -> Self:
        """Raises UsageError for a field of another type than it is annotated with."""
        fields.check(cls, args, values)
        return super().__new__(cls)

    @abstractmethod
    def draw(self, rng: RandomStreams, purpose: str, count: int) -> Tensor:
        """Draw latent vectors.

        Args:
            rng: the members' random streams.
            purpose: what they are for; each purpose is a stream of its own.
            count: vectors for each member.

        Returns:
            `(P, count, size)`.
        """


def refuse_no_size(size: int) -> None:
    """Raises ValueError for a latent vector without dimensions."""
    if size < 1:
        raise ValueError(f"size must be at least 1, not {size}")


def __getattr__(name: str) -> Any:
    return catalogue.exported(__name__, name)


def __dir__() -> list[str]:
    return catalogue.exports(__name__)
