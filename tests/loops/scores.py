"""Loops that differ in what becomes of D's scores, in what D is shown, or in what G is fed, and in nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.loops.sound import BATCH, LATENT, Loop, Watching, adam, images, mlp

Nets = tuple[nn.Module, nn.Module]
Score = Callable[[Tensor], Tensor]
ONES, ZEROS = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
REAL, FAKE = torch.ones(BATCH, dtype=torch.int64), torch.zeros(BATCH, dtype=torch.int64)
"""Classes."""


def _loop(
    watching: Watching,
    rounds: int,
    *,
    is_real: Score,
    is_fake: Score,
    d: Callable[[], nn.Module] = lambda: mlp(64, 32, 1),
    g: Callable[[], nn.Module] = lambda: mlp(LATENT, 32, 64, last=nn.Tanh()),
    fed: Callable[[], Tensor] = lambda: torch.randn(BATCH, LATENT),
    shown: tuple[str, ...] = ("real", "fake"),
) -> Nets:
    """A loop of these losses on D's scores, in which D's own step is on what it is shown."""
    x, g_net, d_net = images().flatten(1), g(), d()
    opt_g, opt_d = adam(g_net), adam(d_net)
    with watching(g_net, d_net, opt_g, opt_d):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (BATCH,))], g_net(fed())
            losses = [is_real(d_net(real))] if "real" in shown else []
            losses += [is_fake(d_net(fake.detach()))] if "fake" in shown else []
            opt_d.zero_grad()
            torch.stack(losses).sum().backward()
            opt_d.step()
            opt_g.zero_grad()
            is_real(d_net(fake)).backward()
            opt_g.step()
    return g_net, d_net


def _of(p: Score, loss: Callable[[Tensor, Tensor], Tensor] = F.binary_cross_entropy) -> partial[Nets]:
    """A loop whose loss is given p of the scores."""
    return partial(_loop, is_real=lambda s: loss(p(s), ONES), is_fake=lambda s: loss(p(s), ZEROS))


def _by_log(p: Score) -> Loop:
    """The same with a cross-entropy that is written by hand."""
    return partial(_loop, is_real=lambda s: -p(s).log().mean(), is_fake=lambda s: -(1 - p(s)).log().mean())


def _of_classes(
    p: Score, loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy, d: nn.Module | None = None
) -> Loop:
    """A loop whose D has an output for real and one for generated."""
    made = (lambda: d) if d else partial(mlp, 64, 32, 2)
    return partial(_loop, is_real=lambda s: loss(p(s), REAL), is_fake=lambda s: loss(p(s), FAKE), d=made)


with_logits = F.binary_cross_entropy_with_logits
plain: Any = {"is_real": lambda s: with_logits(s, ONES), "is_fake": lambda s: with_logits(s, ZEROS)}
"""Losses of a loop without a mistake."""


class NoiseInside(nn.Module):
    """A G that draws its noise itself."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(LATENT, 32, 64, last=nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z + torch.randn_like(z))


class BySigmoid(nn.Module):
    """A D that ends in a sigmoid of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(64, 32, 1)

    def forward(self, x: Tensor) -> Tensor:
        return 1 / (1 + torch.exp(-self.net(x)))


SIGMOIDS: dict[str, Score] = {
    "1 / (1 + exp)": lambda s: 1 / (1 + torch.exp(-s)),
    "exp / (1 + exp)": lambda s: torch.exp(s) / (torch.exp(s) + 1),
    "reciprocal": lambda s: (1 + (-s).exp()).reciprocal(),
    "tanh": lambda s: (torch.tanh(s / 2) + 1) / 2,
}
FED_ZEROS: Any = {"fed": partial(torch.zeros, BATCH, LATENT)}
SOUND: dict[str, Loop] = {
    **{f"cross-entropy of {name}": _of(p) for name, p in SIGMOIDS.items()},
    **{f"logarithm of {name}": _by_log(p) for name, p in SIGMOIDS.items()},
    "cross-entropy of clamped scores": _of(lambda s: s.clamp(1e-3, 1 - 1e-3)),
    "logarithm of clamped scores": _by_log(lambda s: s.clamp(1e-3, 1 - 1e-3)),
    "cross-entropy of half a softmax": _of_classes(
        lambda s: F.softmax(s, 1)[:, 1:], lambda p, kind: F.binary_cross_entropy(p, kind[:, None].float())
    ),
    "two classes": _of_classes(lambda s: s),
    "two classes, nll_loss": _of_classes(lambda s: F.log_softmax(s, 1), F.nll_loss),
    "log_softmax is the same twice": _of_classes(lambda s: F.log_softmax(s, 1)),
    "sigmoid of D's own": partial(_of(lambda s: s), d=BySigmoid),
    "zeros, and noise inside G": partial(_loop, **plain, **FED_ZEROS, g=NoiseInside),
}
BROKEN: dict[str, tuple[Loop, str]] = {
    **{f"logits of {name}": (_of(p, with_logits), "bug-double-sigmoid") for name, p in SIGMOIDS.items()},
    "logits of D's own sigmoid": (partial(_of(lambda s: s, with_logits), d=BySigmoid), "bug-double-sigmoid"),
    "two softmaxes": (_of_classes(lambda s: F.softmax(s, 1)), "bug-double-sigmoid"),
    "two softmaxes, one in D": (
        _of_classes(lambda s: s, d=mlp(64, 32, 2, last=nn.Softmax(1))),
        "bug-double-sigmoid",
    ),
    "logarithm of scores": (_by_log(lambda s: s + 1e-8), "bug-logits-in-bce"),
    "real alone": (partial(_loop, **plain, shown=("real",)), "bug-labels"),
    "generated alone": (partial(_loop, **plain, shown=("fake",)), "bug-labels"),
    "zeros": (partial(_loop, **plain, **FED_ZEROS), "bug-fixed-noise"),
}
