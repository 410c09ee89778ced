"""Style 8: gradients are asked for and put into place by hand: autograd.grad, inputs=, functional_call, reversal."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value

from loops_second.data import Loop, Watching, blobs, dense

BATCH = 32


def assigned(watching: Watching, rounds: int, wrong: str = "") -> None:
    """`autograd.grad` for each player's weights, both at once, then both steps."""
    x = blobs()
    g, d = dense(4, 32, 32, 2, act=nn.Tanh), dense(2, 32, 32, 1, act=nn.Tanh)
    og, od = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    with watching(g, d, og, od):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, 4))
            score = d(fake)
            d_loss = (F.softplus(-d(real)) + F.softplus(score)).mean()
            g_loss = (F.softplus(score) if wrong == "sign" else F.softplus(-score)).mean()
            for net, loss in ((d, d_loss), (g, g_loss)):
                weights = list(net.parameters())
                for p, grad in zip(weights, torch.autograd.grad(loss, weights, retain_graph=True), strict=True):
                    p.grad = grad
            od.step()
            og.step()


def only_inputs(watching: Watching, rounds: int) -> None:
    """Nothing is detached; `backward(inputs=...)` fills the gradients of one player."""
    x = blobs()
    g, d = dense(4, 32, 32, 2), dense(2, 32, 32, 1)
    og, od = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    with watching(g, d, og, od):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, 4))
            loss = ((d(real) - 1) ** 2 + (d(fake) + 1) ** 2).mean()
            loss.backward(inputs=list(d.parameters()), retain_graph=True)
            od.step()
            od.zero_grad()
            (d(fake) ** 2).mean().backward(inputs=list(g.parameters()))
            og.step()
            og.zero_grad()


def of_weights(watching: Watching, rounds: int, wrong: str = "") -> None:
    """Losses are functions of a player's weights; `torch.func` gives value and gradient."""
    x = blobs()
    g, d = dense(4, 32, 32, 2), dense(2, 32, 32, 1)
    og, od = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    once = torch.randn(BATCH, 4)

    def d_cost(w: dict[str, Tensor], real: Tensor, fake: Tensor) -> Tensor:
        return (F.softplus(-functional_call(d, w, (real,))) + F.softplus(functional_call(d, w, (fake,)))).mean()

    def g_cost(w: dict[str, Tensor], z: Tensor) -> Tensor:
        return F.softplus(-d(functional_call(g, w, (z,)))).mean()

    def put(net: nn.Module, grads: dict[str, Tensor]) -> None:
        for name, p in net.named_parameters():
            p.grad = grads[name].detach()

    with watching(g, d, og, od):
        for _ in range(rounds):
            z = once if wrong == "once" else torch.randn(BATCH, 4)
            real = x[torch.randint(len(x), (BATCH,))]
            grads, _ = grad_and_value(d_cost)(dict(d.named_parameters()), real, g(z).detach())
            put(d, grads)
            od.step()
            grads, _ = grad_and_value(g_cost)(dict(g.named_parameters()), z)
            put(g, grads)
            og.step()


class Reverse(torch.autograd.Function):
    """Identity, whose gradient has the other sign."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return -grad


def reversal(watching: Watching, rounds: int) -> None:
    """One loss and one backward pass for both players, by a reversal of the gradient between them."""
    x = blobs()
    g, d = dense(4, 32, 32, 2), dense(2, 32, 32, 1)
    og, od = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    with watching(g, d, og, od):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, 4))
            og.zero_grad()
            od.zero_grad()
            (F.softplus(-d(real)) + F.softplus(d(Reverse.apply(fake)))).mean().backward()
            od.step()
            og.step()


def negated(watching: Watching, rounds: int) -> None:
    """G maximizes D's loss: `maximize=True` in its optimizer."""
    x = blobs()
    g, d = dense(4, 32, 32, 2), dense(2, 32, 32, 1)
    og, od = torch.optim.SGD(g.parameters(), 0.1, maximize=True), torch.optim.SGD(d.parameters(), 0.1)
    with watching(g, d, og, od):
        for _ in range(rounds):
            real = x[torch.randint(len(x), (BATCH,))]
            od.zero_grad()
            (F.softplus(-d(real)) + F.softplus(d(g(torch.randn(BATCH, 4)).detach()))).mean().backward()
            od.step()
            og.zero_grad()
            F.softplus(d(g(torch.randn(BATCH, 4)))).mean().backward()
            og.step()


SOUND: dict[str, Loop] = {
    "autograd.grad, put into place": assigned,
    "backward(inputs=...), nothing detached": only_inputs,
    "torch.func": of_weights,
    "one backward pass, gradient reversed": reversal,
    "maximize=True": negated,
}
BROKEN: dict[str, tuple[Loop, str]] = {
    "autograd.grad, sign of G's loss": (lambda watching, rounds: assigned(watching, rounds, "sign"), "bug-labels"),
    "torch.func, noise outside the loop": (
        lambda watching, rounds: of_weights(watching, rounds, "once"), "bug-fixed-noise",
    ),
}  # fmt: skip
