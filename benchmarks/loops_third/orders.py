"""Sound loops: what is detached, cleared, kept and encoded in which order."""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.functional import softplus

from loops_third.parts import SIDE, B, Play, Z, adam, d_cost, dense, g_cost, pictures


def lazy_r1(watching: Any, rounds: int) -> None:
    """R1 in every eighth step, in a backward pass of its own."""
    p = Play()
    with watching(p.g, p.d, p.opt_g, p.opt_d):
        for r in range(rounds):
            real = p.x[p.pick(r)]
            p.opt_d.zero_grad()
            d_cost(p.d, real, p.g(p.z()).detach()).backward()
            if r % 8 == 0:
                at = real.clone().requires_grad_()
                (slope,) = torch.autograd.grad(p.d(at).sum(), at, create_graph=True)
                (8 * 0.5 * slope.square().sum(1).mean()).backward()
            p.opt_d.step()
            p.opt_g.zero_grad()
            g_cost(p.d, p.g(p.z())).backward()
            p.opt_g.step()


def averaged(watching: Any, rounds: int) -> None:
    """Samples come from an averaged copy of G in evaluation mode; G itself is looked at in eval and put back."""
    g = nn.Sequential(nn.Linear(Z, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, SIDE**2), nn.Tanh())
    mean = copy.deepcopy(g).eval()

    def after(r: int, p: Play) -> None:
        for a, b in zip(mean.parameters(), p.g.parameters(), strict=True):
            a.data.lerp_(b.data, 0.05)
        if r % 5 == 4:
            p.g.eval()
            with torch.no_grad():
                mean(torch.randn(4, Z))
                p.d(p.g(torch.randn(4, Z)))
            p.g.train()

    Play(g=g, after=after)(watching, rounds)


