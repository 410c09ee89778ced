from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space


@final
@dataclass(frozen=True)
class FrechetDistance(Metric):
    """Squared Fréchet distance between Gaussians fitted to real and to generated features, in the features' unit.

    |m - m'|^2 + tr(S + S' - 2 (S S')^(1/2)) of means and covariances. With few examples it is too large, for real data
    too: compare it at equal n only. With Inception's features it is FID; with another judge's it is another number.
    """

    title: ClassVar[str] = "Fréchet distance"
    better: ClassVar[Better] = "lower"
    unit: ClassVar[str] = "to real features, lower is better"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    healthy: ClassVar[Healthy] = Healthy(
        max_above=5.0, max_spread=0.125, why="with a judge's features: an eighth of the variance of real ones"
    )
    space: ClassVar[Space] = "features"
    source: ClassVar[str] = "Heusel et al., GANs trained by a two time-scale update rule, NeurIPS 2017, eq. 6"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "noise", "shift", "lost classes")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 10
    headline: ClassVar[bool] = True
    distance: ClassVar[bool] = True

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        if max(len(real), fake.shape[1]) < real.shape[1]:
            return np.array([_distance_from_examples(real, member) for member in fake])
        mean, covariance = real.mean(0), np.cov(real, rowvar=False).reshape(real.shape[1], -1)
        root = _root(covariance)
        return np.array([_distance(mean, covariance, root, member) for member in fake])

    def spread(self, real: np.ndarray) -> float:
        return float(real.var(0, ddof=1, dtype=np.float64).sum())


def _distance(mean: np.ndarray, covariance: np.ndarray, root: np.ndarray, fake: np.ndarray) -> float:
    theirs = np.cov(fake, rowvar=False).reshape(fake.shape[1], -1)
    # (S S')^(1/2) has the trace of (S^(1/2) S' S^(1/2))^(1/2), which is symmetric: no complex numbers on the way.
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(root @ theirs @ root), 0, None)).sum()
    apart = ((mean - fake.mean(0)) ** 2).sum() + np.trace(covariance) + np.trace(theirs) - 2 * shared
    return max(0.0, float(apart))


def _distance_from_examples(real: np.ndarray, fake: np.ndarray) -> float:
    """The same from n x n products, for more features than examples, as Inception has: no D x D matrix.

    With S = X'X and S' = Y'Y of centered examples, the roots of the eigenvalues of S S' are the singular values of
    X Y'.
    """
    x, y = ((e - e.mean(0)) / np.sqrt(len(e) - 1) for e in (real, fake))
    shared = np.linalg.svd(x @ y.T, compute_uv=False).sum()
    apart = ((real.mean(0) - fake.mean(0)) ** 2).sum() + (x**2).sum() + (y**2).sum() - 2 * shared
    return max(0.0, float(apart))


def _root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
