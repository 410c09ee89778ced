"""Tables and signals, a column at a time: its mean and spread, and how far generated numbers are from real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparring.datasets import Dataset
from sparring.datasets.table import SIGNAL
from sparring.metrics.column_distance import distances
from sparring.metrics.correlation_distance import correlations
from sparring.metrics.farthest_column import BENDS, by_column
from sparring.metrics.farthest_pair import by_pair
from sparring.record.journal import json_numbers

LAGS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Distances between two points of a signal at which their correlation is given."""


@dataclass(frozen=True)
class ColumnFigures:
    """What real and generated examples are like in each column, or between points of a signal."""

    names: tuple[str, ...]
    real: np.ndarray
    """Mean and SD of real examples in their own units, `(2, K)`."""
    members: np.ndarray
    """Mean, SD and distance (Wasserstein, in SD of the real column) of each member, `(P, 3, K)`; NaN where one has
    diverged."""
    lags: tuple[int, ...]
    """Lags of a signal; none for a table."""
    real_lags: np.ndarray
    """Correlation of points so far apart, of real examples: `(L,)`."""
    member_lags: np.ndarray
    """The same of each member, `(P, L)`."""
    farthest: Mapping[str, tuple[tuple[str, ...], ...]]
    """Which column, or which two, a metric of the farthest is about, of each member; none where one has diverged."""

    @classmethod
    def of(cls, data: Dataset, real: np.ndarray, fake: np.ndarray) -> ColumnFigures:
        """Of real examples `(N, K)` and those of P members, `(P, n, K)`, in data units: scaled, where the data are."""
        width = real.shape[-1]
        named = data.column_names
        is_signal = width > SIGNAL and (not named or named == tuple(str(k + 1) for k in range(width)))
        lags = tuple(lag for lag in LAGS if is_signal and lag < width)
        shown, made = data.in_own_units(real), data.in_own_units(fake)
        finite = np.isfinite(fake).all((1, 2))
        members, member_lags = np.full((len(fake), 3, width), np.nan), np.full((len(fake), len(lags)), np.nan)
        if finite.any():
            whole = made[finite].astype(np.float64)
            apart = distances(real.astype(np.float64), fake[finite].astype(np.float64))
            members[finite] = np.stack([whole.mean(1), whole.std(1), apart], 1)
            member_lags[finite] = _at_lags(fake[finite], lags)
        moments = np.stack([shown.mean(0, dtype=np.float64), shown.std(0, dtype=np.float64)])
        names = named or tuple(str(k + 1) for k in range(width))
        farthest = _farthest(names, real.astype(np.float64), fake, np.asarray(finite))
        return cls(names, moments, members, lags, _at_lags(real, lags), member_lags, farthest)

    @classmethod
    def together(cls, groups: Sequence[ColumnFigures]) -> ColumnFigures:
        """Of groups of members, one after the other, as of all at once."""
        members = np.concatenate([group.members for group in groups])
        member_lags = np.concatenate([group.member_lags for group in groups])
        first = groups[0]
        farthest = {name: tuple(each for group in groups for each in group.farthest[name]) for name in first.farthest}
        return cls(first.names, first.real, members, first.lags, first.real_lags, member_lags, farthest)

    def plain(self) -> dict[str, Any]:
        """For JSON; what is not finite is null."""
        mean, sd, distance = (self.members[:, which].T for which in range(3))
        rows = zip(self.names, self.real.T, mean, sd, distance, strict=True)
        columns = [
            {
                "name": name,
                "real_mean": json_numbers(float(real[0])),
                "real_sd": json_numbers(float(real[1])),
                "means": json_numbers(means),
                "sds": json_numbers(sds),
                "distances": json_numbers(apart),
            }
            for name, real, means, sds, apart in rows
        ]
        lags = [
            {"lag": lag, "real": json_numbers(float(real)), "members": json_numbers(members)}
            for lag, real, members in zip(self.lags, self.real_lags, self.member_lags.T, strict=True)
        ]
        farthest = {name: [list(of_one) for of_one in each] for name, each in self.farthest.items()}
        return {"columns": columns, **({"lags": lags} if lags else {}), "farthest": farthest}


def _farthest(
    names: tuple[str, ...], real: np.ndarray, fake: np.ndarray, finite: np.ndarray
) -> dict[str, tuple[tuple[str, ...], ...]]:
    """The names of columns that each member `(P, n, K)` is farthest in, by the names of the metrics."""
    known, called = fake[finite].astype(np.float64), (*names, *BENDS)
    found = {"farthest-column": by_column(real, known).argmax(-1)[:, None].tolist()}
    if len(names) > 1:
        found["farthest-pair"] = by_pair(real, known)[1].tolist()
    named = {name: iter([tuple(called[k] for k in which) for which in each]) for name, each in found.items()}
    return {name: tuple(next(each) if is_finite else () for is_finite in finite) for name, each in named.items()}


def _at_lags(rows: np.ndarray, lags: Sequence[int]) -> np.ndarray:
    """The mean correlation of points so far apart, `(..., n, K)` -> `(..., L)`."""
    if not lags:
        return np.empty((*rows.shape[:-2], 0))
    pairs = correlations(rows.astype(np.float64))
    return np.stack([np.diagonal(pairs, lag, -2, -1).mean(-1) for lag in lags], -1)
