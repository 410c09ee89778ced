"""Moments of batches, gathered over rounds: their law, whether they repeat, and whether they were drawn at random."""

from __future__ import annotations

import weakref

import numpy as np
import torch
from torch import Tensor

from sparring.record.loop import SAME_ROWS
from sparring.training.watch.trends import left_of_trend

KEPT = 4_096
"""Numbers of a batch that are compared with the next one."""
NORMAL_KURTOSIS, UNIFORM_KURTOSIS = (2.6, 3.4), (1.6, 2.0)
MAX_OF_ROUND = 8
"""Batches of a round that are compared with those of the one before."""
MIN_COUNT = 256
"""Numbers from which on a law can be named."""
MIN_BATCHES, MIN_OF_LOOKS = 6, 10
"""Batches from which on their spread means something: that of their means, and that of other looks at them."""
MAX_MEANS = 512
"""Batches of which it is kept what they look like, so that a long run costs no more than a short one."""
MEAN_VALUES = 16
"""Numbers of an example up to which their mean is kept."""
DRIFTING = 0.5
"""Mean square of the change from batch to batch over twice the variance: 1 where batches are in no order."""


class Moments:
    """Of the batches `(B, ...)` that were added, one for each round.

    Args:
        in_row: Whether only rounds that follow one another show what changes: what does seldom is the same in most of
            these, though it is another each time that one looks again.
    """

    def __init__(self, in_row: bool = False) -> None:
        self._in_row = in_row
        self._round = -1
        self._heads: list[Tensor] = []
        """The first numbers of this round's batches, and of those of the round before."""
        self._before: list[Tensor] = []
        self._compared, self._same, self._follows = 0, 0, False
        self.renewed = False
        """Whether some round had other batches than the one that was added before."""
        self._count, self._sums = 0, torch.zeros(4, dtype=torch.float64)
        self._low, self._high = float("inf"), float("-inf")
        self._means: list[Tensor] = []
        self._within: list[Tensor] = []
        self._sizes: list[int] = []
        self._batches, self._every = 0, 1
        """How many batches there were, and of every how many one is kept."""
        self._rows_alike: set[bool] = set()
        """Whether the rows of a batch were all the same, of all batches of several rows."""
        self._first: list[weakref.ref[Tensor]] = []
        """The tensors of the first round."""
        self.one_tensor = True
        """Whether every batch so far was one of the very tensors in memory that the first round had."""

    def add(self, batch: Tensor, round: int) -> None:
        """A batch of a round; of further ones of the same round only whether they are new is kept."""
        x = batch.detach()
        head = x.flatten()[:KEPT].double().cpu()
        is_first = round != self._round
        if is_first:
            self._begin(round)
        if len(self._heads) < MAX_OF_ROUND:
            self._heads.append(head)
            self._remember(batch if batch._base is None else batch._base)
        if not is_first:
            return
        self._count += len(head)
        self._sums += torch.stack([head.sum(), (head**2).sum(), (head**3).sum(), (head**4).sum()])
        self._low, self._high = min(self._low, float(head.min())), max(self._high, float(head.max()))
        if len(x) > 1:
            self._rows_alike.add(bool((x == x[:1]).all()))
            self._batches += 1
            if self._batches % self._every == 0:
                self._keep(x)

    def _keep(self, x: Tensor) -> None:
        """What a batch looks like; of many batches every second, every fourth ... one."""
        each = looks(x)
        self._means.append(each.mean(0))
        self._within.append(each.var(0))
        self._sizes.append(len(x))
        if len(self._means) > MAX_MEANS:
            self._means, self._within, self._sizes = self._means[1::2], self._within[1::2], self._sizes[1::2]
            self._every *= 2

    def _begin(self, round: int) -> None:
        """A round is over: whether all of its batches came in the round before as well."""
        if self._before:
            came_before = all(any(same_as(head, other) for other in self._before) for head in self._heads)
            self.renewed |= not came_before
            if self._follows or came_before or not self._in_row:  # what is the same much later was so in between
                self._compared += 1
                self._same += came_before
        self._follows = round == self._round + 1
        self._round, self._before, self._heads = round, self._heads, []

    def _remember(self, whole: Tensor) -> None:
        if not self._before:
            self._first.append(weakref.ref(whole))
        self.one_tensor &= any(ref() is whole for ref in self._first)

    @property
    def repeats(self) -> float:
        """Share of rounds whose batches all came in the round before too: a fixed one beside new ones is none.

        In a row the first round counts as one of these: batches that are drawn in every second round are half of them.
        """
        rounds = self._compared + (self._in_row and self.renewed)
        return self._same / rounds if rounds else 0.0

    @property
    def ends(self) -> tuple[float, float]:
        """Smallest and largest number; (0, 0) before the first."""
        return (self._low, self._high) if self._count else (0.0, 0.0)

    @property
    def law(self) -> str:
        """`normal` (standard), `uniform`, `constant`, SAME_ROWS, or ``."""
        if self._count > 1 and self._low == self._high:
            return "constant"
        if self._rows_alike == {True}:
            return SAME_ROWS
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
        """Variance of the batches' means over what random batches would have: 1 for shuffled data; None if unknown.

        Of several looks at an example, the one in which batches differ most. Looks other than the mean count where one
        batch is like the next, as in sorted data, which an augmentation of whole batches is not. What goes one way by
        degrees is a schedule, and counts without its trend.
        """
        found = self._spreads()
        return max((min(whole, left) for whole, left in found), default=None)

    @property
    def trend(self) -> float:
        """The same of looks that go one way alone, with their trend; 0 where there are none."""
        return max((whole for whole, left in self._spreads() if left < whole), default=0.0)

    def _spreads(self) -> list[tuple[float, float]]:
        """The spread of all looks that count, with and without a trend, which are the same where there is none."""
        if len(self._means) < MIN_BATCHES:
            return []
        means, within = torch.stack(self._means), torch.stack(self._within).mean(0)
        between = means.var(0)
        size = sum(self._sizes) / len(self._sizes)
        drifts = means.diff(dim=0).square().mean(0) < DRIFTING * 2 * between
        drifts[0] = True
        known = (within > 0) & (drifts if len(means) >= MIN_OF_LOOKS else torch.arange(len(within)) == 0)
        sampling, found = (within + between) / size, list[tuple[float, float]]()
        for k in known.nonzero().flatten().tolist():
            unit = float(sampling[k])
            left = left_of_trend(means[:, k].numpy(), unit)
            whole = float(between[k]) / unit
            found.append((whole, whole if left is None else left / unit))
        return found


