"""Networks are plain modules. A leaf describes one; what it is given and must give is filled in when it is built."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import nn

Shape = tuple[int, ...]


class Network(ABC):
    """Leaves are final frozen dataclasses."""

    also: ClassVar[tuple[str, ...]] = ()
    """Other names that the leaf is known by."""

    @abstractmethod
    def build(self, takes: Shape, gives: Shape) -> nn.Module:
        """A fresh module, weights drawn from torch's generator: `(B, *takes)` -> `(B, *gives)`.

        A generator takes `(latent size,)` and gives an example; a discriminator takes an example and gives `()`, its
        score. Raises ValueError, in one line, for shapes that it is not for.
        """

    def size(self, takes: Shape, gives: Shape) -> int:
        """How many weights `build` would draw; none is drawn."""
        import torch

        with torch.device("meta"):
            return sum(p.numel() for p in self.build(takes, gives).parameters())
