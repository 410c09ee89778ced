"""Loops with what the third set of the benchmark showed: other networks beside the two, and an energy for a score."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.functional import softplus

from tests.loops.sound import BATCH, LATENT, Loop, Watching, adam, images, mlp

Nets = tuple[nn.Module, nn.Module]


def in_a_cycle(watching: Watching, rounds: int) -> Nets:
    """Two pairs, of which one is watched; G learns by one optimizer with the other G, before both Ds; least squares."""
    a, b = images().flatten(1), -images().flatten(1).flip(1)
    ab, ba = (mlp(64, 32, 64, last=nn.Tanh()) for _ in range(2))
    d_a, d_b = (mlp(64, 32, 1) for _ in range(2))
    opt_g = torch.optim.Adam([*ab.parameters(), *ba.parameters()], 2e-3)
    opt_a, opt_b = adam(d_a), adam(d_b)
    ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
    with watching(ab, d_b, opt_g, opt_b):
        for _ in range(rounds):
            real_a, real_b = a[torch.randint(len(a), (BATCH,))], b[torch.randint(len(b), (BATCH,))]
            fake_b, fake_a = ab(real_a), ba(real_b)
            opt_g.zero_grad()
            turned = F.l1_loss(ba(fake_b), real_a) + F.l1_loss(ab(fake_a), real_b)
            (F.mse_loss(d_b(fake_b), ones) + F.mse_loss(d_a(fake_a), ones) + turned).backward()
            opt_g.step()
            for d, opt, real, fake in ((d_a, opt_a, real_a, fake_a), (d_b, opt_b, real_b, fake_b)):
                opt.zero_grad()
                (F.mse_loss(d(real), ones) + F.mse_loss(d(fake.detach()), zeros)).backward()
                opt.step()
    return ab, d_b


def energy(watching: Watching, rounds: int) -> Nets:
    """D is an autoencoder; its error is low for real examples and, up to a margin, high for others."""
    x, g, d = images().flatten(1), mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 16, 64, last=nn.Tanh())
    opt_g, opt_d = adam(g), adam(d)

    def error(x: Tensor) -> Tensor:
        return (d(x) - x).square().mean(1)

    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            (error(real) + (0.5 - error(fake.detach())).relu()).mean().backward()
            opt_d.step()
            opt_g.zero_grad()
            error(fake).mean().backward()
            opt_g.step()
    return g, d


class WithCode(nn.Module):
    """D, and a network that reads a code from its features."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.score, self.code = mlp(64, 32, 16), nn.Linear(16, 1), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.body(x).relu()
        return self.score(features), self.code(features)


def with_a_code(watching: Watching, rounds: int) -> Nets:
    """InfoGAN: a second optimizer of G's holds the network that reads the code as well."""
    x, g, d = images().flatten(1), mlp(LATENT + 3, 32, 64, last=nn.Tanh()), WithCode()
    opt_d = torch.optim.Adam([*d.body.parameters(), *d.score.parameters()], 2e-3)
    opt_g, opt_code = adam(g), torch.optim.Adam([*g.parameters(), *d.code.parameters()], 2e-3)
    with watching(g, d, [opt_g, opt_code], opt_d):
        for _ in range(rounds):
            code = torch.randint(3, (BATCH,))
            z = torch.cat([torch.randn(BATCH, LATENT), F.one_hot(code, 3).float()], 1)
            opt_d.zero_grad()
            real = x[torch.randint(len(x), (BATCH,))]
            (softplus(-d(real)[0]).mean() + softplus(d(g(z).detach())[0]).mean()).backward()
            opt_d.step()
            opt_g.zero_grad()
            softplus(-d(g(z))[0]).mean().backward()
            opt_g.step()
            opt_code.zero_grad()
            F.cross_entropy(d(g(z))[1], code).backward()
            opt_code.step()
    return g, d


def first_layer_alone(watching: Watching, rounds: int) -> Nets:
    """G's optimizer holds the first layer and no other."""
    x, g, d = images().flatten(1), mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    opt_g, opt_d = adam(g[0]), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            (softplus(-d(real)) + softplus(d(fake.detach()))).mean().backward()
            opt_d.step()
            opt_g.zero_grad()
            softplus(-d(fake)).mean().backward()
            opt_g.step()
    return g, d


def _bce(
    watching: Watching, rounds: int, d: nn.Module | None = None, swapped: bool = False, twice: bool = False
) -> Nets:
    x, g, d = images().flatten(1), mlp(LATENT, 32, 64, last=nn.Tanh()), d or mlp(64, 32, 1)
    opt_g, opt_d = adam(g), adam(d)
    steps = (opt_g, opt_d) if swapped else (opt_d, opt_g)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            opt_d.zero_grad()
            opt_g.zero_grad()
            fake = g(torch.randn(BATCH, LATENT))
            real = d(x[torch.randint(len(x), (BATCH,))])
            (softplus(-real) + softplus(d(fake if swapped else fake.detach()))).mean().backward()
            steps[0].step()
            opt_d.zero_grad()
            opt_g.zero_grad()
            (-F.logsigmoid(d(g(torch.randn(BATCH, LATENT))))).mean().backward()
            steps[1].step()
            if twice:
                opt_d.step()
    return g, d


def steps_swapped(watching: Watching, rounds: int) -> Nets:
    """Each player's optimizer steps after the other's loss was back-propagated."""
    return _bce(watching, rounds, swapped=True)


def d_steps_again(watching: Watching, rounds: int) -> Nets:
    """D's optimizer steps after G's, too, with what G's loss left in D's gradients."""
    return _bce(watching, rounds, twice=True)


def sigmoid_before_softplus(watching: Watching, rounds: int) -> Nets:
    """A cross-entropy of logits, written by hand, on a D that ends in a sigmoid."""
    return _bce(watching, rounds, d=mlp(64, 32, 1, last=nn.Sigmoid()))


SOUND: dict[str, Loop] = {loop.__name__: loop for loop in (in_a_cycle, energy, with_a_code)}
BROKEN: dict[str, tuple[Loop, str]] = {
    "first_layer_alone": (first_layer_alone, "bug-wrong-parameters"),
    "steps_swapped": (steps_swapped, "bug-wrong-parameters"),
    "d_steps_again": (d_steps_again, "bug-stale-gradients"),
    "sigmoid_before_softplus": (sigmoid_before_softplus, "bug-double-sigmoid"),
}
