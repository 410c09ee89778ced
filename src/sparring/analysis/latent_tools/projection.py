"""Projection: the latent vector whose example is nearest to a given image, and what that says of memorization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sparring.optimizers import Adam

Generator = Callable[[Tensor], Tensor]
"""Latent vectors `(B, size)` -> examples `(B, *shape)` in data units, which torch can differentiate."""

STEPS, LR = 200, 0.1
"""Of Adam."""
BETAS = (0.9, 0.99)
FEATURE_WEIGHT = 0.3
"""Weight of the features' error beside that of the pixels, each over its variance among the images."""
AT_ONCE = 512
"""Latent vectors that are optimized at a time."""
RESAMPLES = 4_000
"""Bootstrap samples behind an interval."""


class Projection(NamedTuple):
    """The best of several restarts, for N images."""

    z: Tensor
    """`(N, size)`."""
    examples: Tensor
    """What the generator makes of them, `(N, *shape)`."""
    error: Tensor
    """Root-mean-square difference from the images, in data units, `(N,)`."""
    spread: Tensor
    """Standard deviation of that error over the restarts: whether they found the same, `(N,)`."""


def project(
    G: Generator,
    images: Tensor,
    starts: Tensor,
    features: Callable[[Tensor], Tensor] | None = None,
    bounds: tuple[float, float] | None = None,
    free: Tensor | None = None,
    steps: int = STEPS,
    on_step: Callable[[float], None] | None = None,
) -> Projection:
    """Search latent vectors whose examples are nearest to images.

    All restarts of all images are optimized side by side, by Adam, for the squared error of pixels plus FEATURE_WEIGHT
    times that of features, each divided by its variance over pixels or features. Vectors keep the length that they
    started with, where latent vectors of that distribution are: elsewhere a generator can imitate almost anything.

    Args:
        G: The generator.
        images: `(N, *shape)` in data units.
        starts: Latent vectors to start from, `(R, N, size)` or `(R, 1, size)`.
        features: Examples -> `(B, F)`, differentiable; none for pixels alone.
        bounds: Between which values each number stays, for a bounded distribution, instead of the length.
        free: Which numbers of a vector may change, bool `(size,)`; all if None. Signs and one-hot classes may not.
        steps: Of Adam.
        on_step: Called after every step with the share of the search that it was.

    Returns:
        For each image the restart that ended with the smallest loss.
    """
    restarts, count = len(starts), len(images)
    z = starts.expand(restarts, count, starts.shape[-1]).reshape(restarts * count, -1)
    targets = images.repeat(restarts, *[1] * (images.dim() - 1))
    parts: list[tuple[Tensor, Tensor]] = []
    for x, target in zip(z.split(AT_ONCE), targets.split(AT_ONCE), strict=True):
        share = len(x) / len(z) / steps
        after = None if on_step is None else partial(on_step, share)
        parts.append(_searched(G, x, target, features, (bounds, free), steps, after))
    found, losses = (torch.cat(kind) for kind in zip(*parts, strict=True))
    with torch.no_grad():
        made = torch.cat([G(part) for part in found.split(AT_ONCE)])
    errors = (made - targets).flatten(1).square().mean(1).sqrt().reshape(restarts, count)
    best, at = losses.reshape(restarts, count).argmin(0), torch.arange(count)
    spread = errors.std(0) if restarts > 1 else torch.zeros(count)
    return Projection(
        found.reshape(restarts, count, -1)[best, at],
        made.reshape(restarts, count, *images.shape[1:])[best, at],
        errors[best, at],
        spread,
    )


def _searched(
    G: Generator,
    z: Tensor,
    targets: Tensor,
    features: Callable[[Tensor], Tensor] | None,
    limits: tuple[tuple[float, float] | None, Tensor | None],
    steps: int,
    on_step: Callable[[], None] | None,
) -> tuple[Tensor, Tensor]:
    """The vectors after the search, and their losses, `(B,)`."""
    bounds, free = limits
    may = torch.ones(z.shape[1], dtype=torch.bool) if free is None else free
    x, length = z.clone().requires_grad_(True), z[:, may].norm(dim=1, keepdim=True)
    memory = Adam(betas=BETAS).begin([x])
    pixel_scale = targets.var().clamp(min=1e-6)
    with torch.no_grad():
        wanted = features(targets) if features is not None else None
        feature_scale = wanted.var().clamp(min=1e-6) if wanted is not None else None

    def losses() -> Tensor:
        made = G(x)
        loss = (made - targets).flatten(1).square().mean(1) / pixel_scale
        if features is not None and wanted is not None and feature_scale is not None:
            loss = loss + FEATURE_WEIGHT * (features(made) - wanted).square().mean(1) / feature_scale
        return loss

    for step in range(steps):
        gradients = torch.autograd.grad(losses().sum(), x)
        Adam(lr=LR * (1 - step / steps), betas=BETAS).step([x], gradients, memory)
        with torch.no_grad():
            moved = x[:, may]
            if bounds is not None:
                moved = moved.clamp(*bounds)
            else:
                moved = moved * (length / moved.norm(dim=1, keepdim=True).clamp(min=1e-12))
            x.copy_(z)
            x[:, may] = moved
        if on_step is not None:
            on_step()
    with torch.no_grad():
        return x.detach(), losses()


@dataclass(frozen=True)
class Memorization:
    """Whether training images can be projected better than images that the generator was not trained on."""

    training: float
    """Mean error of projected training images, in data units."""
    held_out: float
    """The same of held-out images."""
    ratio: float
    """Held-out over training error: 1 where it is as easy to find either."""
    low: float
    high: float
    """The ends of its 95 % interval, over which images were taken."""
    n: int
    """Images of each kind."""

    @property
    def says(self) -> str:
        """In words."""
        if self.low > 1:
            return "training images are found more easily than held-out ones: a sign of memorization"
        if self.high < 1:
            return "held-out images are found more easily than training ones"
        return "no difference between training and held-out images"


def memorization(training: np.ndarray, held_out: np.ndarray) -> Memorization:
    """Compare projection errors, `(N,)` and `(M,)`, by the ratio of their means with a bootstrap interval."""
    rng = np.random.default_rng(0)

    def means(errors: np.ndarray) -> np.ndarray:
        return errors[rng.integers(len(errors), size=(RESAMPLES, len(errors)))].mean(1)

    low, high = np.quantile(means(held_out) / np.maximum(means(training), 1e-12), [0.025, 0.975])
    of_training, of_held_out = float(training.mean()), float(held_out.mean())
    ratio = of_held_out / max(of_training, 1e-12)
    return Memorization(of_training, of_held_out, ratio, float(low), float(high), min(len(training), len(held_out)))
