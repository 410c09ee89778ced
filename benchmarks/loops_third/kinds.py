"""Sound loops: rarer kinds of networks, data and schedules."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.utils.data import DataLoader, TensorDataset

from loops_third.parts import SIDE, B, Play, Z, adam, d_cost, dense, g_cost, pictures


class Recurrent(nn.Module):
    """An LSTM with a number for each step, or one for all."""

    def __init__(self, size: int, each: bool) -> None:
        super().__init__()
        self.lstm, self.out, self.each = nn.LSTM(size, 24, batch_first=True), nn.Linear(24, 1), each

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.lstm(x)
        return self.out(states).tanh() if self.each else self.out(states[:, -1])


def relativistic_average(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """RaGAN's loss of D."""
    a, b = d(real), d(fake)
    ones = torch.ones_like(a)
    bce = F.binary_cross_entropy_with_logits
    return (bce(a - b.mean(), ones) + bce(b - a.mean(), 0 * ones)) / 2


def energy(watching: Any, rounds: int) -> None:
    """EBGAN: D is an autoencoder, and its error is the energy."""
    p = Play(d=dense(SIDE**2, 32, SIDE**2, last=nn.Tanh()))

    def cost(x: Tensor) -> Tensor:
        return (p.d(x) - x).square().mean(1)

    with watching(p.g, p.d, p.opt_g, p.opt_d):
        for r in range(rounds):
            p.opt_d.zero_grad()
            (cost(p.x[p.pick(r)]) + F.relu(0.5 - cost(p.g(p.z()).detach()))).mean().backward()
            p.opt_d.step()
            p.opt_g.zero_grad()
            cost(p.g(p.z())).mean().backward()
            p.opt_g.step()


class Scales(nn.Module):
    """A D that gives a map of scores at each of two sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.nets = nn.ModuleList(
            nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 3)) for _ in "ab"
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.nets[0](x), self.nets[1](F.avg_pool2d(x, 2))]


def several_scales(watching: Any, rounds: int) -> None:
    """The losses of both sizes are added."""
    x = pictures()
    g, d = nn.Sequential(dense(Z, 48, SIDE**2, last=nn.Tanh()), nn.Unflatten(1, (1, SIDE, SIDE))), Scales()
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (B,))], g(torch.randn(B, Z))
            opt_d.zero_grad()
            pairs = zip(d(real), d(fake.detach()), strict=True)
            torch.stack([F.relu(1 - a).mean() + F.relu(1 + b).mean() for a, b in pairs]).sum().backward()
            opt_d.step()
            opt_g.zero_grad()
            torch.stack([-each.mean() for each in d(fake)]).sum().backward()
            opt_g.step()


def loaded(watching: Any, rounds: int) -> None:
    """A loader whose last batch is smaller, epochs, a scheduler for each player, gradients clipped."""
    data = DataLoader(TensorDataset(pictures().flatten(1)[:170]), 32, shuffle=True)
    p = Play(
        opt_g=lambda g: torch.optim.AdamW(g.parameters(), 2e-3), opt_d=lambda d: torch.optim.AdamW(d.parameters(), 2e-3)
    )
    schedules = [torch.optim.lr_scheduler.ExponentialLR(opt, 0.9) for opt in (p.opt_g, p.opt_d)]
    with watching(p.g, p.d, p.opt_g, p.opt_d, data=data):
        for _ in range(max(1, rounds // len(data))):
            for (real,) in data:
                p.opt_d.zero_grad(set_to_none=True)
                d_cost(p.d, real, p.g(torch.randn(len(real), Z)).detach()).backward()
                nn.utils.clip_grad_norm_(p.d.parameters(), 1.0)
                p.opt_d.step()
                p.opt_g.zero_grad(set_to_none=True)
                g_cost(p.d, p.g(torch.randn(len(real), Z))).backward()
                p.opt_g.step()
            for each in schedules:
                each.step()


def augmented(watching: Any, rounds: int) -> None:
    """Both kinds are shifted and flipped before D, differently every time."""

    def changed(x: Tensor) -> Tensor:
        x = x.view(-1, 1, SIDE, SIDE)
        x = torch.roll(x, tuple(torch.randint(-2, 3, (2,)).tolist()), (2, 3))
        x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x, x.flip(3))
        return (x + 0.2 * (torch.rand(len(x), 1, 1, 1) - 0.5)).flatten(1)

    Play(
        d_loss=lambda d, real, fake: d_cost(d, changed(real), changed(fake)),
        g_loss=lambda d, fake: g_cost(d, changed(fake)),
    )(watching, rounds)


class Statistic(nn.Module):
    """D with the deviation over the batch as one more feature."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = dense(SIDE**2, 48, 24), nn.Linear(25, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.body(x)
        return self.head(torch.cat([h, h.std(0).mean().expand(len(h), 1)], 1)).view(-1)


