"""The recipe `ring` as one flat script of plain PyTorch: a relativistic GAN with R1, R2, and averaged weights.

Huang et al., "The GAN is dead; long live the GAN!", NeurIPS 2024. `sparring train ring` computes the same numbers for
many seeds at once (tests/laws/test_from_scratch.py).
"""

import copy
import math
import sys

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

ROUNDS, BATCH, LR, GAMMA, HALF_LIFE = 6_000, 128, 3e-3, 0.01, 700
ANGLES = torch.arange(8) * math.pi / 4


def network(inputs: int, outputs: int) -> nn.Sequential:
    hidden = [layer for width in (inputs, 128, 128) for layer in (nn.Linear(width, 128), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(128, outputs))


def real() -> Tensor:
    """Eight Gaussians on a circle, (B, 2)."""
    centers = torch.stack([ANGLES.cos(), ANGLES.sin()], 1)
    return centers[torch.randint(8, (BATCH,))] + 0.01 * torch.randn(BATCH, 2)


def latent() -> Tensor:
    """Two normal numbers and four signs, (B, 6): a latent space in several pieces, for data in several pieces."""
    return torch.cat([torch.randn(BATCH, 2), 2.0 * torch.randint(2, (BATCH, 4)) - 1], 1)


def squared_slope(score: Tensor, x: Tensor) -> Tensor:
    """||dD/dx||^2 for each example, (B,): the penalty differentiates it once more."""
    return torch.autograd.grad(score.sum(), x, create_graph=True)[0].square().sum(1)


def train(G: nn.Module, D: nn.Module, rounds: int = ROUNDS, report: int = 1_000) -> nn.Module:
    """Train for `rounds` rounds. Returns the generator with averaged weights, which is the one to sample from."""
    averaged = copy.deepcopy(G)
    opt_G, opt_D = (torch.optim.Adam(net.parameters(), betas=(0.0, 0.99)) for net in (G, D))
    for t in range(rounds):
        cosine = (1 + math.cos(math.pi * t / rounds)) / 2  # falls from 1 to 0
        gamma = GAMMA * (1e-4 + (1 - 1e-4) * cosine)
        for opt in (opt_G, opt_D):
            opt.param_groups[0]["lr"] = LR * cosine

        x, fake = real().requires_grad_(), G(latent()).detach().requires_grad_()
        d_real, d_fake = D(x).flatten(), D(fake).flatten()
        penalty = gamma / 2 * (squared_slope(d_real, x) + squared_slope(d_fake, fake)).mean()  # R1 + R2
        d_loss = softplus(d_fake - d_real).mean()  # eq. 2: each fake is compared with a real example
        opt_D.zero_grad()
        (d_loss + penalty).backward()
        opt_D.step()

        d_fake = D(G(latent())).flatten()
        with torch.no_grad():
            d_real = D(real()).flatten()
        g_loss = softplus(d_real - d_fake).mean()
        opt_G.zero_grad()
        g_loss.backward()
        opt_G.step()

        half_life = min(HALF_LIFE, 0.05 * t)  # early on, forget the first weights soon
        decay = 2 ** (-1 / half_life) if half_life else 0.0
        for mean, weight in zip(averaged.parameters(), G.parameters(), strict=True):
            mean.data.lerp_(weight.data, 1 - decay)
        if report and (t + 1) % report == 0:
            print(f"round {t + 1:,}: D's loss {d_loss:.3f} (ln 2 = 0.693 at equilibrium), G's loss {g_loss:.3f}")
    return averaged


if __name__ == "__main__":
    G = train(network(6, 2), network(2, 1), int(sys.argv[1]) if sys.argv[1:] else ROUNDS)
    nearest = torch.cdist(G(latent()), torch.stack([ANGLES.cos(), ANGLES.sin()], 1)).min(1)
    good = nearest.values < 0.03
    print(f"{good.float().mean():.0%} of samples within three standard deviations of a mode, "
          f"{len(nearest.indices[good].unique())} of 8 modes")  # fmt: skip
