"""Loops with what the second set of the benchmark showed: unusual and right ones, and mistakes that hide well."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value
from torch.nn.functional import softplus

from tests.loops.sound import BATCH, LATENT, SIZE, Loop, Watching, adam, images, mlp

Nets = tuple[nn.Module, nn.Module]


def _play(
    watching: Watching, rounds: int, d_cost: Callable[..., Tensor], g_cost: Callable[..., Tensor], **has: Any
) -> Nets:
    """A loop of two costs: `d_cost(d, real, fake)` and `g_cost(d, fake)`."""
    x = has.get("x", images().flatten(1))
    g, d = has.get("g") or mlp(LATENT, 32, 64, last=nn.Tanh()), has.get("d") or mlp(64, 32, 1)
    opt_g, opt_d = has.get("opt_g", adam)(g), adam(d)
    choose = has.get("choose", lambda r: torch.randint(len(x), (BATCH,)))
    after = has.get("after", lambda r, g, d: None)
    with watching(g, d, opt_g, opt_d):
        for r in range(rounds):
            real, fake = x[choose(r)], g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            d_cost(d, real, fake.detach()).backward()
            opt_d.step()
            opt_g.zero_grad()
            g_cost(d, fake).backward()
            opt_g.step()
            after(r, g, d)
    return g, d


def _d(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    return (softplus(-d(real)) + softplus(d(fake))).mean()


def _g(d: nn.Module, fake: Tensor) -> Tensor:
    return softplus(-d(fake)).mean()


def by_autograd_grad(watching: Watching, rounds: int) -> Nets:
    """Gradients are asked for and put into place."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            fake = g(torch.randn(BATCH, LATENT))
            costs = _d(d, x[torch.randint(len(x), (BATCH,))], fake), _g(d, fake)
            for net, cost in zip((d, g), costs, strict=True):
                weights = list(net.parameters())
                for p, gradient in zip(weights, torch.autograd.grad(cost, weights, retain_graph=True), strict=True):
                    p.grad = gradient
            opt_d.step()
            opt_g.step()
    return g, d


def by_torch_func(watching: Watching, rounds: int) -> Nets:
    """Costs are functions of weights, and torch.func gives their gradients."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    opts = {"g": adam(g), "d": adam(d)}

    def step(net: nn.Module, opt: torch.optim.Optimizer, cost: Callable[..., Tensor]) -> None:
        gradients, _ = grad_and_value(cost)(dict(net.named_parameters()))
        for name, p in net.named_parameters():
            p.grad = gradients[name].detach()
        opt.step()

    with watching(g, d, *opts.values()):
        for _ in range(rounds):
            real, z = x[torch.randint(len(x), (BATCH,))], torch.randn(BATCH, LATENT)
            fake = g(z).detach()
            d_scores = lambda w, at: functional_call(d, w, (at,))  # noqa: E731
            step(d, opts["d"], lambda w: (softplus(-d_scores(w, real)) + softplus(d_scores(w, fake))).mean())  # noqa: B023
            step(g, opts["g"], lambda w: softplus(-d(functional_call(g, w, (z,)))).mean())  # noqa: B023
    return g, d


def noise_on_inputs(watching: Watching, rounds: int) -> Nets:
    """Instance noise, wider than the data's own range."""
    noisy = lambda x: x + 0.8 * torch.randn_like(x)  # noqa: E731
    return _play(watching, rounds, lambda d, r, f: _d(d, noisy(r), noisy(f)), lambda d, f: _g(d, noisy(f)))


def slope_logged(watching: Watching, rounds: int) -> Nets:
    """The gradient's norm is only written down."""
    norms: list[float] = []

    def after(r: int, g: nn.Module, d: nn.Module) -> None:
        at = images()[:4].flatten(1).requires_grad_()
        norms.append(float(torch.autograd.grad(d(at).sum(), at)[0].norm()))

    return _play(watching, rounds, _d, _g, after=after)


