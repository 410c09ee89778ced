"""Directions that make one class more likely, by what a judge sees in samples."""

from __future__ import annotations

import torch
from torch import Tensor

from sparring.analysis.latent_tools.directions.features import slope
from sparring.analysis.latent_tools.directions.sensitivity import Directions

MIN_SHARE = 0.01
"""Of samples, in a class, below which no direction is drawn to it."""


def class_directions(z: Tensor, probabilities: Tensor) -> tuple[Directions, list[int]]:
    """For each class, the direction along which its probability grows.

    The least-squares slope of p(class | G(z)) on z: the normal of the plane that separates the class from the others
    best in squared error. Y. Shen et al., "Interpreting the latent space of GANs for semantic face editing"
    (InterFaceGAN), CVPR 2020, find such planes with a support-vector machine.

    Args:
        z: Latent vectors, `(N, size)`.
        probabilities: Of the classes by the judge, `(N, K)`.

    Returns:
        A unit vector for each class that at least MIN_SHARE of samples are in; strength is the share of the
        probability's variance that it explains. And the classes themselves, the best explained first.
    """
    sizes = torch.bincount(probabilities.argmax(1), minlength=probabilities.shape[1]) / len(z)
    classes = [k for k in range(probabilities.shape[1]) if MIN_SHARE <= float(sizes[k]) < 1]
    if not classes:
        return Directions(z.new_zeros(0, z.shape[1]), z.new_zeros(0)), []
    targets = probabilities[:, classes]
    slopes = slope(z, targets)
    along = (z - z.mean(0)).double() @ slopes
    spread = (targets - targets.mean(0)).double().square().sum(0).clamp(min=1e-12)
    explained = (along.square().sum(0) / spread).clamp(0, 1)
    order = explained.argsort(descending=True).tolist()
    vectors = (slopes / slopes.norm(dim=0).clamp(min=1e-12)).T
    return Directions(vectors[order].to(z.dtype), explained[order].to(z.dtype)), [classes[k] for k in order]
