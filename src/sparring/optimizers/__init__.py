"""How a player steps. Only element-wise rules serve here: stepping a stacked population is then stepping each member.

A leaf calls torch's functions for whole lists of tensors, and its memory is plain tensors, saved and loaded like
weights: a step then costs a third of what `torch.optim`'s classes add to it on tiny networks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Memory = Mapping[str, "list[Tensor]"]
"""What an optimizer remembers: a name -> one tensor for each parameter."""


class Optimizer(ABC):
    """Leaves are final frozen dataclasses."""

    @abstractmethod
    def begin(self, parameters: Sequence[Tensor]) -> Memory:
        """The memory before the first step."""

    @abstractmethod
    def step(self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], memory: Memory) -> None:
        """Change the parameters, and the memory, in place."""
