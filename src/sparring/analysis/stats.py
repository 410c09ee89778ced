"""Statistics over members (seeds). Loads no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

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


def students_t(freedom: int, share: float) -> float:
    """How far from 0, in standard errors, that share of Student's t distribution with so many degrees of freedom lies.

    `students_t(9, 0.95)` is 2.26: a 95 % interval for the mean of ten values reaches so many standard errors each way.
    In closed form for one and two degrees, else by the expansion about the normal quantile (Abramowitz and Stegun,
    Handbook of mathematical functions, 1964, 26.7.5), within 0.5 % at 95 %. scipy.stats would take longer to import
    than a whole diagnosis takes.
    """
    if freedom == 1:
        return math.tan(math.pi / 2 * share)
    if freedom == 2:
        return share * math.sqrt(2 / (1 - share**2))
    z, n = NormalDist().inv_cdf((1 + share) / 2), freedom
    terms = (
        z,
        (z**3 + z) / (4 * n),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3),
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92_160 * n**4),
    )
    return sum(terms)
