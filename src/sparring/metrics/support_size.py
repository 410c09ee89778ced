from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Metric, Through

PAIRS = 10
"""Real pairs that are taken to show the same thing: few, and enough not to hang on one."""


@final
@dataclass(frozen=True)
class SupportSize(Metric):
    """About how many different examples there are, judged as birthdays are: pairs over pairs that show the same.

    Two show the same when they are at least as near as the ten nearest pairs of as many real examples. So n examples
    can tell a support of up to n^2 / 2, and real data scores about n^2 / 20, however large it is: read it beside that.
    """

    title: ClassVar[str] = "support size"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (1.0, float("inf"))
    through: ClassVar[Through] = "pixels"
    source: ClassVar[str] = "after the birthday paradox test of Arora, Risteski and Zhang, ICLR 2018"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse",)

    def of(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        from scipy.spatial.distance import pdist

        apart = pdist(real)
        share = PAIRS / len(apart)
        same = np.quantile(apart, share)
        return np.array([_pairs(fake.shape[1]) / max(1, (pdist(member) <= same).sum()) for member in fake])


def _pairs(count: int) -> float:
    return count * (count - 1) / 2
