"""Directions along which features of examples vary: principal components, carried back to the latent space."""

from __future__ import annotations

import torch
from torch import Tensor

from sparring.analysis.latent_tools.directions.sensitivity import Directions, signed

RIDGE = 1e-6
"""Added to the covariance of latent vectors, times its mean variance, so that constant dimensions do no harm."""


def feature_components(z: Tensor, features: Tensor, count: int) -> Directions:
    """The latent directions that go with the principal components of features.

    With component scores s = (f - mean f) u, for each unit eigenvector u of the covariance, the direction is the
    least-squares slope of s on z: cov(z)^-1 cov(z, s). For normal z that is the mean gradient of s (C. Stein, 1981). E.
    Härkönen et al., "GANSpace: discovering interpretable GAN controls", NeurIPS 2020, find directions so for BigGAN.

    Args:
        z: Latent vectors, `(N, size)`, N well above size.
        features: Of the examples made of them, `(N, F)`.
        count: How many directions.

    Returns:
        Unit vectors, in the order of the components' variance; their strength is the share of that variance that a
        linear function of z explains, from 0 to 1. Fewer where components have no variance.
    """
    centered = (features - features.mean(0)).double()
    scores, values, _ = torch.linalg.svd(centered, full_matrices=False)
    moving = int((values > 1e-6 * values[:1].clamp(min=1e-12)).sum())
    scores = scores[:, : min(count, moving)]
    slopes = slope(z, scores)
    explained = ((z - z.mean(0)).double() @ slopes).square().sum(0) / scores.square().sum(0).clamp(min=1e-12)
    lengths = slopes.norm(dim=0)
    kept = lengths > 0
    vectors = (slopes[:, kept] / lengths[kept]).T
    return Directions(signed(vectors).to(z.dtype), explained[kept].clamp(0, 1).to(z.dtype))


def slope(z: Tensor, targets: Tensor) -> Tensor:
    """Least-squares slopes of targets `(N, K)` on z `(N, size)`, float64 `(size, K)`."""
    x = (z - z.mean(0)).double()
    covariance = x.T @ x / len(x)
    ridge = RIDGE * covariance.diagonal().mean().clamp(min=1e-12)
    return torch.linalg.solve(
        covariance + ridge * torch.eye(len(covariance), dtype=x.dtype),
        x.T @ (targets - targets.mean(0)).double() / len(x),
    )
