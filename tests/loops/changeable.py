"""Loops in the styles of the sound ones, of which one thing or another can be changed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from tests.loops.sound import BATCH, LATENT, ConvD, ConvG, Watching, adam, forever, images, mlp

Nets = tuple[nn.Module, nn.Module]


def flat(
    watching: Watching,
    rounds: int,
    *,
    g: nn.Module | None = None,
    d: nn.Module | None = None,
    real: Callable[[int], Tensor] | None = None,
    noise: Callable[[], Tensor] = lambda: torch.randn(BATCH, LATENT),
    criterion: Callable[[Tensor, Tensor], Tensor] = F.binary_cross_entropy_with_logits,
    labels: tuple[float, float, float] = (1.0, 0.0, 1.0),
    detach: bool = True,
    clear: str = "dg",
    opt: Callable[[nn.Module, nn.Module], tuple[Any, Any]] | None = None,
    to_d: Callable[[Tensor], Tensor] = lambda x: x,
    before_g: Callable[[nn.Module, nn.Module], None] = lambda g, d: None,
    retain: list[Any] | None = None,
    label_shape: tuple[int, ...] = (BATCH, 1),
) -> Nets:
    """BCE with fully connected networks, with one thing changed."""
    x = images().flatten(1)
    real = real or (lambda r: x[torch.randint(len(x), (BATCH,))])
    g = g or mlp(LATENT, 32, 64, last=nn.Tanh())
    d = d or mlp(64, 32, 1)
    opt_g, opt_d = opt(g, d) if opt else (adam(g), adam(d))
    one_real, one_fake, one_g = (torch.full(label_shape, each) for each in labels)
    with watching(g, d, opt_g, opt_d):
        for r in range(rounds):
            fake = g(noise())
            if "d" in clear:
                opt_d.zero_grad()
            loss_real = criterion(d(real(r)), one_real)
            loss_fake = criterion(d(fake.detach() if detach else fake), one_fake)
            (loss_real + loss_fake).backward(retain_graph=not detach)
            opt_d.step()
            if "g" in clear:
                opt_g.zero_grad()
            before_g(g, d)
            loss_g = criterion(d(to_d(fake)), one_g)
            loss_g.backward()
            if retain is not None:
                retain.append(loss_g)
            opt_g.step()
    return g, d


def penalized(watching: Watching, rounds: int, create_graph: bool = True, weight: float = 10.0) -> Nets:
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64), mlp(64, 32, 1)
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real = x[torch.randint(len(x), (BATCH,))]
            fake = g(torch.randn(BATCH, LATENT)).detach()
            between = (real + torch.rand(BATCH, 1) * (fake - real)).requires_grad_(True)
            (slope,) = torch.autograd.grad(d(between).sum(), between, create_graph=create_graph)
            penalty = ((slope.norm(2, 1) - 1) ** 2).mean()
            loss = d(fake).mean() - d(real).mean()
            if weight:
                loss = loss + weight * penalty
            opt_d.zero_grad()
            loss.backward()
            opt_d.step()
            opt_g.zero_grad()
            (-d(g(torch.randn(BATCH, LATENT))).mean()).backward()
            opt_g.step()
    return g, d


def dcgan(watching: Watching, rounds: int, criterion: Any = None, data: Tensor | None = None) -> Nets:
    """A tutorial's DCGAN with one thing changed."""
    loader = DataLoader(TensorDataset(images() if data is None else data), BATCH, shuffle=True)
    criterion = criterion or nn.BCELoss()
    net_g, net_d = ConvG(), ConvD()
    opt_d, opt_g = adam(net_d), adam(net_g)
    with watching(net_g, net_d, opt_g, opt_d):
        for (real,) in itertools.islice(forever(loader), rounds):
            net_d.zero_grad()
            label = torch.full((len(real),), 1.0)
            error_real = criterion(net_d(real).view(-1), label)
            error_real.backward()
            fake = net_g(torch.randn(len(real), LATENT, 1, 1))
            label.fill_(0.0)
            error_fake = criterion(net_d(fake.detach()).view(-1), label)
            error_fake.backward()
            opt_d.step()
            net_g.zero_grad()
            label.fill_(1.0)
            error_g = criterion(net_d(fake).view(-1), label)
            error_g.backward()
            opt_g.step()
    return net_g, net_d
