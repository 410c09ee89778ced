"""Loops whose steps are their own: what D's losses are of, when gradients are cleared, and what else D is shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, LRScheduler

from tests.loops.changeable import Nets, flat
from tests.loops.sound import BATCH, LATENT, Loop, Watching, adam, images, mlp

StepD = Callable[[nn.Module, Optimizer, Tensor, Tensor], None]
"""D, its optimizer, a batch of real and one of generated examples -> D's whole step."""
Cost = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""D and both batches -> D's loss."""


def _stepping(step_d: StepD, watching: Watching, rounds: int) -> Nets:
    """A loop with this step of D."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            step_d(d, opt_d, real, fake.detach())
            opt_g.zero_grad()
            logistic(d(fake), 1.0).backward()
            opt_g.step()
    return g, d


def logistic(scores: Tensor, sign: float) -> Tensor:
    """Of D's scores, and what they are of: 1 for real examples, -1 for generated ones."""
    return F.softplus(-sign * scores).mean()


def beyond_the_hinge(scores: Tensor, sign: float) -> Tensor:
    """A hinge that no score of a real example is within, so that they send no gradient."""
    return F.relu(1 - sign * scores - (100 if sign > 0 else 0)).mean()


# Steps of several backward passes.


def _two_passes(between: Callable[[Optimizer], None], cost: Callable[[Tensor, float], Tensor]) -> Loop:
    """D's losses are back-propagated one after the other, and something is done between."""

    def step(d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
        cost(d(real), 1.0).backward()
        between(opt)
        cost(d(fake), -1.0).backward()
        opt.step()

    return partial(_stepping, step)


def _sharpness_aware(d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
    """Each step has two losses (Foret et al. 2021): weights go up the first one's slope, where the second is."""
    both(d, real, fake).backward()
    ups = [0.01 * p.grad for p in d.parameters() if p.grad is not None]
    with torch.no_grad():
        for p, up in zip(d.parameters(), ups, strict=True):
            p += up
    opt.zero_grad()
    both(d, real, fake).backward()
    with torch.no_grad():
        for p, up in zip(d.parameters(), ups, strict=True):
            p -= up
    opt.step()


sharpness_aware: Loop = partial(_stepping, _sharpness_aware)


def _put_back(d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
    """The gradients of both losses are taken one after the other, and added by hand (PCGrad, Yu et al. 2020)."""
    logistic(d(real), 1.0).backward()
    saved = [p.grad.clone() for p in d.parameters() if p.grad is not None]
    opt.zero_grad()
    logistic(d(fake), -1.0).backward()
    for p, other in zip(d.parameters(), saved, strict=True):
        p.grad = other if p.grad is None else p.grad + other
    opt.step()


def _cleared_after(to_zero: bool) -> Loop:
    """D's gradients are cleared when its losses have been back-propagated: taken away, or set to 0."""

    def step(d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
        both(d, real, fake).backward()
        opt.zero_grad(set_to_none=not to_zero)
        opt.step()

    return partial(_stepping, step)


def for_longer(loop: Loop) -> Loop:
    """So long that most rounds are not watched closely."""
    return lambda watching, rounds: loop(watching, 10 * rounds)


def _step_first(d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
    """D's step comes before backward(): it finds no gradients."""
    opt.zero_grad()
    opt.step()
    both(d, real, fake).backward()


def g_cleared_after(watching: Watching, rounds: int) -> Nets:
    """The same of G's."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            both(d, real, fake.detach()).backward()
            opt_d.step()
            logistic(d(fake), 1.0).backward()
            opt_g.zero_grad()
            opt_g.step()
    return g, d


def _scheduled(schedule: Callable[[Optimizer, int], LRScheduler]) -> Loop:
    """D's learning rate falls by a schedule, given how many steps there will be."""

    def loop(watching: Watching, rounds: int) -> Nets:
        begun: list[LRScheduler] = []

        def step(d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
            if not begun:
                begun.append(schedule(opt, 10 * rounds))
            both(d, real, fake).backward()
            opt.step()
            begun[0].step()

        return _stepping(step, watching, 10 * rounds)

    return loop


# Losses.


def _d_by(cost: Cost) -> Loop:
    """D's loss is this."""

    def step(d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
        cost(d, real, fake).backward()
        opt.step()

    return partial(_stepping, step)


def both(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """The usual loss."""
    return logistic(d(real), 1.0) + logistic(d(fake), -1.0)


def local_penalty(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """DRAGAN (Kodali et al. 2017): D's slope is penalized around real examples, within half of their deviation."""
    around = (real + 0.5 * real.std() * torch.rand_like(real)).detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(d(around).sum(), around, create_graph=True)
    return both(d, real, fake) + 10 * ((slope.norm(2, 1) - 1) ** 2).mean()


def of_parts(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """One batch, into which both kinds are written."""
    whole = torch.empty(2 * BATCH, 64)
    whole[:BATCH], whole[BATCH:] = real, fake
    scores = d(whole)
    return logistic(scores[:BATCH], 1.0) + logistic(scores[BATCH:], -1.0)


def both_are_fake(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """A slip of the pen: real examples are never shown."""
    bce = F.binary_cross_entropy_with_logits
    return bce(d(fake), torch.ones(BATCH, 1)) + bce(d(fake), torch.zeros(BATCH, 1))


def without_fakes(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """The loss on generated examples is not added."""
    logistic(d(fake), -1.0)
    return logistic(d(real), 1.0)


def without_reals(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """The loss on real examples is not added."""
    logistic(d(real), 1.0)
    return logistic(d(fake), -1.0)


# What the networks are given.


def looked_at(watching: Watching, rounds: int) -> Nets:
    """In every round D also scores noise, of which nothing is learned."""

    def look(g: nn.Module, d: nn.Module) -> None:
        with torch.no_grad():
            d(3 * torch.randn(BATCH, 64))

    return flat(watching, rounds, before_g=look)


class CountedG(nn.Module):
    """Is given how many examples to make, and draws its noise itself."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(LATENT, 32, 64, last=nn.Tanh())

    def forward(self, count: int) -> Tensor:
        return self.net(torch.randn(count, LATENT))


def new_fakes(watching: Watching, rounds: int, fixed: bool) -> Nets:
    """G's step has latent vectors of its own: the same ones each time, or new ones, and a picture of the same ones."""
    g, z = mlp(LATENT, 32, 64, last=nn.Tanh()), torch.randn(BATCH, LATENT)
    if fixed:
        return flat(watching, rounds, g=g, to_d=lambda fake: g(z))
    return flat(
        watching, rounds, g=g, to_d=lambda fake: g(torch.randn(BATCH, LATENT)), before_g=lambda g, d: g(z).mean()
    )


def _with_nan(_: int) -> Tensor:
    """As of a table with missing numbers."""
    x = torch.randn(BATCH, 64)
    x[0, 3] = torch.nan
    return x


SOUND: dict[str, Loop] = {
    "two backward passes": _two_passes(lambda opt: None, logistic),
    "a rate that falls to the end": _scheduled(CosineAnnealingLR),
    "labels that are not far apart": partial(flat, labels=(0.55, 0.45, 1.0)),
    "put_back": partial(_stepping, _put_back),
    "made of parts": _d_by(of_parts),
    "noise of G's own": lambda watching, rounds: flat(watching, rounds, g=CountedG(), noise=lambda: BATCH),
    "a hinge without a slope": _two_passes(lambda opt: None, beyond_the_hinge),
    "sharpness_aware": sharpness_aware,
    "local_penalty": _d_by(local_penalty),
    "looked_at": looked_at,
    "new fakes for G's step": partial(new_fakes, fixed=False),
}
BROKEN: dict[str, tuple[Loop, str]] = {
    "one label for both": (partial(flat, labels=(0.5, 0.5, 1.0)), "bug-labels"),
    "a G that ends in softmax": (
        lambda watching, rounds: flat(watching, rounds, g=mlp(LATENT, 32, 64, last=nn.Softmax(1))),
        "bug-data-range",
    ),
    "NaN among real examples": (partial(flat, real=_with_nan), "bug-data-range"),
    "both_are_fake": (_d_by(both_are_fake), "bug-labels"),
    "without_fakes": (_d_by(without_fakes), "bug-labels"),
    "without_reals": (_d_by(without_reals), "bug-labels"),
    "cleared before D's step": (_cleared_after(to_zero=False), "bug-lost-gradients"),
    "set to 0 before D's step": (_cleared_after(to_zero=True), "bug-lost-gradients"),
    "a rate that falls too soon": (_scheduled(lambda opt, steps: ExponentialLR(opt, 0.9)), "bug-learning-rate"),
    "step before backward": (for_longer(partial(_stepping, _step_first)), "bug-lost-gradients"),
    "cleared before G's step": (g_cleared_after, "bug-lost-gradients"),
    "cleared between": (_two_passes(lambda opt: opt.zero_grad(), logistic), "bug-lost-gradients"),
    "the same vectors in G's step alone": (partial(new_fakes, fixed=True), "bug-fixed-noise"),
}
