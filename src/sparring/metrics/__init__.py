"""How good generated examples are, as numbers. A metric compares real with generated examples, member by member.

A metric sees arrays and knows nothing of runs or judges; it states which space it is computed in and everything that
others need to know of it: title, unit, direction, range, healthy range, and whether it is quick enough to be evaluated
during training. Adding a metric is adding one file. No single number tells quality: each metric names in `catches` the
faults that it is sure to show, and is blind to others. Importing a metric loads no torch.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal, final

import numpy as np

from sparring import catalogue
from sparring.errors import UsageError

Space = Literal["features", "classes", "judged", "agreement", "pixels", "coordinates", "examples"]
"""What a metric is computed from. `features` and `classes` (probabilities) come from a judge, and so do `judged` (the
number of the likeliest class, then the features) and `agreement`: 1 where it takes an example for the class that G was
asked for, or that a real one has, else 0. `pixels` are an example's own numbers as one flat vector; `coordinates` are
the same, of data whose modes are known points; `examples` keep their shape."""
Better = Literal["lower", "higher", "as-real"]
"""`as-real`: the nearer to what real data scores, the better; both less and more are worse."""
Fault = Literal[
    "collapse",
    "noise",
    "shift",
    "lost classes",
    "ignored classes",
    "copying",
    "average",
    "checkerboard",
    "blur",
    "colors",
    "fixed pattern",
]


@dataclass(frozen=True)
class Healthy:
    """The values of a metric that are healthy, stated relative to what real data scores in the same run."""

    min_ratio: float = -math.inf
    """At least this many times what real data scores."""
    max_ratio: float = math.inf
    """At most this many times what real data scores."""
    max_above: float = math.inf
    """At most this much more than what real data scores, in the metric's unit."""
    max_spread: float = math.inf
    """At most this share of `Metric.spread` more than what real data scores; where that is known, `max_above` does not
    count."""
    why: str = ""
    """What the range means, in a few words."""

    def ends(self, real: float, spread: float | None = None) -> tuple[float, float]:
        """The lowest and the highest healthy value where real data scores `real` and, if known, has this spread."""
        low = self.min_ratio * real if math.isfinite(self.min_ratio) else -math.inf
        high = self.max_ratio * real if math.isfinite(self.max_ratio) else math.inf
        known = spread is not None and math.isfinite(spread) and math.isfinite(self.max_spread)
        above = self.max_spread * spread if known and spread is not None else self.max_above
        return low, min(high, real + above)


