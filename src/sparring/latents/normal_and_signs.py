from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from sparring.latents import Latent, refuse_no_size

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.rng import RandomStreams


@final
@dataclass(frozen=True)
class NormalAndSigns(Latent):
    """Standard normal dimensions followed by random signs, -1 or 1 with equal probability.

    A generator is continuous: from a connected latent space it cannot reach separate modes without samples in between.
    With signs, the latent space has 2^signs disconnected pieces. Khayatkhoei et al., "Disconnected manifold learning
    for generative adversarial networks", NeurIPS 2018; normal pieces as in Gurumurthy et al., "DeLiGAN", CVPR 2017.
    """

    size: int = 6
    """Dimensions of a latent vector, signs included."""
    signs: int = 4
    """How many of the last dimensions are signs; all of them in a shorter vector."""

    def __post_init__(self) -> None:
        refuse_no_size(self.size)
        if self.signs < 0:
            raise ValueError(f"signs must be at least 0, not {self.signs}")

    def draw(self, rng: RandomStreams, purpose: str, count: int) -> Tensor:
        import torch

        signs = min(self.signs, self.size)
        normal = rng.normal(purpose, (count, self.size - signs))
        heads = rng.uniform(f"{purpose} signs", (count, signs)) < 1 / 2
        return torch.cat([normal, 2 * heads.to(normal.dtype) - 1], -1)
