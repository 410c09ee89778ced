"""Loops with one mistake each."""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from loops_third.kinds import Recurrent
from loops_third.parts import SIDE, B, Loop, Play, Z, adam, dense, of, pictures, waves


def _cross(watching: Any, rounds: int, wrong: str) -> None:
    """BCE with logits, one slip."""
    x, g = pictures().flatten(1), dense(Z, 48, SIDE**2, last=nn.Tanh())
    if wrong == "norm in eval":
        g = nn.Sequential(nn.Linear(Z, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, SIDE**2), nn.Tanh())
    d = dense(SIDE**2, 48, 1)
    opt_g = adam(g[0]) if wrong == "first layer" else adam(g)
    opt_d = adam(d)
    if wrong == "decayed":
        torch.optim.lr_scheduler.LambdaLR(opt_g, lambda _: 0.0)
    cleared = copy.deepcopy(opt_g) if wrong == "cleared copy" else opt_g  # the copy holds copies of the weights
    bce, total = F.binary_cross_entropy_with_logits, torch.zeros(())
    ones, zeros = torch.ones(B, 1), torch.zeros(B, 1)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            if wrong == "norm in eval":
                g.eval()
            real, fake = x[torch.randint(len(x), (B,))], g(torch.randn(B, Z))
            if wrong == "sigmoid twice":
                opt_d.zero_grad()
                (bce(d(real).sigmoid(), ones) + bce(d(fake.detach()).sigmoid(), zeros)).backward()
            elif wrong == "both one":
                opt_d.zero_grad()
                (bce(d(real), ones) + bce(d(fake.detach()), ones)).backward()
            else:
                opt_d.zero_grad()
                (bce(d(real), ones) + bce(d(fake.detach()), zeros)).backward()
            opt_d.step()
            cleared.zero_grad()
            score = d(fake.detach() if wrong == "kept fake" else fake)
            if wrong == "sigmoid twice":
                score = score.sigmoid()
            loss = bce(score, zeros if wrong == "zeros for G" else ones)
            loss.backward()
            opt_g.step()
            total = total + (loss if wrong == "running total" else loss.detach())


def _lstm_bytes() -> Loop:
    return of(
        x=(waves() + 1) * 127.5,
        g=lambda: Recurrent(3, True),
        d=lambda: Recurrent(1, False),
        z=lambda: torch.randn(B, 24, 3),
    )


def _penalized(watching: Any, rounds: int) -> None:
    """The penalty's points are made under no_grad, and its slope has no graph."""
    p = Play(g=dense(Z, 48, SIDE**2))
    with watching(p.g, p.d, p.opt_g, p.opt_d):
        for r in range(rounds):
            real, fake = p.x[p.pick(r)], p.g(p.z()).detach()
            at = torch.lerp(real, fake, torch.rand(B, 1)).requires_grad_()
            (slope,) = torch.autograd.grad(p.d(at).sum(), at)
            p.opt_d.zero_grad()
            (p.d(fake).mean() - p.d(real).mean() + 10 * (slope.norm(dim=1) - 1).square().mean()).backward()
            p.opt_d.step()
            p.opt_g.zero_grad()
            (-p.d(p.g(p.z())).mean()).backward()
            p.opt_g.step()


_Z = torch.randn(B, Z, generator=torch.Generator().manual_seed(3))
BROKEN: dict[str, tuple[Loop, str]] = {
    **{
        name: (lambda watching, rounds, wrong=name: _cross(watching, rounds, wrong), rule)
        for name, rule in {
            "sigmoid twice": "bug-double-sigmoid",
            "both one": "bug-labels",
            "zeros for G": "bug-labels",
            "kept fake": "bug-generator-cut-off",
            "first layer": "bug-frozen",
            "decayed": "bug-learning-rate",
            "cleared copy": "bug-stale-gradients",
            "running total": "bug-retained-graph",
            "norm in eval": "bug-eval-mode",
        }.items()
    },
    "waves of 0 to 255": (_lstm_bytes(), "bug-data-range"),
    "a penalty without a graph": (_penalized, "bug-unused-penalty"),
    "noise as a default": (of(z=lambda z=_Z: z), "bug-fixed-noise"),
    "the first sixteen": (of(pick=lambda r: torch.arange(B)), "bug-one-batch"),
    "scores against flat labels": (
        of(
            d_loss=lambda d, real, fake: ((d(real) - torch.ones(B)) ** 2).mean() + (d(fake) ** 2).mean(),
            g_loss=lambda d, fake: ((d(fake) - torch.ones(B)) ** 2).mean(),
        ),
        "bug-shape-broadcast",
    ),
    "probabilities by hand, of logits": (
        of(d_loss=lambda d, real, fake: -(torch.log(d(real) + 1e-8) + torch.log(1 - d(fake) + 1e-8)).mean()),
        "bug-logits-in-bce",
    ),
    "critic's rate of 3": (of(opt_d=lambda d: torch.optim.RMSprop(d.parameters(), 3.0)), "bug-learning-rate"),
    "one value everywhere": (of(d=lambda: _filled(dense(SIDE**2, 48, 1))), "bug-init"),
}


def _filled(net: nn.Sequential) -> nn.Sequential:
    nn.init.constant_(net[0].weight, 0.02)
    return net