def maximizing(watching: Watching, rounds: int) -> Nets:
    """G's optimizer maximizes D's loss."""
    sgd = lambda g: torch.optim.SGD(g.parameters(), 0.05, maximize=True)  # noqa: E731
    return _play(watching, rounds, _d, lambda d, f: softplus(d(f)).mean(), opt_g=sgd)


def eval_after_a_while(watching: Watching, rounds: int) -> Nets:
    """G is in evaluation mode from the 16th round on."""
    g = mlp(LATENT, 32, 64, last=nn.Tanh(), norm=True)
    return _play(watching, rounds, _d, _g, g=g, after=lambda r, g, d: g.eval() if r == 15 else None)


def logarithm_by_hand(watching: Watching, rounds: int) -> Nets:
    """BCE written out, and no sigmoid in D."""
    bce = lambda s, y: -(y * torch.log(s + 1e-8) + (1 - y) * torch.log(1 - s + 1e-8)).mean()  # noqa: E731
    return _play(watching, rounds, lambda d, r, f: bce(d(r), 1) + bce(d(f), 0), lambda d, f: bce(d(f), 1))


def rounded(watching: Watching, rounds: int) -> Nets:
    """Samples are rounded to 8 bits before D scores them."""
    return _play(watching, rounds, _d, lambda d, f: _g(d, (f * 127.5).round() / 127.5))


class WithoutGradient(nn.Module):
    """A D whose body runs under no_grad."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = mlp(64, 32, 32, 32), nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            x = self.body(x)
        return self.head(x)


def body_without_gradient(watching: Watching, rounds: int) -> Nets:
    """Only D's last layer learns, and nothing comes back to G."""
    return _play(watching, rounds, _d, _g, d=WithoutGradient())


def sorted_by_texture(watching: Watching, rounds: int) -> Nets:
    """First smooth pictures, then rough ones of the same brightness."""
    rough = torch.rand(128, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(6)) * 2 - 1
    x = torch.cat([images() * 0.99, rough]).flatten(1)
    x = x - x.mean(1, keepdim=True)
    x = torch.cat([x[i : i + 48] for i in itertools.chain.from_iterable(zip((0, 48), (128, 176), strict=True))]).clamp(
        -1, 1
    )
    g, d = nn.Sequential(mlp(LATENT, 32, 64, last=nn.Tanh()), nn.Unflatten(1, (1, SIZE, SIZE))), mlp(64, 32, 1)
    return _play(
        watching, rounds, _d, _g, x=x.view(-1, 1, SIZE, SIZE), g=g, d=nn.Sequential(nn.Flatten(), d),
        choose=lambda r: (torch.arange(BATCH) + BATCH * r) % len(x),
    )  # fmt: skip


def other_range_in_one_batch(watching: Watching, rounds: int) -> Nets:
    """Real and generated examples in one batch; G ends in a sigmoid, and the data lie in [-1, 1]."""

    def d_cost(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        labels = torch.cat([torch.ones(len(real), 1), torch.zeros(len(fake), 1)])
        return F.binary_cross_entropy_with_logits(d(torch.cat([real, fake])), labels)

    return _play(watching, rounds, d_cost, _g, g=mlp(LATENT, 32, 64, last=nn.Sigmoid()))


SOUND: dict[str, Loop] = {
    loop.__name__: loop for loop in (by_autograd_grad, by_torch_func, noise_on_inputs, slope_logged, maximizing)
}
BROKEN: dict[str, tuple[Loop, str]] = {
    loop.__name__: (loop, rule)
    for loop, rule in (
        (eval_after_a_while, "bug-eval-mode"),
        (logarithm_by_hand, "bug-logits-in-bce"),
        (rounded, "bug-generator-cut-off"),
        (body_without_gradient, "bug-frozen"),
        (sorted_by_texture, "bug-one-batch"),
        (other_range_in_one_batch, "bug-data-range"),
    )
}
