"""Examples that a program gave, kept by their content for as long as something describes them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary, finalize

import numpy as np
import safetensors

from sparring.datasets import Shape, Source
from sparring.datasets._scaling import Numbers, scaled
from sparring.datasets.files.fitness import Fitness, copies_line, different_of
from sparring.datasets.files.memory import as_size
from sparring.record.files import save_arrays, write_atomically

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from sparring.rng import RandomStreams

Scaling = tuple[Numbers, Numbers]
"""Means and standard deviations; none of either for numbers as they are."""


@dataclass(frozen=True, eq=False)
class Stored:
    """Examples in memory, and what is known of them."""

    array: np.ndarray
    """`(N, *shape)`: uint8 for images, else float32, or float64 where that would round numbers to few."""
    labels: np.ndarray | None
    """int64 `(N,)`; None without classes."""
    classes: int
    content: str
    span: tuple[float, float]
    """The range in which images were given."""
    notes: tuple[str, ...] = ()
    """What was done to them, a line each."""

    @property
    def shape(self) -> Shape:
        """Of one example."""
        return self.array.shape[1:]

    def lines(self, span: tuple[float, float]) -> list[str]:
        """What to say of them when training begins."""
        classes = f" in {self.classes} class{'es' if self.classes > 1 else ''}" if self.classes else ""
        images = self.array.dtype == np.uint8
        what = f"{'image' if images else 'example'}{'s' if len(self.array) > 1 else ''} {self.shape}"
        size = as_size(self.array.nbytes)
        values = f"; networks get values from {span[0]:g} to {span[1]:g}" if images else ""
        given = f"{len(self.array):,} {what}{classes}, given in Python: {size} in memory{values}"
        return [given, *self.notes, *(f"warning: {line}" for line in self._obstacles() if line)]

    def _obstacles(self) -> list[str]:
        """What to do before training, a line each."""
        if self.array.dtype == np.uint8:
            return Fitness.of_pixels(self.array).obstacles(files=False)
        return [copies_line(len(self.array), different_of(self.array), "example")]

    def source(self, span: tuple[float, float], device: str | torch.device, scale: Scaling = ((), ())) -> Source:
        """To draw from: each member sees every example once in a pass, in an order of its own."""
        from sparring.datasets._images import Images

        if self.array.dtype == np.uint8:
            return Images.of(self.array, span, device, self.labels)
        return Rows.of(self, device, scale)


STORED: WeakValueDictionary[str, Stored] = WeakValueDictionary()
"""Content -> examples, those given last."""
_EACH: WeakValueDictionary[int, Stored] = WeakValueDictionary()
"""All that somebody has, by their identity: what was said of examples when they were read is not in their content."""


@dataclass(frozen=True)
class Rows:
    """A source of examples that are no images, float32 `(N, *shape)`."""

    rows: Tensor
    labels: Tensor | None

    @classmethod
    def of(cls, stored: Stored, device: str | torch.device, scale: Scaling = ((), ())) -> Rows:
        """A source on that device, of numbers with these means and standard deviations removed."""
        import torch

        labels = None if stored.labels is None else torch.from_numpy(stored.labels).to(device)
        return cls(torch.from_numpy(scaled(stored.array, *scale)).float().to(device), labels)

    def draw(self, rng: RandomStreams, count: int) -> Tensor:
        """`count` examples for every member, `(P, count, *shape)`."""
        return self._at(rng.shuffled("real", len(self.rows), count), rng.dtype)

    def draw_with_classes(self, rng: RandomStreams, count: int) -> tuple[Tensor, Tensor]:
        """As `draw`, with the class of each example, int64 `(P, count)`."""
        index = rng.shuffled("real", len(self.rows), count)
        assert self.labels is not None
        return self._at(index, rng.dtype), self.labels[index]

    def class_counts(self) -> np.ndarray | None:
        """How many examples each class has, int64 `(K,)`; None where classes are not known."""
        return None if self.labels is None else np.bincount(self.labels.cpu().numpy())

    def _at(self, index: Tensor, dtype: torch.dtype) -> Tensor:
        return self.rows.index_select(0, index.flatten()).to(dtype).unflatten(0, index.shape)


def keep(
    array: np.ndarray, labels: np.ndarray | None, classes: int, span: tuple[float, float], notes: tuple[str, ...]
) -> Stored:
    """Keep examples; the same ones are kept once."""
    digest = hashlib.blake2b(f"{array.dtype} {array.shape} {span}".encode(), digest_size=10)
    digest.update(np.ascontiguousarray(array).data)
    if labels is not None:
        digest.update(np.ascontiguousarray(labels).data)
    content = digest.hexdigest()
    if before := STORED.get(content):
        array, labels = before.array, before.labels
    STORED[content] = stored = Stored(np.ascontiguousarray(array), labels, classes, content, span, notes)
    _EACH[id(stored)] = stored
    if before:
        finalize(stored, _find_again, content).atexit = False
    return stored


def _find_again(content: str) -> None:
    """Enter examples anew whose place others with the same content had taken, if somebody has them still."""
    if content not in STORED:
        STORED.update((content, each) for each in _EACH.values() if each.content == content)


def hand_over(stored: Stored) -> None:
    """Write examples where other processes of this machine find them by their content.

    Raises SparringError where they cannot be written.
    """
    path = _shared_path(stored.content)
    if not path.exists():
        arrays = {"array": stored.array} | ({} if stored.labels is None else {"labels": stored.labels})
        facts = {"classes": str(stored.classes), "span": json.dumps(stored.span)}
        write_atomically(path, lambda temporary: save_arrays(arrays, temporary, {"facts": json.dumps(facts)}))


def handed_over(content: str) -> Stored | None:
    """Examples that another process of this machine handed over; None where there are none."""
    path = _shared_path(content)
    if not content or not path.exists():
        return None
    with safetensors.safe_open(path, framework="numpy") as file:
        facts = json.loads((file.metadata() or {})["facts"])
        labels = file.get_tensor("labels") if "labels" in file.keys() else None  # noqa: SIM118 - no __contains__
        low, high = json.loads(facts["span"])
        stored = Stored(file.get_tensor("array"), labels, int(facts["classes"]), content, (low, high))
    STORED[content] = stored
    return stored


def _shared_path(content: str) -> Path:
    import pooch

    return Path(pooch.os_cache("sparring")) / "in-memory" / f"{content}.safetensors"
