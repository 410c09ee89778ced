"""The game that `auto` plays for images, as a learner would write it: two modules, two optimizers, one loop.

Relativistic pairs with R1 and R2 in every eighth round (Huang et al., NeurIPS 2024), batches of 32, Adam at 0.002 along
a cosine, and an average of G's weights. Of sparring it takes the two networks, so that both sides compute the same
convolutions.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

LATENT, BATCH, GAMMA, EVERY, HALF_LIFE = 64, 32, 3.0, 8, 500.0
LR, BETAS = 2e-3, (0.0, 0.99)


class Loop:
    """Both networks, and rounds of them.

    Args:
        images: `(N, C, H, W)` in [-1, 1].
        G: Latent vectors `(B, 64)` -> images.
        D: Images -> scores `(B,)`.
        rounds: After so many the learning rate is 0.
    """

    def __init__(self, images: Tensor, G: nn.Module, D: nn.Module, rounds: int):
        self.images, self.G, self.D, self.rounds, self.round = images, G, D, rounds, 0
        self.average = copy.deepcopy(G)
        self.opt_G = torch.optim.Adam(G.parameters(), lr=LR, betas=BETAS)
        self.opt_D = torch.optim.Adam(D.parameters(), lr=LR, betas=BETAS)

    def play(self) -> None:
        """One round."""
        for opt in (self.opt_D, self.opt_G):
            opt.param_groups[0]["lr"] = LR * (1 + math.cos(math.pi * self.round / self.rounds)) / 2
        penalized = self.round % EVERY == 0
        x = self.images[torch.randint(len(self.images), (BATCH,))]
        with torch.no_grad():
            made = self.G(torch.randn(BATCH, LATENT))
        self.opt_D.zero_grad()
        x.requires_grad_(penalized)
        made.requires_grad_(penalized)
        real, fake = self.D(x), self.D(made)
        loss = functional.softplus(fake - real).mean()
        if penalized:
            for scores, seen in ((real, x), (fake, made)):
                (slope,) = torch.autograd.grad(scores.sum(), seen, create_graph=True)
                loss = loss + EVERY * GAMMA / 2 * slope.flatten(1).square().sum(1).mean()
        loss.backward()
        self.opt_D.step()
        x = self.images[torch.randint(len(self.images), (BATCH,))]
        self.opt_G.zero_grad()
        fake = self.D(self.G(torch.randn(BATCH, LATENT)))
        functional.softplus(self.D(x) - fake).mean().backward()
        self.opt_G.step()
        decay = 2 ** (-1 / min(HALF_LIFE, 0.05 * (self.round + 1)))
        with torch.no_grad():
            for mean, weight in zip(self.average.parameters(), self.G.parameters(), strict=True):
                mean.lerp_(weight, 1 - decay)
        self.round += 1
