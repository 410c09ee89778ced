"""Where real examples come from. A leaf describes a data set; opened, it is a source that the game draws from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from sparring.chance import Chance

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Card:
    """What a user must know before using a data set."""

    title: str
    examples: int | None
    """How many there are; None for one that is drawn without end."""
    licence: str
    source: str


class Source(Protocol):
    """An opened data set."""

    def draw(self, chance: Chance, count: int) -> Tensor:
        """`count` real examples for every member, `(P, count, *shape)`, as the networks see them."""
        ...


class Dataset(ABC):
    """Leaves are final frozen dataclasses."""

    card: ClassVar[Card]
    shape: ClassVar[Shape]
    """Of one example: `(C, H, W)` for images, `(K,)` for vectors."""
    target: ClassVar[tuple[float, ...] | None] = None
    """The mean example in data units, of data whose examples are a few numbers: what to hold G's outputs against."""
    span: tuple[float, float] = (0.0, 1.0)
    """What the networks see in place of the data units 0 and 1: a G that ends in tanh wants (-1, 1)."""

    @abstractmethod
    def open(self, data_dir: Path | None, device: str | torch.device) -> Source:
        """Load it. Raises SparringError, naming the file, when it is not there or damaged."""

    def in_data_units(self, examples: Tensor) -> Tensor:
        """From what the networks see back to [0, 1]."""
        low, high = self.span
        return (examples - low) / (high - low)
