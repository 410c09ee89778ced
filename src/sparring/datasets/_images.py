"""Images in memory: one uint8 array on the device, scaled batch by batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sparring.errors import SparringError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from sparring.rng import RandomStreams


def content_hash(examples: Tensor) -> str:
    """SHA-256 of the bytes of a tensor."""
    return f"SHA-256 {hashlib.sha256(examples.cpu().contiguous().numpy().data).hexdigest()}"


@dataclass(frozen=True)
class Images:
    """A source of images, uint8 `(N, C, H, W)`. Each member's epoch has every image once, in its own order."""

    pixels: Tensor
    span: tuple[float, float]
    labels: np.ndarray | None = None
    """Class of each image, int64 `(N,)`, where it is known."""
    read_labels: Callable[[], np.ndarray] | None = None
    """Reads the classes from a file of their own, when class-conditional training needs them."""

    @classmethod
    def of(
        cls,
        array: np.ndarray,
        span: tuple[float, float],
        device: str | torch.device,
        labels: np.ndarray | None = None,
        read_labels: Callable[[], np.ndarray] | None = None,
    ) -> Images:
        """A source of the images of `array`, uint8 `(N, C, H, W)`, with 0 and 255 mapped to `span`.

        Raises SparringError when a GPU has no room for them.
        """
        import torch

        if str(device).startswith("cuda"):
            free, _ = torch.cuda.mem_get_info(device)
            if array.nbytes > free:
                raise SparringError(
                    f"the images take {array.nbytes / 1e9:,.1f} GB of the GPU's memory, of which {free / 1e9:,.1f} are "
                    "free: train at a smaller --size, or with --device cpu"
                )
        return cls(torch.from_numpy(array).to(device), span, labels, read_labels)

    def draw(self, rng: RandomStreams, count: int) -> Tensor:
        """`count` images for every member, `(P, count, C, H, W)`, in the span."""
        return self._at(rng.shuffled("real", len(self.pixels), count), rng.dtype)

    def draw_with_classes(self, rng: RandomStreams, count: int) -> tuple[Tensor, Tensor]:
        """As `draw`, with the class of each image, int64 `(P, count)`."""
        index = rng.shuffled("real", len(self.pixels), count)
        return self._at(index, rng.dtype), self._classes[index]

    def class_counts(self) -> np.ndarray | None:
        """How many images each class has, int64 `(K,)`; None where classes are not known."""
        return None if self.classes is None else np.bincount(self.classes)

    @property
    def classes(self) -> np.ndarray | None:
        """The class of each image, int64 `(N,)`; None where classes are not known."""
        return None if self.labels is None and self.read_labels is None else self._classes.cpu().numpy()

    @cached_property
    def _classes(self) -> Tensor:
        import torch

        labels = self.labels if self.labels is not None or self.read_labels is None else self.read_labels()
        assert labels is not None
        return torch.from_numpy(labels.astype(np.int64)).to(self.pixels.device)

    def content_hash(self) -> str:
        """Of the pixels of all images, as bytes, without labels."""
        return content_hash(self.pixels)

    def _at(self, index: Tensor, dtype: torch.dtype) -> Tensor:
        low, high = self.span
        batch = self.pixels.index_select(0, index.flatten()).to(dtype)
        batch = batch.mul_((high - low) / 255)
        if low:
            batch.add_(low)
        return batch.unflatten(0, index.shape)
