"""Follows what was made of classes: embeddings, one-hot vectors, and whatever these were multiplied with or added to.

Classes that are put into the latent vectors before G is called leave nothing there that numbers would show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

PER_EXAMPLE = 2
"""Axes up to which an index is one of each example: words of a text have more, and places of a sequence come once."""


class ClassTraces:
    """Which tensors of a loop were made of classes, `(B, ...)` each."""

    def __init__(self) -> None:
        self._made = WeakIdKeyDictionary()
        """A tensor -> how many examples its classes are of."""

    def note(self, name: str, args: Sequence[Any], tensors: Sequence[Tensor], made: Tensor) -> None:
        """A function of this name made a tensor of others."""
        known = [self._made[each] for each in tensors if each in self._made]
        count = max(known, default=0) or _examples_of(name, args, tensors)
        if count:
            self._made[made] = count

    def __call__(self, z: Tensor) -> bool:
        """Whether latent vectors were made of the classes of as many examples."""
        return z.dim() > 1 and self._made.get(z) == len(z)  # pyright: ignore[reportUnknownMemberType]


def _examples_of(name: str, args: Sequence[Any], tensors: Sequence[Tensor]) -> int:
    """How many examples' classes a function is given to choose by; 0 where it chooses by none.

    Numbers that all differ may be places, or the examples that a batch is made of.
    """
    index = None
    if name in ("embedding", "one_hot"):
        index = next((each for each in tensors if not each.is_floating_point()), None)
    elif name in ("__getitem__", "index_select") and args and isinstance(args[0], nn.Parameter):
        index = next((each for each in args[1:] if isinstance(each, Tensor)), None)
    if index is None or index.dtype == torch.bool or not 0 < index.dim() <= PER_EXAMPLE:
        return 0
    if index.numel() != len(index):
        return 0
    different = len(torch.unique(index))
    return len(index) if 1 < different < len(index) else 0
