"""Moments of batches, gathered over rounds: their law, whether they repeat, and whether they were drawn at random."""

from __future__ import annotations

import torch
from torch import Tensor

KEPT = 4_096
"""Numbers of a batch that are compared with the next one."""
NORMAL_KURTOSIS, UNIFORM_KURTOSIS = (2.6, 3.4), (1.6, 2.0)
MIN_COUNT = 256
"""Numbers from which on a law can be named."""
MIN_BATCHES = 4
"""Batches from which on their spread means something."""


class Moments:
    """Of the batches `(B, ...)` that were added, one for each round."""

    def __init__(self) -> None:
        self._round, self._before = -1, torch.empty(0)
        self._added, self._same = 0, 0
        self._count, self._sums = 0, torch.zeros(4, dtype=torch.float64)
        self._low, self._high = float("inf"), float("-inf")
        self._means: list[float] = []
        self._sizes: list[int] = []
        self._within: list[float] = []
        self.population: tuple[float, float] | None = None
        """Mean and variance, over all examples there are, of an example's mean; None where nobody knows."""

    def add(self, batch: Tensor, round: int) -> None:
        """The first batch of a round; further ones of the same round are left out."""
        if round == self._round:
            return
        self._round = round
        x = batch.detach()
        head = x.flatten()[:KEPT].double().cpu()
        self._same += self._added > 0 and same_as(head, self._before)
        self._added += 1
        self._before = head
        self._count += len(head)
        self._sums += torch.stack([head.sum(), (head**2).sum(), (head**3).sum(), (head**4).sum()])
        self._low, self._high = min(self._low, float(head.min())), max(self._high, float(head.max()))
        each = x.flatten(1).float().mean(1).double() if x.dim() > 1 else x.double()
        if len(each) > 1:
            self._means.append(float(each.mean()))
            self._within.append(float(each.var()))
            self._sizes.append(len(each))

    @property
    def repeats(self) -> float:
        """Share of batches that equal the one before."""
        return self._same / (self._added - 1) if self._added > 1 else 0.0

    @property
    def ends(self) -> tuple[float, float]:
        """Smallest and largest number; (0, 0) before the first."""
        return (self._low, self._high) if self._count else (0.0, 0.0)

    @property
    def law(self) -> str:
        """`normal` (standard), `uniform`, `constant`, or ``."""
        if self._count > 1 and self._low == self._high:
            return "constant"
        if self._count < MIN_COUNT:
            return ""
        m1, m2, m3, m4 = (self._sums / self._count).tolist()
        variance = m2 - m1**2
        if variance <= 0:
            return ""
        kurtosis = (m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4) / variance**2
        noise = 4 / self._count**0.5
        if abs(m1) < noise + 0.02 and abs(variance - 1) < 2 * noise + 0.02:
            low, high = NORMAL_KURTOSIS
            return "normal" if low - 5 * noise < kurtosis < high + 5 * noise else ""
        low, high = UNIFORM_KURTOSIS
        return "uniform" if low - noise < kurtosis < high + noise else ""

    @property
    def spread(self) -> float | None:
        """Variance of the batches' means over what random batches would have: 1 for shuffled data; None if unknown."""
        if len(self._means) < MIN_BATCHES or not sum(self._within):
            return None
        means = torch.tensor(self._means, dtype=torch.float64)
        size = sum(self._sizes) / len(self._sizes)
        if self.population is not None:
            mean, variance = self.population
            return float(((means - mean) ** 2).mean()) * size / variance if variance else None
        within = sum(self._within) / len(self._within)
        return float(means.var()) * size / (within + float(means.var()))


def same_as(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are equal in shape and every number."""
    return a.shape == b.shape and bool((a == b).all())
