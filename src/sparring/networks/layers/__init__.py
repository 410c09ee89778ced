"""Layers that torch lacks, as plain modules. Each has a batched form in `layers.py`."""

from __future__ import annotations

from functools import cache
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

GROUP = 4
"""Examples over which the standard deviation is taken, as in StyleGAN's code."""


@final
class Residual(nn.Module):
    """y = main(x) + shortcut(x).

    He et al., "Deep residual learning for image recognition", CVPR 2016, eq. 1.
    """

    def __init__(self, main: nn.Module, shortcut: nn.Module | None = None):
        super().__init__()
        self.main = main
        self.shortcut = nn.Identity() if shortcut is None else shortcut

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x) + self.shortcut(x)


@final
class SpectralNorm(nn.Module):
    """A linear layer or convolution whose weight W is divided by its largest singular value, so that it is 1-Lipschitz.

    sigma = u^T W v, with u and v from one step of power iteration at each call, and no gradient through either; u is
    kept for the next call while training. A convolution's W is the matrix of (maps out, all else). Miyato et al.,
    "Spectral normalization for generative adversarial networks", ICLR 2018, eq. 8 and algorithm 1. The bias is not
    divided, so the layer is given without one and this one has it.
    """

    u: Tensor

    def __init__(self, layer: nn.Linear | nn.Conv2d, bias: bool = True):
        super().__init__()
        if layer.bias is not None:
            raise ValueError("a layer under spectral normalization has no bias of its own")
        self.layer = layer
        self.bias = nn.Parameter(torch.empty(len(layer.weight))) if bias else None
        self.register_buffer("u", torch.empty(len(layer.weight)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """A bias of 0 and a random u; the layer's weight is its own affair."""
        with torch.no_grad():
            self.u.copy_(functional.normalize(torch.randn_like(self.u), dim=0))
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        layer = self.layer
        sigma, u = largest_singular_value(layer.weight.flatten(1), self.u)
        if self.training:
            self.u.copy_(u)
        weight = layer.weight / sigma
        if isinstance(layer, nn.Linear):
            return functional.linear(x, weight, self.bias)
        return functional.conv2d(x, weight, self.bias, layer.stride, layer.padding, layer.dilation, layer.groups)


def largest_singular_value(weight: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Of matrices `(..., out, in)`, by a step of power iteration from u `(..., out)`: sigma `(...)` and the next u.

    Both vectors are made anew and never changed in place, so a graph that holds them may be walked back twice.
    """
    with torch.no_grad():
        v = functional.normalize((weight.mT @ u.unsqueeze(-1)).squeeze(-1), dim=-1)
    stretched = (weight @ v.unsqueeze(-1)).squeeze(-1)
    u = functional.normalize(stretched.detach(), dim=-1)
    return (u * stretched).sum(-1), u


@final
class MinibatchStandardDeviation(nn.Module):
    """One more feature map: how much the features of examples seen together differ, so that D sees a lack of variety.

    The standard deviation of each feature over GROUP examples (over all of them when GROUP does not divide the batch),
    averaged over features and places. `(B, C, H, W)` -> `(B, C + 1, H, W)`, and `(B, C)` -> `(B, C + 1)`.
    Karras et al., "Progressive growing of GANs for improved quality, stability, and variation", ICLR 2018, section 3.
    """

    def forward(self, x: Tensor) -> Tensor:
        return with_spread(x.unsqueeze(0)).squeeze(0)


def with_spread(x: Tensor) -> Tensor:
    """`MinibatchStandardDeviation` of P members: `(P, B, C, ...)` -> `(P, B, C + 1, ...)`."""
    members, batch = x.shape[:2]
    group = GROUP if batch % GROUP == 0 else batch
    grouped = x.unflatten(1, (group, batch // group))  # example k of a group lies at k, so groups mix the whole batch
    spread = (grouped.var(1, correction=0) + 1e-8).sqrt().flatten(2).mean(2)  # (P, B / group)
    spread = spread.repeat(1, group).view(members, batch, *([1] * (x.ndim - 2)))
    return torch.cat([x, spread.expand(*x.shape[:2], 1, *x.shape[3:])], 2)


@final
class Bilinear(nn.Module):
    """Square maps made twice as wide, or half, by weighing neighbors 3 to 1: `(..., S, S)` -> `(..., T, T)`.

    The filter is [1, 3, 3, 1] / 8 in either direction, with edges repeated; doubling is its transpose, which is what
    `nn.Upsample` calls bilinear. Written as two matrix products, Y = A X A^T: on a CPU half of that module's time, and
    on any device the same to the last bit at every call.
    """

    def __init__(self, before: int, after: int):
        super().__init__()
        if max(before, after) != 2 * min(before, after):
            raise ValueError(f"{before} is neither half nor twice {after}")
        self.before, self.after = before, after

    def forward(self, x: Tensor) -> Tensor:
        A = _bilinear(self.before, self.after, x.dtype, x.device)
        return A @ (x @ A.mT)


@cache
def _bilinear(before: int, after: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    small, large = sorted((before, after))
    A = torch.zeros(small, large, dtype=dtype)
    for row in range(small):
        for weight, column in zip((1, 3, 3, 1), range(2 * row - 1, 2 * row + 3), strict=True):
            A[row, min(max(column, 0), large - 1)] += weight / 8
    return (A if after == small else 2 * A.mT).contiguous().to(device)


@final
class GenerativeBasis(nn.Module):
    """Where a generator's maps begin: each is a learnt picture, as strong as a number says. `(B, C)` -> `(B, C, S, S)`.

    Huang et al., "The GAN is dead; long live the GAN!", NeurIPS 2024 (R3GAN), and its authors' code.
    """

    def __init__(self, features: int, side: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(features, side, side))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Standard normal, so that a map's numbers are as large as the one they are multiplied with."""
        nn.init.normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x[..., None, None] * self.weight


@final
class DiscriminativeBasis(nn.Module):
    """Where a discriminator's maps end: how much of a learnt picture is in each. `(B, C, S, S)` -> `(B, C)`.

    The mirror of `GenerativeBasis`, from the same source.
    """

    def __init__(self, features: int, side: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(features, side, side))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal with SD 1 / S, for a sum over S x S places."""
        nn.init.normal_(self.weight, std=1 / self.weight.shape[-1])

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight).sum((-2, -1))


@final
class ClassEmbedding(nn.Module):
    """The front of a generator that is told a class: one-hot classes behind a latent vector become learnt numbers.

    `(B, latent size + classes)` -> `(B, latent size + width)`, or, of a width of 0, `(B, latent size)`: then a class's
    numbers are as many as the latent vector's and are added to it. Mirza and Osindero, "Conditional generative
    adversarial nets", 2014, section 3.2.
    """

    def __init__(self, latent: int, classes: int, width: int):
        super().__init__()
        self.latent, self.adds = latent, width == 0
        self.embed = nn.Linear(classes, width or latent, bias=False)
        # One row answers one class, so its scale is a latent number's, not one that sums over inputs.
        nn.init.normal_(self.embed.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.joined(x[..., : self.latent], self.embed(x[..., self.latent :]))

    def joined(self, latent: Tensor, told: Tensor) -> Tensor:
        """Latent vectors with their class's numbers."""
        return latent + told if self.adds else torch.cat([latent, told], -1)


@final
class Projection(nn.Module):
    """The end of a discriminator that is told a class: score = w . h + b + embed(class) . h.

    Features `(B, F)` and one-hot classes `(B, K)` -> scores `(B,)`. Miyato and Koyama, "cGANs with projection
    discriminator", ICLR 2018, eq. 3. `score` is the end of one that is not told, F -> 1; where it is normalized, so
    is the embedding, as in that paper.
    """

    def __init__(self, score: nn.Linear | SpectralNorm, classes: int):
        super().__init__()
        self.score = score
        plain = score.layer if isinstance(score, SpectralNorm) else score
        embed = nn.Linear(classes, plain.weight.shape[1], bias=False)
        with torch.no_grad():
            # One row answers one class and meets F features as w does, so it is drawn as strong as w.
            nn.init.normal_(embed.weight).mul_(plain.weight.square().mean().sqrt())
        self.embed = SpectralNorm(embed, bias=False) if isinstance(score, SpectralNorm) else embed

    def forward(self, h: Tensor, classes: Tensor) -> Tensor:
        return self.score(h).squeeze(-1) + (self.embed(classes) * h).sum(-1)


@final
class Conditional(nn.Sequential):
    """A chain whose last layer is a `Projection`: `(x, classes)` -> scores."""

    def forward(self, x: Tensor, classes: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        *body, end = self
        for layer in body:
            x = layer(x)
        return end(x, classes)


@final
class Flattened(nn.Module):
    """A network told classes, its scores `(B, 1)` made `(B,)`."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, classes: Tensor) -> Tensor:
        return self.network(x, classes).flatten(0)