def replayed(watching: Any, rounds: int) -> None:
    """D is shown generated examples of earlier rounds as well, which were kept as arrays."""
    p, kept = Play(), []
    with watching(p.g, p.d, p.opt_g, p.opt_d):
        for r in range(rounds):
            fake = p.g(p.z())
            kept.append(fake.detach().numpy().copy())
            old = torch.from_numpy(kept[int(torch.randint(len(kept), ()))])
            p.opt_d.zero_grad()
            d_cost(p.d, p.x[p.pick(r)], torch.cat([fake.detach()[: B // 2], old[: B // 2]])).backward()
            p.opt_d.step()
            p.opt_g.zero_grad()
            g_cost(p.d, fake).backward()
            p.opt_g.step()


def both_reach(watching: Any, rounds: int) -> None:
    """Nothing is detached, and every gradient is cleared before each backward pass."""
    p = Play()
    with watching(p.g, p.d, p.opt_g, p.opt_d):
        for r in range(rounds):
            fake = p.g(p.z())
            p.opt_d.zero_grad()
            p.opt_g.zero_grad()
            d_cost(p.d, p.x[p.pick(r)], fake).backward(retain_graph=True)
            p.opt_d.step()
            fake = p.g(p.z())
            p.opt_d.zero_grad()
            p.opt_g.zero_grad()
            g_cost(p.d, fake).backward()
            p.opt_g.step()


def frozen_for_g(watching: Any, rounds: int) -> None:
    """D's weights ask for no gradient while G learns, and do again afterwards."""
    p = Play()
    with watching(p.g, p.d, p.opt_g, p.opt_d):
        for r in range(rounds):
            p.d.requires_grad_(True)
            p.opt_d.zero_grad()
            d_cost(p.d, p.x[p.pick(r)], p.g(p.z()).detach()).backward()
            p.opt_d.step()
            p.d.requires_grad_(False)
            p.opt_g.zero_grad()
            g_cost(p.d, p.g(p.z())).backward()
            p.opt_g.step()


def cleared_at_the_end(watching: Any, rounds: int) -> None:
    """All gradients are cleared once, after both steps."""
    p = Play()
    with watching(p.g, p.d, p.opt_g, p.opt_d):
        for r in range(rounds):
            fake = p.g(p.z())
            d_cost(p.d, p.x[p.pick(r)], fake.detach()).backward()
            p.opt_d.step()
            p.d.zero_grad()
            g_cost(p.d, fake).backward()
            p.opt_g.step()
            p.g.zero_grad()
            p.d.zero_grad()


class Joint(nn.Module):
    """D of ALI: an example and its latent vector."""

    def __init__(self) -> None:
        super().__init__()
        self.net = dense(SIDE**2 + Z, 48, 1)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.net(torch.cat([x, z], 1))


def learned_inference(watching: Any, rounds: int) -> None:
    """ALI: an encoder learns with G, by one optimizer."""
    x, g, e, d = pictures().flatten(1), dense(Z, 48, SIDE**2, last=nn.Tanh()), dense(SIDE**2, 48, Z), Joint()
    opt_g = torch.optim.Adam([*g.parameters(), *e.parameters()], 1e-3, betas=(0.5, 0.999))
    opt_d = adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real, z = x[torch.randint(len(x), (B,))], torch.randn(B, Z)
            opt_d.zero_grad()
            (softplus(-d(real, e(real).detach())).mean() + softplus(d(g(z).detach(), z)).mean()).backward()
            opt_d.step()
            opt_g.zero_grad()
            (softplus(d(real, e(real))).mean() + softplus(-d(g(z), z)).mean()).backward()
            opt_g.step()


class Encoded(nn.Module):
    """A VAE as a G: examples go in, and come out again."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = dense(SIDE**2, 48, 2 * Z), dense(Z, 48, SIDE**2, last=nn.Tanh())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.encoder(x).chunk(2, 1)
        return self.decoder(mean + torch.randn_like(mean) * (0.5 * log_var).exp()), mean, log_var


def vae_gan(watching: Any, rounds: int) -> None:
    """G rebuilds examples, and D judges what it rebuilt."""
    x, g = pictures().flatten(1), Encoded()
    d = dense(SIDE**2, 48, 1)
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real = x[torch.randint(len(x), (B,))]
            rebuilt, mean, log_var = g(real)
            opt_d.zero_grad()
            d_cost(d, real, rebuilt.detach()).backward()
            opt_d.step()
            divergence = -0.5 * (1 + log_var - mean**2 - log_var.exp()).mean()
            opt_g.zero_grad()
            (F.mse_loss(rebuilt, real) + 0.1 * divergence + 0.1 * g_cost(d, rebuilt)).backward()
            opt_g.step()


def cycle(watching: Any, rounds: int) -> None:
    """Two generators and two discriminators; one pair is watched, whose G learns by one optimizer with the other."""
    a, b = pictures().flatten(1), -pictures().flatten(1).flip(1)
    ab, ba = (dense(SIDE**2, 48, SIDE**2, last=nn.Tanh()) for _ in range(2))
    d_a, d_b = (dense(SIDE**2, 48, 1) for _ in range(2))
    opt_g = torch.optim.Adam([*ab.parameters(), *ba.parameters()], 1e-3)
    opt_a, opt_b = adam(d_a), adam(d_b)
    with watching(ab, d_b, opt_g, opt_b):
        for _ in range(rounds):
            real_a, real_b = a[torch.randint(len(a), (B,))], b[torch.randint(len(b), (B,))]
            fake_b, fake_a = ab(real_a), ba(real_b)
            opt_g.zero_grad()
            turn = F.l1_loss(ba(fake_b), real_a) + F.l1_loss(ab(fake_a), real_b)
            (F.mse_loss(d_b(fake_b), torch.ones(B, 1)) + F.mse_loss(d_a(fake_a), torch.ones(B, 1)) + turn).backward()
            opt_g.step()
            for d, opt, real, fake in ((d_a, opt_a, real_a, fake_a), (d_b, opt_b, real_b, fake_b)):
                opt.zero_grad()
                cost = F.mse_loss(d(real), torch.ones(B, 1)) + F.mse_loss(d(fake.detach()), torch.zeros(B, 1))
                (0.5 * cost).backward()
                opt.step()
