"""Statistics over members (seeds). Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Mean, SD, median, min and max of one number over the members of a run. Non-finite values are left out."""

    n: int
    """How many values were finite."""
    mean: float | None
    sd: float | None
    """The sample standard deviation, with divisor n - 1; None below two values."""
    median: float | None
    min: float | None
    max: float | None

    @classmethod
    def of(cls, values: np.ndarray) -> Spread:
        """The spread of `values`, shape `(P,)`; every statistic is None when no value is finite."""
        finite = values[np.isfinite(values)]
        n = len(finite)
        if not n:
            return cls(0, None, None, None, None, None)
        sd = float(finite.std(ddof=1)) if n > 1 else None
        return cls(n, float(finite.mean()), sd, float(np.median(finite)), float(finite.min()), float(finite.max()))