class Mean:
    """Of examples of a few numbers, and how far these lie from it."""

    def __init__(self) -> None:
        self._sum, self._squares, self._count = np.zeros(()), np.zeros(()), 0

    def add(self, x: Tensor) -> None:
        """A batch `(B, ...)`; examples of more numbers than MEAN_VALUES have no mean."""
        if x[0].numel() > MEAN_VALUES:
            return
        rows = x.detach().flatten(1).double().cpu()
        self._sum = self._sum + rows.sum(0).numpy()
        self._squares = self._squares + (rows**2).sum(0).numpy()
        self._count += len(rows)

    @property
    def found(self) -> tuple[tuple[float, ...], float | None]:
        """The mean example, and the largest standard deviation of its numbers."""
        if not self._count:
            return (), None
        mean = self._sum / self._count
        variance = np.maximum(0.0, self._squares / self._count - mean**2)
        return tuple(round(each, 4) for each in mean.tolist()), round(float(np.sqrt(variance.max())), 4)


def looks(x: Tensor) -> Tensor:
    """Examples `(B, ...)` as a few numbers, `(B, K)`: mean and deviation; for images also how they change both ways."""
    x = x.detach().float()
    flat = x.reshape(len(x), -1)
    found = [flat.mean(1), flat.std(1, correction=0)]
    if x.dim() == 4 and min(x.shape[2:]) > 1:
        found += [x.diff(dim=axis).abs().flatten(1).mean(1) for axis in (2, 3)]
    return torch.stack(found, 1).double().cpu()


def same_as(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are equal in shape and every number."""
    return a.shape == b.shape and bool((a == b).all())
