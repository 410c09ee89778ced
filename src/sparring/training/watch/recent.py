"""The real examples that D was given last, where what it is given changes as training goes on, as in a curriculum."""

from __future__ import annotations

from collections import Counter, deque

import numpy as np
import torch
from torch import Tensor

from sparring.record.loop import UNORDERED
from sparring.training.watch.moments import looks

ROWS, BATCHES, NUMBERS = 64, 16, 2**23
"""Examples of a batch that are kept at most, batches, and numbers of all examples together."""
MIN_BATCHES = 4
"""Batches from which on they may be called alike."""
AGAIN = 3
"""Examples that come in more than one of these batches, from which on the data are not gone through but once."""
ALIKE = UNORDERED / 2
"""Variance of batches' means over that of random batches, up to which these are alike."""


class Recent:
    """Copies of the last batches of closely watched rounds, `(B, ...)` each."""

    def __init__(self) -> None:
        self._batches: deque[Tensor] = deque(maxlen=BATCHES)

    def add(self, x: Tensor, trend: float) -> None:
        """A batch that D is given, and how much such batches have changed by then, as `Batches` has it."""
        if trend <= UNORDERED:
            self._batches.clear()
            return
        room = NUMBERS // (BATCHES * max(1, x[0].numel()))
        if len(x) > 1 and room > 1:
            self._batches.append(x.detach()[: min(ROWS, room)].float().cpu().clone())

    def steady(self) -> np.ndarray | None:
        """The examples `(n, ...)` of the last batches that are alike; None of fewer than MIN_BATCHES, or if none comes
        again: sorted data that are gone through once may be on the last of their classes."""
        batches = list(self._batches)
        for first in range(len(batches) - MIN_BATCHES + 1):
            if _are_alike(batches[first:]):
                times = Counter(row for each in batches[first:] for row in {row.tobytes() for row in each.numpy()})
                comes_again = sum(count > 1 for count in times.values()) >= AGAIN
                return torch.cat(batches[first:]).numpy() if comes_again else None
        return None


def _are_alike(batches: list[Tensor]) -> bool:
    seen = [looks(each) for each in batches]
    between = torch.stack([each.mean(0) for each in seen]).var(0)
    within = torch.stack([each.var(0) for each in seen]).mean(0)
    size = sum(map(len, batches)) / len(batches)
    return bool((between <= ALIKE * (within + between) / size).all())


def are_others(before: np.ndarray, now: np.ndarray) -> bool:
    """Whether the means of what these examples look like differ by more than those of random batches do."""
    a, b = looks(torch.from_numpy(before)), looks(torch.from_numpy(now))
    apart = (a.mean(0) - b.mean(0)).square()
    return bool((apart > UNORDERED * (a.var(0) / len(a) + b.var(0) / len(b))).any())
