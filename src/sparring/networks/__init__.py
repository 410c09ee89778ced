"""Networks are plain modules. A leaf describes one; what it is given and must give is filled in when it is built."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

Shape = tuple[int, ...]


class Network(ABC):
    """Leaves are final frozen dataclasses."""

    @abstractmethod
    def build(self, takes: Shape, gives: Shape) -> nn.Module:
        """A fresh module, weights drawn from torch's generator: `(B, *takes)` -> `(B, *gives)`.

        A generator takes `(latent size,)` and gives an example; a discriminator takes an example and gives `()`, its
        score.
        """
