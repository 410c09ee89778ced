"""How good generated examples are, as numbers. A leaf is one number: (real, fake) -> one figure for each member.

Nothing here knows of runs or judges: a metric sees arrays, and says through what they should have been looked at.
No single number tells quality. Each leaf names in `catches` the faults that it is sure to show; to others it is blind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, final

import numpy as np

from sparring.errors import UsageError

Through = Literal["features", "classes", "pixels", "coordinates"]
"""`features` and `classes` (probabilities) are a judge's; `pixels` are an example's own numbers; `coordinates` too, of
data whose modes are known points."""
Better = Literal["lower", "higher"]
Fault = Literal["collapse", "noise", "shift", "lost classes", "copying"]


class Metric(ABC):
    """Leaves are final frozen dataclasses."""

    title: ClassVar[str]
    better: ClassVar[Better]
    range: ClassVar[tuple[float, float]]
    """Smallest and largest value it can have, in the unit that the leaf's docstring names."""
    through: ClassVar[Through]
    source: ClassVar[str]
    """The paper and the equation it comes from."""
    catches: ClassVar[tuple[Fault, ...]]
    """Faults under which it is worse than it is for real data: what the contract tests hold it to."""
    whole: ClassVar[bool] = False
    """Whether `real` is to be all of the training data, not as many examples as there are generated ones."""

    @final
    def __call__(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        """Real examples `(N, D)`, generated ones `(P, n, D)` -> one number a member, float64 `(P,)`.

        A member with a number that is not finite among its examples has NaN: it is to be counted, not dropped.
        Raises UsageError for arrays of other shapes, or of fewer than SMALLEST examples.
        """
        _check(real, fake)
        sound = np.isfinite(fake).all((1, 2))
        figures = np.full(len(fake), np.nan)
        if sound.any():
            # All of the training data is not held twice, and its metrics do with less.
            exact = np.float32 if self.whole else np.float64
            figures[sound] = self.of(real.astype(exact, copy=False), fake[sound].astype(exact, copy=False))
        return figures

    @abstractmethod
    def of(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        """The same for arrays that are known to be finite: float64, or float32 for metrics that want the `whole`."""


SMALLEST = 16
"""Fewest examples on either side: below, neighbors and covariances mean nothing."""


def _check(real: np.ndarray, fake: np.ndarray) -> None:
    if real.ndim != 2 or fake.ndim != 3 or real.shape[-1] != fake.shape[-1]:
        raise UsageError(f"a metric takes real (N, D) and generated (P, n, D), not {real.shape} and {fake.shape}")
    if len(real) < SMALLEST or fake.shape[1] < SMALLEST:
        raise UsageError(f"a metric takes at least {SMALLEST} examples, not {len(real)} and {fake.shape[1]}")
    if not np.isfinite(real).all():
        raise UsageError("the real examples hold numbers that are not finite")
