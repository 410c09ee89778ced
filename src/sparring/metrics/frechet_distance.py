from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Metric, Through


@final
@dataclass(frozen=True)
class FrechetDistance(Metric):
    """How far apart real and generated features lie as two Gaussians, squared, in the features' own unit.

    |m - m'|^2 + tr(S + S' - 2 (S S')^(1/2)) of means and covariances. With few examples it is too large, for real data
    too: compare it at equal n only. Through Inception's features it is known as FID; through a judge's it is another
    number.
    """

    title: ClassVar[str] = "Fréchet distance"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    through: ClassVar[Through] = "features"
    source: ClassVar[str] = "Heusel et al., GANs trained by a two time-scale update rule, NeurIPS 2017, eq. 6"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "noise", "shift", "lost classes")

    def of(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        mean, covariance = real.mean(0), np.cov(real, rowvar=False).reshape(real.shape[1], -1)
        root = _root(covariance)
        return np.array([_apart(mean, covariance, root, member) for member in fake])


def _apart(mean: np.ndarray, covariance: np.ndarray, root: np.ndarray, fake: np.ndarray) -> float:
    theirs = np.cov(fake, rowvar=False).reshape(fake.shape[1], -1)
    # (S S')^(1/2) has the trace of (S^(1/2) S' S^(1/2))^(1/2), which is symmetric: no complex numbers on the way.
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(root @ theirs @ root), 0, None)).sum()
    apart = ((mean - fake.mean(0)) ** 2).sum() + np.trace(covariance) + np.trace(theirs) - 2 * shared
    return max(0.0, float(apart))


def _root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