def by_hand(watching: Any, rounds: int) -> None:
    """Logarithms of probabilities, with a little added."""
    p = Play(d=dense(SIDE**2, 48, 1, last=nn.Sigmoid()))
    tiny = 1e-8
    with watching(p.g, p.d, p.opt_g, p.opt_d):
        for r in range(rounds):
            p.opt_d.zero_grad()
            on_real, on_fake = p.d(p.x[p.pick(r)]), p.d(p.g(p.z()).detach())
            (-torch.mean(torch.log(on_real + tiny) + torch.log(1 - on_fake + tiny))).backward()
            p.opt_d.step()
            p.opt_g.zero_grad()
            (-torch.mean(torch.log(p.d(p.g(p.z())) + tiny))).backward()
            p.opt_g.step()


class Inner(nn.Module):
    """A D that takes [0, 1] and scales it for itself."""

    def __init__(self) -> None:
        super().__init__()
        self.net = dense(SIDE**2, 48, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.net((x - 0.5) * 2)


class Pixels(nn.Module):
    """A G that gives pixels of 0 to 255, or a D that takes them."""

    def __init__(self, net: nn.Module, gives: bool) -> None:
        super().__init__()
        self.net, self.gives = net, gives

    def forward(self, x: Tensor) -> Tensor:
        return (self.net(x) + 1) * 127.5 if self.gives else self.net(x / 127.5 - 1)


def one_hot_of_symbols(watching: Any, rounds: int) -> None:
    """Words of four symbols: real ones are one-hot, G's come from a softmax with noise."""
    x = F.one_hot((torch.arange(6) + torch.randint(4, (192, 1))) % 4, 4).float()
    g = nn.Sequential(dense(Z, 48, 24), nn.Unflatten(1, (6, 4)))
    d = nn.Sequential(nn.Flatten(), dense(24, 48, 1))
    soft = Softened(g)
    opt_g, opt_d = adam(soft), adam(d)
    with watching(soft, d, opt_g, opt_d):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (B,))], soft(torch.randn(B, Z))
            opt_d.zero_grad()
            d_cost(d, real, fake.detach()).backward()
            opt_d.step()
            opt_g.zero_grad()
            g_cost(d, fake).backward()
            opt_g.step()


class Softened(nn.Module):
    """Gumbel's softmax over the last axis."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, z: Tensor) -> Tensor:
        return F.gumbel_softmax(self.net(z), tau=0.7)


def auxiliary(watching: Any, rounds: int) -> None:
    """InfoGAN: Q reads the code from D's features, and has an optimizer with G."""
    x = pictures().flatten(1)
    g = dense(Z + 3, 48, SIDE**2, last=nn.Tanh())
    d = WithCode()
    opt_d = torch.optim.Adam([*d.body.parameters(), *d.score.parameters()], 1e-3)
    opt_g, opt_q = adam(g), torch.optim.Adam([*g.parameters(), *d.code.parameters()], 1e-3)
    with watching(g, d, [opt_g, opt_q], opt_d):
        for _ in range(rounds):
            code = torch.randint(3, (B,))
            z = torch.cat([torch.randn(B, Z), F.one_hot(code, 3).float()], 1)
            opt_d.zero_grad()
            (softplus(-d(x[torch.randint(len(x), (B,))])[0]).mean() + softplus(d(g(z).detach())[0]).mean()).backward()
            opt_d.step()
            opt_g.zero_grad()
            softplus(-d(g(z))[0]).mean().backward()
            opt_g.step()
            opt_q.zero_grad()
            F.cross_entropy(d(g(z))[1], code).backward()
            opt_q.step()


class WithCode(nn.Module):
    """D and Q on one body."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.score, self.code = dense(SIDE**2, 48, 24), nn.Linear(24, 1), nn.Linear(24, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.body(x).relu()
        return self.score(h), self.code(h)


def pretrained(watching: Any, rounds: int) -> None:
    """G first learns to rebuild by the mean square, without D; then both play."""
    x = pictures()
    g = nn.Sequential(nn.Conv2d(1, 8, 3, 1, 1), nn.ReLU(), nn.Conv2d(8, 1, 3, 1, 1))
    d = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(288, 1))
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for r in range(rounds):
            sharp = x[torch.randint(len(x), (B,))]
            blurred = F.avg_pool2d(sharp, 3, 1, 1)
            loss = F.mse_loss(g(blurred), sharp)
            if r >= rounds // 3:
                opt_d.zero_grad()
                d_cost(d, sharp, g(blurred).detach()).backward()
                opt_d.step()
                loss = loss + 1e-2 * g_cost(d, g(blurred))
            opt_g.zero_grad()
            loss.backward()
            opt_g.step()
