"""All sound loops by name."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from loops_third import kinds, orders
from loops_third.parts import SIDE, B, Loop, Z, dense, g_cost, of, pictures, waves


def _smooth(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    bce, on_real, on_fake = F.binary_cross_entropy_with_logits, d(real), d(fake)
    flipped = (torch.rand_like(on_real) < 0.05).float()
    return bce(on_real, 0.9 - 0.9 * flipped) + bce(on_fake, 0.1 * torch.rand_like(on_fake))


def _hinge(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    return F.relu(1 - d(real)).mean() + F.relu(1 + d(fake)).mean()


def _softened(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    return ((d(real) - 1) ** 2).mean() / 2 + ((d(fake) + 1) ** 2).mean() / 2


def _centred(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    cost = d(fake).mean() - d(real).mean()
    return cost + 1e-3 * d(real).square().mean()


SOUND: dict[str, Loop] = {
    "lazy R1": orders.lazy_r1,
    "averaged G, looked at in eval": orders.averaged,
    "replayed examples": orders.replayed,
    "nothing detached, all cleared": orders.both_reach,
    "D frozen for G's step": orders.frozen_for_g,
    "cleared at the end of a round": orders.cleared_at_the_end,
    "learned inference": orders.learned_inference,
    "VAE-GAN": orders.vae_gan,
    "two pairs in a cycle": orders.cycle,
    "LSTMs": of(
        x=waves(),
        g=lambda: kinds.Recurrent(3, True),
        d=lambda: kinds.Recurrent(1, False),
        z=lambda: torch.randn(B, 24, 3),
    ),
    "relativistic average": of(d_loss=kinds.relativistic_average, g_loss=g_cost),
    "energy": kinds.energy,
    "several scales": kinds.several_scales,
    "loader, epochs, schedules": kinds.loaded,
    "augmented": kinds.augmented,
    "a statistic of the batch": of(d=kinds.Statistic),
    "logarithms by hand": kinds.by_hand,
    "D scales [0, 1] for itself": of(
        x=pictures().flatten(1) / 2 + 0.5, g=lambda: dense(Z, 48, SIDE**2, last=nn.Sigmoid()), d=kinds.Inner
    ),
    "pixels of 0 to 255, scaled inside D": of(
        x=((pictures().flatten(1) + 1) * 127.5).round(),
        g=lambda: kinds.Pixels(dense(Z, 48, SIDE**2, last=nn.Tanh()), True),
        d=lambda: kinds.Pixels(dense(SIDE**2, 48, 1), False),
    ),
    "symbols": kinds.one_hot_of_symbols,
    "a code of G's": kinds.auxiliary,
    "G trained before": kinds.pretrained,
    "smooth and flipped labels": of(d_loss=_smooth),
    "hinge, D spectrally normalized": of(
        d=lambda: nn.Sequential(
            spectral_norm(nn.Linear(SIDE**2, 48)), nn.LeakyReLU(0.2), spectral_norm(nn.Linear(48, 1))
        ),
        d_loss=_hinge,
        g_loss=lambda d, fake: -d(fake).mean(),
    ),
    "least squares of -1, 1 and 0": of(d_loss=_softened, g_loss=lambda d, fake: (d(fake) ** 2).mean() / 2),
    "critic kept near 0": of(
        d_loss=_centred,
        g_loss=lambda d, fake: -d(fake).mean(),
        opt_d=lambda d: torch.optim.RMSprop(d.parameters(), 5e-4),
    ),
    "SGD with momentum": of(
        opt_g=lambda g: torch.optim.SGD(g.parameters(), 0.1, momentum=0.9),
        opt_d=lambda d: torch.optim.SGD(d.parameters(), 0.1),
    ),
    "D in every third round": of(d_when=lambda r: r % 3 == 0),
    "three steps of G": of(g_steps=3),
    "standardized data, G without a bound": of(
        x=(pictures().flatten(1) - pictures().mean()) / pictures().std(),
        g=lambda: dense(Z, 48, SIDE**2),
    ),
    "uniform noise": of(z=lambda: torch.rand(B, Z) * 2 - 1),
    "a truncated normal": of(z=lambda: torch.randn(B, Z).clamp(-1, 1)),
    "positive data in tanh's range": of(x=pictures().flatten(1) * 0.2 + 0.5),
    "ten points, all in every step": of(
        x=torch.tensor([[math.cos(a), math.sin(a)] for a in range(10)]),
        pick=lambda r: torch.randperm(10),
        watch={"data": torch.zeros(10, 2)},
        g=lambda: dense(Z, 32, 2),
        d=lambda: dense(2, 32, 1),
    ),
    "in order, of shuffled data": of(pick=lambda r: (torch.arange(B) + B * r) % 192),
    "float64": of(
        x=pictures().flatten(1).double(),
        g=lambda: dense(Z, 48, SIDE**2, last=nn.Tanh()).double(),
        d=lambda: dense(SIDE**2, 48, 1).double(),
        z=lambda: torch.randn(B, Z, dtype=torch.float64),
    ),
    "gradients with noise": of(before_d=lambda d: [p.grad.add_(1e-4 * torch.randn_like(p)) for p in d.parameters()]),
}
