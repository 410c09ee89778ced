"""Data, networks and a loop of which anything can be replaced."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

Loop = Callable[..., object]
B, Z, SIDE = 16, 10, 12


def pictures(count: int = 192) -> Tensor:
    """Soft spots, `(count, 1, 12, 12)` in [-1, 1]."""
    rng = torch.Generator().manual_seed(77)
    at = torch.rand(count, 2, 1, 1, generator=rng)
    axis = torch.linspace(0, 1, SIDE)
    apart = (axis[None, :, None] - at[:, 0]) ** 2 + (axis[None, None, :] - at[:, 1]) ** 2
    return ((-apart * (20 + 40 * torch.rand(count, 1, 1, generator=rng))).exp() * 1.9 - 0.95)[:, None]


def waves(count: int = 192, length: int = 24) -> Tensor:
    """Sines of any phase, `(count, length, 1)`."""
    rng = torch.Generator().manual_seed(78)
    phase, speed = torch.rand(2, count, 1, generator=rng)
    return (torch.linspace(0, 1, length) * (6 + 6 * speed) + 6.3 * phase).sin()[..., None]


def dense(*sizes: int, last: nn.Module | None = None, act: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers."""
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), act()]
    return nn.Sequential(*layers[:-1], *([last] if last else []))


def adam(net: nn.Module, lr: float = 1e-3, **more: Any) -> torch.optim.Optimizer:
    """With the momentum of DCGAN."""
    return torch.optim.Adam(net.parameters(), lr, betas=(0.5, 0.999), **more)


def d_cost(d: Any, real: Tensor, fake: Tensor) -> Tensor:
    """BCE with logits."""
    return softplus(-d(real)).mean() + softplus(d(fake)).mean()


def g_cost(d: Any, fake: Tensor) -> Tensor:
    """Non-saturating."""
    return softplus(-d(fake)).mean()


class Play:
    """A loop of which anything can be replaced."""

    def __init__(self, **has: Any):
        self.x: Tensor = has.get("x", pictures().flatten(1))
        width = self.x[0].numel()
        self.g = has.get("g") or dense(Z, 48, width, last=nn.Tanh())
        self.d = has.get("d") or dense(width, 48, 1, act=lambda: nn.LeakyReLU(0.2))
        self.opt_g = has["opt_g"](self.g) if "opt_g" in has else adam(self.g)
        self.opt_d = has["opt_d"](self.d) if "opt_d" in has else adam(self.d)
        self.z = has.get("z", lambda: torch.randn(B, Z))
        self.pick = has.get("pick", lambda r: torch.randint(len(self.x), (B,)))
        self.has = has

    def __call__(self, watching: Any, rounds: int) -> None:
        has, d, g = self.has, self.d, self.g
        d_loss, g_loss = has.get("d_loss", d_cost), has.get("g_loss", g_cost)
        with watching(g, d, self.opt_g, self.opt_d, **has.get("watch", {})):
            for r in range(rounds):
                real = self.x[self.pick(r)]
                if has.get("d_when", lambda r: True)(r):
                    fake = g(self.z())
                    self.opt_d.zero_grad()
                    d_loss(d, real, fake.detach()).backward()
                    has.get("before_d", lambda d: None)(d)
                    self.opt_d.step()
                for _ in range(has.get("g_steps", 1)):
                    self.opt_g.zero_grad()
                    g_loss(d, g(self.z())).backward()
                    self.opt_g.step()
                has.get("after", lambda r, p: None)(r, self)


def of(**has: Any) -> Loop:
    """A loop that makes its parts when it is played."""

    def loop(watching: Any, rounds: int) -> None:
        Play(**{k: v() if k in ("g", "d") else v for k, v in has.items()})(watching, rounds)

    return loop
