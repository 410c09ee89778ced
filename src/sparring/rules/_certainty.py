"""A metric with its 95 % interval: whether it is in its healthy range for certain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparring.rules._ranges import Range

CONFIDENCE = 1.96
"""Standard errors on either side of a value within which it lies with a confidence of 95 %."""


@dataclass(frozen=True)
class Certainty:
    """One metric of the samples of each member."""

    name: str
    values: np.ndarray
    """`(P,)`."""
    error: np.ndarray
    """Standard error of each value that comes from how few samples there were, `(P,)`."""
    healthy: Range

    @property
    def low(self) -> np.ndarray:
        """The lower end of the interval, `(P,)`."""
        return np.maximum(self.values - CONFIDENCE * self.error, 0.0)

    @property
    def high(self) -> np.ndarray:
        """The upper end, `(P,)`."""
        return self.values + CONFIDENCE * self.error

    @property
    def holds(self) -> np.ndarray:
        """Members whose value is in the range, bool `(P,)`."""
        return self.healthy.contains(self.values)

    @property
    def is_sure(self) -> np.ndarray:
        """Members whose whole interval is in the range, bool `(P,)`."""
        return self.healthy.contains(self.low) & self.healthy.contains(self.high)


def error_of_share(share: np.ndarray, count: int) -> np.ndarray:
    """The standard error of shares p of `count` examples, sqrt(p (1 - p) / n), `(P,)`."""
    share = np.clip(share, 0.0, 1.0)
    return np.sqrt(share * (1 - share) / max(1, count))