class Metric(ABC):
    """Leaves are final frozen dataclasses."""

    title: ClassVar[str]
    """In full, for tables."""
    short: ClassVar[str] = ""
    """For panels and the terminal; the title where it is empty."""
    unit: ClassVar[str]
    """What its values are, in a few words for the axis of a plot."""
    better: ClassVar[Better]
    range: ClassVar[tuple[float, float]]
    """The smallest and the largest value that it can have."""
    healthy: ClassVar[Healthy]
    """Beyond this range samples are called bad."""
    of_rows: ClassVar[Healthy | None] = None
    """Of tables and signals, in place of `healthy`."""
    variety: ClassVar[Healthy | None] = None
    """Of metrics that show mode collapse: beyond this range samples lack variety."""
    space: ClassVar[Space]
    source: ClassVar[str]
    """The paper and the equation it comes from."""
    catches: ClassVar[tuple[Fault, ...]]
    """Faults under which it is worse than it is for real data: what the contract tests check."""

    quick: ClassVar[bool] = False
    """Whether it is cheap enough to be evaluated during training: milliseconds for 256 examples."""
    rank: ClassVar[int] = 1_000
    """Its place in tables and panels, smallest first."""
    headline: ClassVar[bool] = False
    """Whether it is among those shown where there is room for four."""
    linear: ClassVar[bool] = False
    """Whether it is a count or a share, for which a logarithmic axis would mislead."""
    relative: ClassVar[bool] = False
    """Whether what is reported is `ratio` to what held-out real examples score, so that real data scores 1."""
    all_training: ClassVar[bool] = False
    """Whether `real` is all of the training data, or as much of it as there is room for, not as many examples as there
    are generated ones."""
    demanding: ClassVar[bool] = False
    """Whether only the best samples are within its healthy range: those beyond are not like the data, but not bad."""
    share: ClassVar[bool] = False
    """Whether it is a share of the examples, whose standard error follows from how many there are."""
    distance: ClassVar[bool] = False
    """Whether it is a distance from the data: evaluations state the standard error that comes from few samples."""
    searches: ClassVar[bool] = False
    """Whether it searches the training examples for those that lie nearest: the more of them, the better."""
    max_real: ClassVar[float] = math.inf
    """Real data scores at most this; where it does not, the metric says too little of such data and is left out."""
    min_real: ClassVar[float] = -math.inf
    """Real data scores at least this; where it does not, the metric says nothing of such data and is left out."""
    single_precision: ClassVar[bool] = False
    """Whether it is computed in float32: large sets of examples are then not copied."""
    min_examples: ClassVar[int] = 16
    """The fewest examples on either side: below, neighbors and covariances mean nothing."""

    @final
    def __call__(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        """Score every member.

        Args:
            real: Real examples in this metric's space, `(N, D)`; `(N, *shape)` for the space `examples`.
            fake: Generated examples of P members, `(P, n, D)` or `(P, n, *shape)`.

        Returns:
            One value for each member, float64 `(P,)`; NaN for a member with a non-finite number among its examples.

        Raises:
            UsageError: The shapes do not fit, there are fewer than `min_examples`, or `real` is not finite.
        """
        self._check(real, fake)
        finite = np.isfinite(fake.reshape(len(fake), -1)).all(1)
        values = np.full(len(fake), np.nan)
        if finite.any():
            precision = np.float32 if self.single_precision else np.float64
            values[finite] = self.compute(
                real.astype(precision, copy=False), fake[finite].astype(precision, copy=False)
            )
        return values

    @classmethod
    def healthy_of(cls, rows: bool) -> Healthy:
        """The healthy range, of tables and signals if `rows`."""
        return cls.of_rows if rows and cls.of_rows is not None else cls.healthy

    @abstractmethod
    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        """What `__call__` returns, for arrays that are known to fit and to be finite."""

    def spread(self, real: np.ndarray) -> float:
        """Of a distance: how far real examples `(N, D)` are from their own mean, in its unit; NaN for other metrics."""
        return float("nan")

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether it can be computed for examples of this shape."""
        return True

    def leave_one_out(self, real: np.ndarray, count: int) -> float:
        """What the first `count` real examples themselves score, each compared with the others only."""
        return float(self(real, real[None, :count])[0])

    def ratio(self, values: np.ndarray, real: float) -> np.ndarray:
        """What a `relative` metric reports of values `(P,)`, given what held-out real examples score."""
        return values / real

    @final
    def reported(self, values: np.ndarray, real: float) -> np.ndarray:
        """What is reported of values `(P,)`: the ratios of a relative metric, of any other the values."""
        return self.ratio(values, real) if self.relative else values

    @final
    def _check(self, real: np.ndarray, fake: np.ndarray) -> None:
        flat = self.space != "examples"
        if (flat and (real.ndim != 2 or fake.ndim != 3)) or real.shape[1:] != fake.shape[2:]:
            shapes = f"{real.shape} and {fake.shape}"
            raise UsageError(f"a metric takes real examples (N, D) and generated ones (P, n, D), not {shapes}")
        if min(len(real), fake.shape[1]) < self.min_examples:
            counts = f"{len(real)} and {fake.shape[1]}"
            raise UsageError(f"{self.title} takes at least {self.min_examples} examples on either side, not {counts}")
        if not np.isfinite(real).all():
            raise UsageError("some of the real examples have values that are not finite")


MIN_EXAMPLES = Metric.min_examples


@cache
def all_metrics() -> Mapping[str, type[Metric]]:
    """Every metric class by its catalogue name, in the order in which they are shown."""
    found = {name: catalogue.find("metrics", name) for name in catalogue.entries("metrics")}
    return dict(sorted(found.items(), key=lambda item: item[1].rank))


def __getattr__(name: str) -> Any:
    return catalogue.exported(__name__, name)


def __dir__() -> list[str]:
    return catalogue.exports(__name__)
