"""Layers of class-conditional networks: a class embedding for G, a projection for D."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from sparring.networks.layers.spectral_norm import SpectralNorm


@final
class ClassEmbedding(nn.Module):
    """The first layer of a class-conditional generator: replaces the one-hot class by a learned vector.

    Input `(B, latent size + classes)`: latent vectors with one-hot classes appended. Output `(B, latent size + width)`,
    or `(B, latent size)` for a width of 0: then a class's vector is as long as the latent vector and is added to it.
    Mirza and Osindero, "Conditional generative adversarial nets", 2014, section 3.2.

    Args:
        latent: Size of the latent vector.
        classes: Number of classes, K.
        width: Size of a class's vector, or 0 to add it to the latent vector.
    """

    def __init__(self, latent: int, classes: int, width: int):
        super().__init__()
        self.latent, self.adds = latent, width == 0
        self.embed = nn.Linear(classes, width or latent, bias=False)
        # A one-hot input selects one row, so its scale is that of a latent vector and not of a sum over inputs.
        nn.init.normal_(self.embed.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.joined(x[..., : self.latent], self.embed(x[..., self.latent :]))

    def joined(self, latent: Tensor, embedding: Tensor) -> Tensor:
        """Latent vectors with the vectors of their classes appended or added."""
        return latent + embedding if self.adds else torch.cat([latent, embedding], -1)


@final
class Projection(nn.Module):
    """The last layer of a class-conditional discriminator: score = w . h + b + embed(class) . h.

    Features `(B, F)` and one-hot classes `(B, K)` -> scores `(B,)`. Miyato and Koyama, "cGANs with projection
    discriminator", ICLR 2018, eq. 3.

    Args:
        score: The last layer of the same network without classes, F -> 1. Where it has spectral normalization, the
            embedding gets it too, as in that paper.
        classes: Number of classes, K.
    """

    def __init__(self, score: nn.Linear | SpectralNorm, classes: int):
        super().__init__()
        self.score = score
        plain = score.layer if isinstance(score, SpectralNorm) else score
        embed = nn.Linear(classes, plain.weight.shape[1], bias=False)
        with torch.no_grad():
            # A one-hot input selects one row, which meets F features as w does, so it is initialized as large as w.
            nn.init.normal_(embed.weight).mul_(plain.weight.square().mean().sqrt())
        self.embed = SpectralNorm(embed, bias=False) if isinstance(score, SpectralNorm) else embed

    def forward(self, h: Tensor, classes: Tensor) -> Tensor:
        return self.score(h).squeeze(-1) + (self.embed(classes) * h).sum(-1)


@final
class Conditional(nn.Sequential):
    """A sequence whose last layer is a `Projection`: `(x, classes)` -> scores."""

    def forward(self, x: Tensor, classes: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        *body, end = self
        for layer in body:
            x = layer(x)
        return end(x, classes)
