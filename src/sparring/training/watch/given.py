"""The real examples as the user gave them to the watch: how many there are, and some of them where they are at hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset

from sparring.training.watch.calls import classes_of

APART, LEVELS = 0.2, (0.01, 0.25, 0.5, 0.75, 0.99)
"""Share of the range of what D sees, from 1 % to 99 %, by which these quantiles may differ between it and given
examples that are the same ones."""
SCALES = ((1.0, 0.0), (2.0, -1.0), (1 / 255, 0.0), (2 / 255, -1.0))
"""What loops make of images before D is given them: a factor, and what is added. The first leaves them as they are."""
MAX_COMPARED, MIN_COMPARED, COLUMNS = 2_048, 256, 64
"""Examples that are compared with what D sees, at most and at least, and how many of their numbers."""
COMPARED_NUMBERS = 2**20
"""And how many numbers these may have together, but for one example."""
OTHER = 1.5
"""Ratio of the reach of tails above which examples are others: of normal ones that are clipped at 1.5 it is 1.55."""


class Given:
    """A tensor, an array, a Dataset or a DataLoader. It is neither iterated over nor asked for an example."""

    def __init__(self, data: Any):
        if isinstance(data, DataLoader):
            data = data.dataset  # pyright: ignore[reportUnknownMemberType]
        self.count = 0
        """How many there are; 0 where nobody knows."""
        if isinstance(data, Tensor | np.ndarray | list | Dataset):
            try:
                self.count = len(data)  # pyright: ignore[reportArgumentType, reportUnknownArgumentType]
            except TypeError:  # a stream of examples has no length
                self.count = 0
        tensors = data.tensors if isinstance(data, TensorDataset) else ()
        self._rows: Any = tensors[0] if tensors else data
        self._classes = classes_of(tensors[1], len(tensors[1])) if len(tensors) == 2 else None

    def some(self, count: int, seen: np.ndarray) -> np.ndarray | None:
        """Up to so many of them `(n, ...)`, float32, evenly spaced and on D's scale; None if D is given other ones.

        Args:
            count: How many at most.
            seen: Some that D was given, `(n, ...)`.
        """
        rows = self._rows
        if not isinstance(rows, Tensor | np.ndarray) or tuple(rows.shape[1:]) != seen.shape[1:] or not len(rows):
            return None
        if not _are_numbers(rows):
            return None
        max_count = min(MAX_COMPARED, COMPARED_NUMBERS // max(1, seen[0].size) + 1)
        few, theirs = self._at(_evenly(max_count, len(rows))), seen[_evenly(max_count, len(seen))]
        for factor, shift in SCALES:
            if _are_alike(factor * few + shift, theirs):
                return factor * self._at(_evenly(count, len(rows))) + np.float32(shift)
        return None

    def _at(self, places: np.ndarray) -> np.ndarray:
        """Those at these places, `(n, ...)`, float32."""
        if isinstance(self._rows, np.ndarray):
            return self._rows[places].astype(np.float32)
        return self._rows.detach()[torch.from_numpy(places).to(self._rows.device)].cpu().float().numpy()

    def classes_of_some(self, count: int) -> np.ndarray | None:
        """The class of each of `some`, int64 `(n,)`; None where the user gave none."""
        return None if self._classes is None else self._classes[_evenly(count, len(self._classes))]

    def differ(self, seen: np.ndarray) -> bool:
        """Whether these are other examples than D's, `(n, ...)`: clipped ones, say, and not the same on another scale.

        It compares how far the tails of a column reach, from 1 % to 99 %, over its middle half, which no scale changes;
        of most columns, so that those of which one alone was clipped are taken for the same.
        """
        rows = self._rows
        if not isinstance(rows, Tensor | np.ndarray) or rows.shape[1:] != seen.shape[1:]:
            return False
        at = _evenly(MAX_COMPARED, len(rows))
        given = np.asarray(rows[at] if isinstance(rows, np.ndarray) else rows.detach().cpu()[torch.from_numpy(at)])
        if min(len(given), len(seen)) < MIN_COMPARED:
            return False
        reach = [_reach(each.reshape(len(each), -1)[:, :COLUMNS].astype(np.float64)) for each in (given, seen)]
        known = np.isfinite(reach[0]) & np.isfinite(reach[1])
        if not known.any():
            return False
        # Of one column the quantiles may differ so by which examples there are.
        return bool(abs(np.median(np.log(reach[1][known] / reach[0][known]))) > np.log(OTHER))


def _are_numbers(rows: Tensor | np.ndarray) -> bool:
    """Whether these are real numbers, or whole ones."""
    return rows.dtype.kind in "fiub" if isinstance(rows, np.ndarray) else not rows.is_complex()


def _are_alike(given: np.ndarray, seen: np.ndarray) -> bool:
    """Whether the numbers of both are spread alike: by their ends where nearly all are one number, as in a dark sky."""
    if not np.isfinite(given).all():
        return False
    mine, theirs = (np.quantile(each, LEVELS) for each in (given, seen))
    if theirs[0] == theirs[-1]:
        mine, theirs = (np.array([each.min(), each.max()]) for each in (given, seen))
    return bool(np.abs(mine - theirs).max() <= APART * (theirs[-1] - theirs[0]))


def _evenly(count: int, among: int) -> np.ndarray:
    """The places of at most so many, evenly spaced."""
    return np.linspace(0, among - 1, min(count, among)).round().astype(np.int64)


def _reach(columns: np.ndarray) -> np.ndarray:
    """Of columns `(n, K)`, how far the tails of each reach over its middle half; infinite where that has no width."""
    low, first, third, high = np.quantile(columns, [0.01, 0.25, 0.75, 0.99], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (high - low) / (third - first)
