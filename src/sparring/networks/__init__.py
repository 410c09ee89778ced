"""Built-in networks. A leaf describes a network; `build` makes the nn.Module once the shapes are known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sparring import catalogue, fields
from sparring.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

Shape = tuple[int, ...]


class Network(ABC):
    """A description of a network. Subclasses are final frozen dataclasses."""

    also: ClassVar[tuple[str, ...]] = ()
    """Other names that it is known by."""

    def __new__(cls, *args: Any, **values: Any) -> Self:
        """Raises UsageError for a field of another type than it is annotated with, and for a layer without a width."""
        fields.check(cls, args, values)
        hints = fields.hints_of(cls)
        for name, value in [*zip(hints, args, strict=False), *values.items()]:
            if hints.get(name) == tuple[int, ...] and any(width < 1 for width in value):
                raise UsageError(f"{cls.__name__}: {name} takes whole numbers of at least 1, not {value}")
        return super().__new__(cls)

    @abstractmethod
    def build(self, in_shape: Shape, out_shape: Shape) -> nn.Module:
        """A new module from `(B, *in_shape)` to `(B, *out_shape)`, initialized from torch's global generator.

        Args:
            in_shape: `(latent size,)` for a generator, the shape of one example for a discriminator.
            out_shape: the shape of one example for a generator, `()` (a score, a logit) for a discriminator.

        Raises:
            ValueError: the network cannot have these shapes; the message is one line.
        """

    def size(self, in_shape: Shape, out_shape: Shape) -> int:
        """The number of trainable parameters of the module that `build` would make, without allocating it."""
        import torch

        with torch.device("meta"):
            return sum(p.numel() for p in self.build(in_shape, out_shape).parameters())


def __getattr__(name: str) -> Any:
    return catalogue.exported(__name__, name)


def __dir__() -> list[str]:
    return catalogue.exports(__name__)
