"""Data sets: where real examples come from. A leaf describes one; `open` loads it and gives a source to draw from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from sparring import catalogue, fields

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor

    from sparring.rng import RandomStreams

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Card:
    """What a user should know before using a data set."""

    title: str
    examples: int | None
    """How many there are; None for a distribution, which is sampled without end."""
    license: str
    source: str


@dataclass(frozen=True)
class Modes:
    """The distribution of points in the plane: equally likely round Gaussians."""

    centers: tuple[tuple[float, float], ...]
    sd: float
    """Standard deviation of every Gaussian along each axis."""
    reach: float
    """Plots show the square from -reach to reach."""


class Source(Protocol):
    """An opened data set, to draw real examples from."""

    def draw(self, rng: RandomStreams, count: int) -> Tensor:
        """Draw real examples for the current round of `rng`.

        Args:
            rng: the members' random streams.
            count: examples for each member.

        Returns:
            `(P, count, *shape)`, as networks take them (see `Dataset.span`), of the streams' dtype.
        """
        ...


class LabeledSource(Source, Protocol):
    """A source whose examples have known classes."""

    def draw_with_classes(self, rng: RandomStreams, count: int) -> tuple[Tensor, Tensor]:
        """The examples that `draw` would give, and the class of each, int64 `(P, count)`."""
        ...


class Dataset(ABC):
    """A description of a data set. Subclasses are final frozen dataclasses.

    source = MNIST(span=(-1.0, 1.0)).open()
    rng = RandomStreams(seeds=[0, 1])
    x = source.draw(rng, 64)                      # float32 (2, 64, 1, 28, 28) in [-1, 1]
    """

    card: ClassVar[Card]
    shape: ClassVar[Shape]
    """The shape of one example: `(C, H, W)` for images, `(K,)` for vectors."""
    target: ClassVar[tuple[float, ...] | None] = None
    """The mean example in data units, for data of a few numbers, to compare G's outputs with."""
    modes: ClassVar[Modes | None] = None
    """The distribution, for points in the plane. Such data is unbounded: its data units are the coordinates."""
    classes: ClassVar[int] = 0
    """Number of classes, for data whose examples have known classes."""
    class_advice: ClassVar[str] = "choose another data set, or drop it"
    """What to do where class-conditional training is asked for and there are no classes, for an error message."""
    pixel_art: ClassVar[bool] = False
    """Whether images have few colors and hard edges, or enlarged pixels, so that no augmentation changes colors."""
    auto_conditional: ClassVar[bool] = False
    """Whether `auto` trains with the classes: those of a user's own folder, where each has images enough."""
    places: ClassVar[tuple[str, ...]] = ()
    """The fields that say where the files are, for data of which `found_content` says what is in them: a run goes on
    with the same examples in another place."""
    span: tuple[float, float] = (0.0, 1.0)
    """What networks get in place of the data units 0 and 1: (0, 1) for a G that ends in sigmoid, (-1, 1) for tanh."""

    def __new__(cls, *args: Any, **values: Any) -> Self:
        """Raises UsageError for a field of another type than it is annotated with."""
        fields.check(cls, args, values)
        return super().__new__(cls)

    @abstractmethod
    def open(self, data_dir: Path | None = None, device: str | torch.device = "cpu") -> Source:
        """Load the data set.

        Args:
            data_dir: the folder with its files. Without it, the folder that SPARRING_DATA names; without that, files
                are downloaded to the user's cache. Data sets without published files ignore it.
            device: where examples are drawn.

        Raises:
            SparringError: a file is missing or damaged; the message names it.
        """

    def shape_and_count(self) -> tuple[Shape, int | None]:
        """The shape of an example, and how many there are (None for a distribution).

        Raises SparringError if files are needed to tell, and are missing or damaged.
        """
        return self.shape, self.card.examples

    def resolved(self) -> Self:
        """A copy with the fields filled in that depend on the files, so that a recipe records what it was trained on.

        Raises SparringError if the files are missing or damaged.
        """
        return self

    def with_opener(self, data_dir: Path | None, device: str | torch.device) -> tuple[Self, Callable[[], Source]]:
        """`resolved()`, and a function that opens it, which need not read files again that were just read."""
        resolved = self.resolved()
        return resolved, lambda: resolved.open(data_dir, device)

    def changed_since(self, recorded: Mapping[str, Any]) -> str | None:
        """A message if the files have changed since a run recorded this data set in its recipe, else None.

        Args:
            recorded: the data set in that recipe, as plain data.
        """
        return None

    def content_hash(self, source: Source) -> str:
        """What tells these examples from all others: the name of a hash function, and the hash of all examples.

        Args:
            source: what `open` gave.

        Returns:
            Empty for data that is drawn from a formula without end.
        """
        return ""

    def hand_over(self) -> None:  # noqa: B027 - most data lies in files
        """Make sure that other processes of this machine can open the data set.

        Raises SparringError where they cannot.
        """

    def held_out(self, data_dir: Path | None) -> np.ndarray | None:
        """The published test images, which no run is trained on, uint8 `(N, C, H, W)`; None where there are none.

        Raises SparringError like `open`.
        """
        return None

    def held_out_classes(self, data_dir: Path | None) -> np.ndarray | None:
        """The class of each image of `held_out`, `(N,)`; None where they are not known. Raises SparringError."""
        return None

    @property
    def is_plotted(self) -> bool:
        """Whether examples are plain numbers: no images, no pattern, and no points of a known distribution."""
        return len(self.shape) < 3 and self.modes is None and self.target is None

    def in_data_units(self, examples: Tensor) -> Tensor:
        """Examples as networks have them, in data units: [0, 1], or the coordinates of points in the plane."""
        low, high = self.span
        return (examples - low) / (high - low)

    @property
    def column_names(self) -> tuple[str, ...]:
        """What the numbers of an example are called, where they have names."""
        return ()

    def in_own_units(self, examples: np.ndarray) -> np.ndarray:
        """Examples in data units as the user has them: of tables, in the units of the file."""
        return examples


def __getattr__(name: str) -> Any:
    return catalogue.exported(__name__, name)


def __dir__() -> list[str]:
    return catalogue.exports(__name__)
