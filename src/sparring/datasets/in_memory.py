from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, final, get_args

from sparring.datasets import Card, Dataset, Shape, Source
from sparring.errors import SparringError, UsageError, shortened

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor

    from sparring.datasets._stored import Stored

Kind = Literal["auto", "images", "numbers"]
Scale = Literal["none", "columns", "signals"]


@final
@dataclass(frozen=True)
class InMemory(Dataset):
    """Examples given in Python: arrays, tensors, a torch Dataset or a DataLoader, with or without labels.

    `InMemory.of` makes one; a recipe's `data` may be the examples themselves. Images are kept as 8-bit levels, anything
    else as float32 numbers. A recipe has a hash of every number, so that a run resumes with the same examples only.
    """

    content: str = ""
    """Hash of all examples and labels."""
    found_shape: tuple[int, ...] = ()
    """Shape of one example: (C, H, W) of an image."""
    count: int = 0
    """Number of examples."""
    found_classes: int = 0
    """Number of classes; 0 without labels."""
    span: tuple[float, float] = (0.0, 1.0)
    """Of images, what the networks get for black and white: by default the range in which they were given."""
    scale: Scale = "none"
    """Of numbers, how they are scaled: not, each column by itself, or all alike as the points of signals."""
    found_center: tuple[float, ...] = ()
    """Means that are subtracted, of each column or of all."""
    found_sd: tuple[float, ...] = ()
    """Standard deviations that numbers are divided by."""

    class_advice: ClassVar[str] = "give the labels too, as data=(examples, labels), or drop it"

    def __post_init__(self) -> None:
        from sparring.datasets._stored import STORED

        # The examples live as long as a data set, or a recipe, that describes them.
        object.__setattr__(self, "stored", STORED.get(self.content))

    @classmethod
    def of(
        cls,
        examples: Any,
        labels: Any = None,
        *,
        kind: Kind = "auto",
        span: tuple[float, float] | None = None,
        scale: Scale | None = None,
    ) -> InMemory:
        """Take examples into memory.

        Args:
            examples: An array or a tensor `(N, ...)`; `(examples, labels)`; a list of examples; a torch `Dataset` (what
                it gives is an example, or a tuple or a dictionary with one and its label); or a `DataLoader`, of which
                every example is read once, in the order of its data set. An `IterableDataset` is read to its end, or up
                to a limit, which is said.
            labels: The class of each example: N whole numbers, names, or one-hot rows.
            kind: Whether examples are images or plain numbers; `auto` finds out by their shape and range.
            span: What the networks get for black and white; by default the range in which images were given: (0, 1),
                (-1, 1), and (0, 1) for bytes.
            scale: Of numbers: `columns` gives networks each column with mean 0 and standard deviation 1, `signals` all
                numbers alike, `none` gives them as they are; samples come in the numbers' own units. By default numbers
                are scaled that are far from 0 or spread far more than 1, or columns that differ tenfold: up to 16 each
                by itself, more as signals.

        Returns:
            A data set for a recipe.

        Raises:
            UsageError: They are no examples that can be read, or do not fit in memory; the message says why.
        """
        from sparring.datasets._given import read_examples

        stored = read_examples(examples, labels, kind)
        scale = _found_scale(stored) if scale is None else scale
        center, sd = _scaling(stored, scale)
        count, classes = len(stored.array), stored.classes
        return cls(stored.content, stored.shape, count, classes, span or stored.span, scale, center, sd)

    @property
    def card(self) -> Card:  # pyright: ignore[reportIncompatibleVariableOverride] - read alike, never assigned
        """What there is to know of them."""
        return Card("Examples given in Python", self.count or None, "that of the examples", "the user")

    @property
    def shape(self) -> Shape:  # pyright: ignore[reportIncompatibleVariableOverride] - read alike, never assigned
        """The shape of one example."""
        return self.found_shape

    @property
    def classes(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride] - read alike, never assigned
        """Number of classes; 0 without labels."""
        return self.found_classes

    def shape_and_count(self) -> tuple[Shape, int | None]:
        return self.found_shape, self.count

    def with_opener(self, data_dir: Path | None, device: str | torch.device) -> tuple[Self, Callable[[], Source]]:
        from sparring.progress import say

        stored = self._stored()
        for line in (*stored.lines(self.span), *self._advice(stored)):
            say(line)
        return self, lambda: self._source(stored, device)

    def open(self, data_dir: Path | None = None, device: str | torch.device = "cpu") -> Source:
        return self._source(self._stored(), device)

    def _source(self, stored: Stored, device: str | torch.device) -> Source:
        return stored.source(self.span, device, (self.found_center, self.found_sd))

    def _advice(self, stored: Stored) -> list[str]:
        """What to say of numbers that are scaled because of their size, or had better be."""
        why = _far_apart(stored)
        if not why:
            return []
        if self.scale == "none":
            return [f"{why}, and networks get them as they are: InMemory.of(examples, scale='columns') scales them"]
        each = "each column" if self.scale == "columns" else "all numbers"
        return [
            f"{why}: networks get {each} with mean 0 and standard deviation 1, samples come in their own units "
            "(InMemory.of(examples, scale='none'): as they are)"
        ]

    def content_hash(self, source: Source) -> str:
        return f"BLAKE2b {self.content}" if self.content else ""

    def hand_over(self) -> None:
        from sparring.datasets._stored import hand_over

        hand_over(self._stored())

    def changed_since(self, recorded: Mapping[str, Any]) -> str | None:
        mine = dataclasses.asdict(self)
        before = recorded.get("scale", "none")
        if recorded.get("content") == self.content and before != self.scale:
            return (
                f"its numbers have scale={before!r}, and those given now scale={self.scale!r}: give them as "
                f"InMemory.of(examples, scale={before!r}), or start a new run with another out"
            )
        alike = ("span", "found_shape", "scale")
        if recorded.get("is") != "in-memory" or any(_plain(recorded.get(name)) != _plain(mine[name]) for name in alike):
            return None
        if recorded.get("count") == self.count and self.found_classes < recorded.get("found_classes", 0):
            return (
                f"the labels given now make {self.found_classes:,} classes, and this run began with "
                f"{recorded['found_classes']:,}: labels with gaps are no longer classes that no example has; start a "
                "new run with another out"
            )
        return (
            f"the examples given now ({self.count:,}) are not those that this run began with "
            f"({recorded.get('count', 0):,}); where they are read through random transforms, they differ each time: "
            "give them as one array, or start a new run with another out"
        )

    def in_data_units(self, examples: Tensor) -> Tensor:
        return super().in_data_units(examples) if len(self.found_shape) == 3 else examples

    def in_own_units(self, examples: np.ndarray) -> np.ndarray:
        from sparring.datasets._scaling import unscaled

        return unscaled(examples, self.found_center, self.found_sd)

    def _stored(self) -> Stored:
        from sparring.datasets._stored import handed_over

        stored: Stored | None = getattr(self, "stored", None) or handed_over(self.content)
        if stored is None:
            if not self.content:
                raise UsageError("in-memory is for examples given in Python: sparring.recipe('auto', examples)")
            raise SparringError(
                f"the {self.count:,} examples of {shortened(self.found_shape)} were given in Python, and this process "
                "does not have them: give them again, as recipe=recipe.replace(data=...)"
            )
        return stored


