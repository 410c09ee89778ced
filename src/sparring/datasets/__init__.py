"""Where real examples come from. A leaf describes a data set; opened, it is a source that the game draws from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor

    from sparring.rng import RandomStreams

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Card:
    """What a user must know before using a data set."""

    title: str
    examples: int | None
    """How many there are; None for one that is drawn without end."""
    licence: str
    source: str


@dataclass(frozen=True)
class Modes:
    """What is known of points in the plane: equally likely round Gaussians."""

    centers: tuple[tuple[float, float], ...]
    sd: float
    """Of every Gaussian along each axis."""
    reach: float
    """Pictures show the square from -reach to reach."""


class Source(Protocol):
    """An opened data set."""

    def draw(self, rng: RandomStreams, count: int) -> Tensor:
        """`count` real examples for every member, `(P, count, *shape)`, as the networks see them."""
        ...


class LabeledSource(Source, Protocol):
    """One of data whose `classes` are not 0."""

    def draw_with_classes(self, rng: RandomStreams, count: int) -> tuple[Tensor, Tensor]:
        """The same examples with the class of each, int64 `(P, count)`."""
        ...


class Dataset(ABC):
    """Leaves are final frozen dataclasses."""

    card: ClassVar[Card]
    shape: ClassVar[Shape]
    """Of one example: `(C, H, W)` for images, `(K,)` for vectors."""
    target: ClassVar[tuple[float, ...] | None] = None
    """The mean example in data units, of data whose examples are a few numbers: what to hold G's outputs against."""
    modes: ClassVar[Modes | None] = None
    """Of points in the plane. Such data is unbounded: its data units are the coordinates, and the networks see them."""
    classes: ClassVar[int] = 0
    """How many there are, of data that tells the class of every example."""
    span: tuple[float, float] = (0.0, 1.0)
    """What the networks see in place of the data units 0 and 1: a G that ends in tanh wants (-1, 1)."""

    @abstractmethod
    def open(self, data_dir: Path | None, device: str | torch.device) -> Source:
        """Load it. Raises SparringError, naming the file, when it is not there or damaged."""

    def sizes(self) -> tuple[Shape, int | None]:
        """The shape of an example, and how many there are (None: drawn without end): what a recipe is sized by.

        Raises SparringError when files are not there or damaged.
        """
        return self.shape, self.card.examples

    def settled(self) -> Self:
        """The same with what can only be read off the files filled in, so that a recipe tells what it was trained on.

        Raises SparringError when the files are not there or damaged.
        """
        return self

    def settled_to_open(self, data_dir: Path | None, device: str | torch.device) -> tuple[Self, Callable[[], Source]]:
        """`settled`, and what opens that: data whose files are read to settle it need not read them again."""
        settled = self.settled()
        return settled, lambda: settled.open(data_dir, device)

    def changed_since(self, told: Mapping[str, Any]) -> str | None:
        """What to say of files that are no longer those of `told`, this data set as a run's recipe tells it."""
        return None

    def held_out(self, data_dir: Path | None) -> np.ndarray | None:
        """Real images that no run is trained on, uint8 `(N, C, H, W)`; None where the publisher put none aside.

        Raises SparringError like `open`.
        """
        return None

    def in_data_units(self, examples: Tensor) -> Tensor:
        """From what the networks see back to data units: [0, 1], and coordinates for points in the plane."""
        low, high = self.span
        return (examples - low) / (high - low)
