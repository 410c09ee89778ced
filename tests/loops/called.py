"""Loops that call G in other ways than G(z) or G(z, y), or step with a closure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.loops.sound import BATCH, Watching, adam, mlp

Nets = tuple[nn.Module, nn.Module]
CLASSES, NOISE, NUMBERS = 5, 8, 4
Fake = Callable[[nn.Module], Tensor]


class Conditional(nn.Module):
    """What all of these compute, once they know which argument is what."""

    def __init__(self, more: int = CLASSES) -> None:
        super().__init__()
        self.net = mlp(NOISE + more, 16, NUMBERS, last=nn.Tanh())

    def made(self, z: Tensor, *more: Tensor) -> Tensor:
        return self.net(torch.cat([z, *more], 1))


class ClassFirst(Conditional):
    def forward(self, y: Tensor, z: Tensor) -> Tensor:
        return self.made(z, F.one_hot(y, CLASSES).float())


class ByName(Conditional):
    def forward(self, *, z: Tensor, labels: Tensor) -> Tensor:
        return self.made(z, F.one_hot(labels, CLASSES).float())


class Column(Conditional):
    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.made(z, F.one_hot(y[:, 0], CLASSES).float())


class OneHotFirst(Conditional):
    def forward(self, y: Tensor, z: Tensor) -> Tensor:
        return self.made(z, y)


class Attributes(Conditional):
    def forward(self, z: Tensor, attributes: Tensor) -> Tensor:
        return self.made(z, attributes)


class Truncated(Conditional):
    def forward(self, z: Tensor, psi: float, mode: str = "") -> Tensor:
        return self.made(z * psi)


class WithCode(Conditional):
    def forward(self, z: Tensor, y: Tensor, code: Tensor) -> Tensor:
        return self.made(z, y, code)


class Mixed(Conditional):
    def forward(self, styles: list[Tensor]) -> Tensor:
        return self.made(styles[0], styles[1])


class OfNumbers(nn.Module):
    """Its latent vectors are one number each, `(B,)`."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(1, 16, NUMBERS, last=nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z[:, None])


class Inside(nn.Module):
    """Classes are put beside the noise before it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(NOISE + CLASSES, 16, NUMBERS, last=nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


def noise() -> Tensor:
    return torch.randn(BATCH, NOISE)


def classes() -> Tensor:
    return torch.randint(CLASSES, (BATCH,))


def one_hot() -> Tensor:
    return F.one_hot(classes(), CLASSES).float()


EMBEDDED, PLACES = nn.Embedding(CLASSES, NOISE), nn.Embedding(NOISE, 1)
SMALL = nn.Parameter(torch.randn(CLASSES, NOISE, generator=torch.Generator().manual_seed(0)) / 100)
nn.init.normal_(EMBEDDED.weight, 1, 0.01, generator=torch.Generator().manual_seed(0))
nn.init.zeros_(PLACES.weight)

CALLS: dict[str, tuple[Callable[[], nn.Module], Fake]] = {
    "class first": (ClassFirst, lambda g: g(classes(), noise())),
    "by name": (ByName, lambda g: g(labels=classes(), z=noise())),
    "column": (Column, lambda g: g(noise(), classes()[:, None])),
    "one-hot first": (OneHotFirst, lambda g: g(one_hot(), noise())),
    "attributes": (Attributes, lambda g: g(noise(), torch.randint(2, (BATCH, CLASSES)).float())),
    "truncated": (lambda: Truncated(0), lambda g: g(noise(), 0.7, mode="linear")),
    "with a code": (lambda: WithCode(CLASSES + 2), lambda g: g(noise(), one_hot(), torch.rand(BATCH, 2) * 2 - 1)),
    "a list": (lambda: Mixed(NOISE), lambda g: g([noise(), noise()])),
    "of numbers": (OfNumbers, lambda g: g(torch.rand(BATCH))),
    "times classes": (lambda: Truncated(0), lambda g: g(noise() * EMBEDDED(classes()).detach(), 1.0)),
    "plus classes": (lambda: Truncated(0), lambda g: g(noise() + SMALL[classes()], 1.0)),
    "plus one-hot": (lambda: Truncated(0), lambda g: g(noise() + one_hot() @ SMALL.detach(), 1.0)),
    "plus places": (lambda: Truncated(0), lambda g: g(noise() + PLACES(torch.arange(NOISE))[:, 0], 1.0)),
    "classes inside": (Inside, lambda g: g(torch.cat([noise(), one_hot()], 1))),
}
"""A G, and how it is called."""


def real() -> Tensor:
    return torch.randn(BATCH, NUMBERS).clamp(-2, 2) / 3


def calling(watching: Watching, rounds: int, name: str = "class first", fake: Fake | None = None) -> Nets:
    """A loop that calls G in one of these ways."""
    made, call = CALLS[name]
    g, d = made(), mlp(NUMBERS, 16, 1)
    call = fake or call
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            opt_d.zero_grad()
            (F.softplus(-d(real())) + F.softplus(d(call(g).detach()))).mean().backward()
            opt_d.step()
            opt_g.zero_grad()
            F.softplus(-d(call(g))).mean().backward()
            opt_g.step()
    return g, d


def closures(watching: Watching, rounds: int, detach: bool = True, named: bool = False, lbfgs: bool = False) -> Nets:
    """Both optimizers step with a closure; `lbfgs` evaluates D's several times in each step."""
    g, d = mlp(NOISE, 16, NUMBERS, last=nn.Tanh()), mlp(NUMBERS, 16, 1)
    opt_g: Any = adam(g)
    opt_d: Any = torch.optim.LBFGS(d.parameters(), 1e-3, max_iter=3) if lbfgs else adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            x, z = real(), noise()

            def loss_of_d(x: Tensor = x, z: Tensor = z) -> Tensor:
                opt_d.zero_grad()
                fake = g(z).detach() if detach else g(z)
                loss = (F.softplus(-d(x)) + F.softplus(d(fake))).mean()
                loss.backward()
                return loss

            def loss_of_g() -> Tensor:
                if detach:
                    opt_g.zero_grad()
                loss = F.softplus(-d(g(noise()))).mean()
                loss.backward()
                return loss

            opt_d.step(loss_of_d)
            if named:
                opt_g.step(closure=loss_of_g)
            else:
                opt_g.step(loss_of_g)
            if not detach:
                opt_g.zero_grad()
    return g, d


