"""What G made in the loop last, for a G that cannot be called as the loop calls it, as one that keeps its classes."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.training.watch.examination import example_in

NUMBERS = 2**22
"""Of all examples together that are kept at most."""


class MadeInLoop:
    """Copies of the last examples, once they are wanted."""

    def __init__(self, max_examples: int):
        self._max, self.wanted = max_examples, False
        """How many there are at most; and whether anything is kept."""
        self._batches: deque[Tensor] = deque()

    def see(self, output: Any) -> None:
        """G returned this."""
        made = example_in(output) if self.wanted else None
        if made is None or made.dim() < 2:
            return
        room = min(self._max, NUMBERS // max(1, made[0].numel()))
        if self._batches and self._batches[0].shape[1:] != made.shape[1:]:
            self._batches.clear()
        self._batches.append(made.detach()[:room].float().cpu().clone())
        while sum(map(len, self._batches)) - len(self._batches[0]) >= room:
            self._batches.popleft()

    @property
    def last(self) -> np.ndarray | None:
        """`(n, ...)`, the latest last; None before the first."""
        return torch.cat(list(self._batches))[-self._max :].numpy() if self._batches else None
