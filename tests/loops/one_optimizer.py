"""Loops whose players have one optimizer between them: sound ones, and the one in which G's loss moves D too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tests.loops.changeable import Nets
from tests.loops.own_steps import both, logistic
from tests.loops.sound import BATCH, LATENT, Loop, Watching, images, mlp

Round = Callable[[nn.Module, nn.Module, Optimizer, Tensor, Tensor], None]
"""G, D, their optimizer, a batch of real and one of generated examples -> a whole round."""


def _with(play: Round, watching: Watching, rounds: int) -> Nets:
    """A loop of such rounds."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    opt = torch.optim.Adam([*g.parameters(), *d.parameters()], 2e-4, (0.5, 0.999))
    with watching(g, d, opt, opt):
        for _ in range(rounds):
            play(g, d, opt, x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, LATENT)))
    return g, d


def step_d(d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
    """D's step, as it is usual."""
    opt.zero_grad()
    both(d, real, fake.detach()).backward()
    opt.step()


def moves_d(g: nn.Module, d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
    """G's loss leaves gradients in D, along which the one optimizer steps."""
    step_d(d, opt, real, fake)
    opt.zero_grad()
    logistic(d(fake), 1.0).backward()
    opt.step()


def cleared(g: nn.Module, d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
    """Those are cleared before it steps."""
    step_d(d, opt, real, fake)
    opt.zero_grad()
    logistic(d(fake), 1.0).backward()
    d.zero_grad()
    opt.step()


def switched_off(g: nn.Module, d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
    """D asks for no gradients in G's step."""
    step_d(d, opt, real, fake)
    opt.zero_grad()
    d.requires_grad_(False)
    logistic(d(fake), 1.0).backward()
    d.requires_grad_(True)
    opt.step()


def at_once(g: nn.Module, d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
    """Each loss goes to its own player, and one step follows from both."""
    opt.zero_grad()
    both(d, real, fake.detach()).backward(inputs=list(d.parameters()))
    logistic(d(fake), 1.0).backward(inputs=list(g.parameters()))
    opt.step()


def g_first(g: nn.Module, d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
    """What G's loss leaves in D is cleared before D's is back-propagated, and one step follows from both."""
    opt.zero_grad()
    logistic(d(fake), 1.0).backward()
    d.zero_grad()
    both(d, real, fake.detach()).backward()
    opt.step()


class Reversed(torch.autograd.Function):
    """What passes forward as it is, and turns gradients round (Ganin and Lempitsky 2015)."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing is kept."""

    @staticmethod
    def backward(_: object, slope: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return -slope


def turned_round(g: nn.Module, d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
    """One loss and one step for both players."""
    opt.zero_grad()
    both(d, real, Reversed.apply(fake)).backward()  # pyright: ignore[reportArgumentType]
    opt.step()


def in_one_loss(g: nn.Module, d: nn.Module, opt: Optimizer, real: Tensor, fake: Tensor) -> None:
    """Both losses are one, so that each of them moves D."""
    opt.zero_grad()
    (both(d, real, fake.detach()) + logistic(d(fake), 1.0)).backward()
    opt.step()


SOUND: dict[str, Loop] = {
    f"one optimizer, {each.__name__}": partial(_with, each)
    for each in (cleared, switched_off, at_once, g_first, turned_round)
}
BROKEN: dict[str, tuple[Loop, str]] = {
    "one optimizer": (partial(_with, moves_d), "bug-wrong-parameters"),
    "one optimizer, in one loss": (partial(_with, in_one_loss), "bug-wrong-parameters"),
}