class Keeps(Conditional):
    """Its classes are put into it before it is called."""

    y: Tensor

    def forward(self, z: Tensor) -> Tensor:
        return self.made(z, F.one_hot(self.y, CLASSES).float())


class Classifies(nn.Module):
    """A D that gives a score, and a number for each class."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.score, self.classes = mlp(NUMBERS, 16, 16), nn.Linear(16, 1), nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        found = F.leaky_relu(self.net(x), 0.2)
        return self.classes(found), self.score(found)


def kept_classes(watching: Watching, rounds: int) -> Nets:
    """An AC-GAN whose G has its classes in itself."""
    g, d = Keeps(), Classifies()
    opt_g, opt_d = adam(g), adam(d)

    def loss(x: Tensor, y: Tensor, sign: float) -> Tensor:
        logits, score = d(x)
        return F.softplus(sign * score).mean() + F.cross_entropy(logits, y)

    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            g.y, x = classes(), real()
            fake = g(noise())
            opt_d.zero_grad()
            (loss(x, (x[:, 0] > 0).long(), -1) + loss(fake.detach(), g.y, 1)).backward()
            opt_d.step()
            opt_g.zero_grad()
            loss(fake, g.y, -1).backward()
            opt_g.step()
    return g, d


def two_logits(watching: Watching, rounds: int, label: int = 1) -> Nets:
    """Points in the plane, and a D of two classes: its output has the shape of its input."""
    g, d = mlp(NOISE, 16, 2), mlp(2, 16, 2)
    opt_g, opt_d = adam(g), adam(d)

    def loss(scores: Tensor, label: int) -> Tensor:
        return F.cross_entropy(scores, torch.full((BATCH,), label))

    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            opt_d.zero_grad()
            (loss(d(torch.randn(BATCH, 2)), 1) + loss(d(g(noise()).detach()), 0)).backward()
            opt_d.step()
            opt_g.zero_grad()
            loss(d(g(noise())), label).backward()
            opt_g.step()
    return g, d


def lbfgs(watching: Watching, rounds: int) -> Nets:
    """D's optimizer evaluates its closure several times."""
    return closures(watching, rounds, lbfgs=True, named=True)


SOUND: dict[str, Callable[[Watching, int], Nets]] = {
    loop.__name__: loop for loop in (calling, closures, kept_classes, lbfgs, two_logits)
}
