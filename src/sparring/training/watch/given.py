"""The real examples as the user gave them to the watch: how many there are, and some of them where they are at hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

BEYOND = 0.2
"""Share of the range of what D sees by which given examples may lie outside it, and still be the same ones."""


class Given:
    """A tensor, an array, a Dataset or a DataLoader. It is neither iterated over nor asked for an example."""

    def __init__(self, data: Any):
        if isinstance(data, DataLoader):
            data = data.dataset  # pyright: ignore[reportUnknownMemberType]
        try:
            self.count = len(data)
        except TypeError:
            self.count = 0
        """How many there are; 0 where nobody knows."""
        rows = data.tensors[0] if isinstance(data, TensorDataset) and data.tensors else data
        self._rows = torch.from_numpy(rows) if isinstance(rows, np.ndarray) and rows.dtype.kind == "f" else rows

    def some(self, count: int, like: tuple[int, ...], low: float, high: float) -> np.ndarray | None:
        """Up to so many of them `(n, *like)`, float32, evenly spaced; None where they are not what D is given.

        Args:
            count: How many at most.
            like: The shape of one that D was given.
            low: The smallest number in those.
            high: The largest.
        """
        rows = self._rows
        if not isinstance(rows, Tensor) or not rows.is_floating_point() or tuple(rows.shape[1:]) != like:
            return None
        at = torch.linspace(0, len(rows) - 1, min(count, len(rows))).round().long()
        chosen = rows.detach()[at.to(rows.device)].float().cpu()
        room = BEYOND * (high - low)
        if not low - room <= float(chosen.min()) <= float(chosen.max()) <= high + room:
            return None
        return chosen.numpy()