def _far_apart(stored: Stored) -> str:
    """Why numbers had better be scaled, in words; empty where they need not be, and of images."""
    from sparring.datasets._scaling import far_apart

    if len(stored.shape) == 3:
        return ""
    return far_apart(stored.array if stored.array.ndim == 2 else stored.array.reshape(-1, 1))


def _found_scale(stored: Stored) -> Scale:
    """How numbers are scaled by default: columns of a table each by itself, where they are not many."""
    from sparring.datasets._scaling import SIGNAL

    if not _far_apart(stored):
        return "none"
    return "columns" if len(stored.shape) == 1 and stored.shape[0] <= SIGNAL else "signals"


def _scaling(stored: Stored, scale: Scale) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Means and standard deviations; none where nothing is scaled. Raises UsageError for what cannot be."""
    from sparring.datasets._scaling import scaling

    if scale == "none":
        return (), ()
    if scale not in get_args(Scale):
        raise UsageError(f"scale is none, columns or signals, not {shortened(repr(scale))}")
    if len(stored.shape) == 3:
        raise UsageError("images are not scaled: span says what the networks get for black and white")
    if scale == "columns" and len(stored.shape) != 1:
        raise UsageError(
            f"scale='columns' is for examples (N, K), not {(len(stored.array), *stored.shape)}: say 'signals'"
        )
    return scaling(stored.array.reshape(len(stored.array), -1), by_column=scale == "columns")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | list) else value  # pyright: ignore[reportUnknownArgumentType]
