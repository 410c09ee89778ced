from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Metric, Through
from sparring.metrics._neighbors import parts


@final
@dataclass(frozen=True)
class KernelDistance(Metric):
    """Squared maximum mean discrepancy of features under a cubic polynomial kernel, without bias.

    The kernel is (x.y / D + 1)^3. What real data scores lies around 0, and a little below as often as above, at every
    n. Through Inception's features it is known as KID.
    """

    title: ClassVar[str] = "kernel distance"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (-float("inf"), float("inf"))
    through: ClassVar[Through] = "features"
    source: ClassVar[str] = "Binkowski et al., Demystifying MMD GANs, ICLR 2018: the kernel inception distance"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "noise", "shift", "lost classes")

    def of(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        within = _among_themselves(real)
        return np.array([within + _among_themselves(f) - 2 * _sum(real, f) / (len(real) * len(f)) for f in fake])


def _among_themselves(x: np.ndarray) -> float:
    """Mean kernel of two different examples."""
    own = ((x * x).sum(1) / x.shape[1] + 1) ** 3
    return float((_sum(x, x) - own.sum()) / (len(x) * (len(x) - 1)))


def _sum(x: np.ndarray, y: np.ndarray) -> float:
    """Of the kernel over all pairs."""
    return float(sum(((x[part] @ y.T / x.shape[1] + 1) ** 3).sum() for part in parts(len(x), len(y))))
