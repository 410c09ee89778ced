"""Optimizers. Each updates weights element by element, so that a step of stacked weights is a step of every member.

They call torch's functional and foreach functions on lists of tensors, and their memory is plain tensors, saved and
loaded like weights. On tiny networks that has a third of the overhead of the classes in `torch.optim`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from sparring import catalogue, fields
from sparring.members import Numbered

if TYPE_CHECKING:
    from torch import Tensor

Memory = Mapping[str, "list[Tensor]"]
"""What an optimizer keeps between steps: a name -> a tensor per parameter, of its shape `(P, ...)` or 0-dimensional."""


class Optimizer(Numbered, ABC):
    """An update rule with its settings. Subclasses are final frozen dataclasses."""

    def __new__(cls, *args: Any, **values: Any) -> Self:
        """Raises UsageError for a field of another type than it is annotated with."""
        fields.check(cls, args, values)
        return super().__new__(cls)

    @property
    def keeps(self) -> tuple[str, ...]:
        """The names in its memory, with these settings."""
        return ()

    @abstractmethod
    def begin(self, parameters: Sequence[Tensor]) -> Memory:
        """The memory before the first step, for parameters `(P, ...)`."""

    @abstractmethod
    def step(self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], memory: Memory) -> None:
        """Update the parameters and the memory in place.

        Args:
            parameters: Weights, each `(P, ...)`.
            gradients: Their gradients, in the same order and of the same shapes.
            memory: What `begin` returned for these parameters.
        """


def __getattr__(name: str) -> Any:
    return catalogue.exported(__name__, name)


def __dir__() -> list[str]:
    return catalogue.exports(__name__)
