"""Loops with what a fourth reading showed: schedules, usual layers and frozen parts that are right, and mistakes that
look like them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from tests.loops.changeable import Nets, flat
from tests.loops.scores import NoiseInside
from tests.loops.sound import BATCH, LATENT, SIZE, Loop, Watching, adam, images, mlp


def _with_schedule(watching: Watching, rounds: int, share: Callable[[int], float], of_torch: bool = True) -> Nets:
    """Learning rates are multiplied by a share that depends on the round: by a schedule of torch's, or by hand."""
    schedules: list[LambdaLR] = []
    groups: list[dict[str, Any]] = []
    x = images().flatten(1)

    def optimizers(g: nn.Module, d: nn.Module) -> tuple[Any, Any]:
        made = adam(g, 2e-4), adam(d, 2e-4)
        schedules.extend(LambdaLR(each, share) for each in made if of_torch)
        groups.extend(group for each in made for group in each.param_groups if not of_torch)
        return made

    def real(r: int) -> Tensor:
        for each in schedules if r else ():
            each.step()
        for group in groups:
            group["lr"] = 2e-4 * share(r)
        return x[torch.randint(len(x), (BATCH,))]

    return flat(watching, rounds, opt=optimizers, real=real)


class Positions(nn.Module):
    """A G of which much begins at one number: an input that is learned, positions, a block's end, the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.start, self.positions = nn.Parameter(torch.ones(1, 8, 4, 4)), nn.Parameter(torch.zeros(1, 16, 8))
        self.style = nn.Linear(LATENT, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.block = mlp(8, 16, 8)
        self.last = nn.Linear(8, 4)
        for layer in (self.block[-1], self.last):
            nn.init.zeros_(layer.weight)

    def forward(self, z: Tensor) -> Tensor:
        tokens = (self.start * self.style(z)[:, :, None, None]).flatten(2).transpose(1, 2) + self.positions
        tokens = tokens + self.attention(tokens, tokens, tokens)[0]
        return torch.tanh(self.last(tokens + self.block(tokens)).flatten(1))


class Normalized(nn.Module):
    """A critic with a norm over whole maps, and one blur for each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 8, 3, 1, 1), nn.LayerNorm([8, SIZE, SIZE])
        self.blur = nn.Conv2d(8, 8, 3, 1, 1, groups=8)
        nn.init.constant_(self.blur.weight, 1 / 9)
        self.last = nn.Linear(8 * SIZE * SIZE, 1)

    def forward(self, x: Tensor) -> Tensor:
        maps = F.leaky_relu(self.norm(self.first(x.view(-1, 1, SIZE, SIZE))), 0.2)
        return self.last(self.blur(maps).flatten(1))


def usual_layers(watching: Watching, rounds: int) -> Nets:
    """Layers that begin at one number as they should."""
    return flat(watching, rounds, g=Positions(), d=Normalized())


class Projected(nn.Module):
    """D judges by features of a pretrained network, whose batch norm keeps its statistics."""

    def __init__(self, own_in_eval: bool = False) -> None:
        super().__init__()
        self.features = nn.Sequential(mlp(64, 32, 32, norm=True), nn.BatchNorm1d(32, affine=False), nn.Dropout())
        self.features.requires_grad_(False)
        self.own, self.own_in_eval = nn.Sequential(nn.Linear(32, 16), nn.BatchNorm1d(16), nn.Linear(16, 1)), own_in_eval
        self.train()

    def forward(self, x: Tensor) -> Tensor:
        return self.own(self.features(x))

    def train(self, mode: bool = True) -> Projected:
        super().train(mode)
        self.features.eval()
        self.own.train(mode and not self.own_in_eval)
        return self


class ClassG(nn.Module):
    """Class-conditional by an embedding that is given."""

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        self.embedding, self.net = embedding, mlp(LATENT + 6, 32, 64, last=nn.Tanh())

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.net(torch.cat([z, self.embedding(y)], 1))


class ClassD(nn.Module):
    """The same."""

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        self.embedding, self.net = embedding, mlp(64 + 6, 32, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.net(torch.cat([x, self.embedding(y)], 1))


def shared_embedding(watching: Watching, rounds: int, trained: bool = False) -> Nets:
    """Both players look classes up in one table."""
    x, table = images().flatten(1), nn.Embedding(4, 6).requires_grad_(trained)
    g, d = ClassG(table), ClassD(table)
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            at, y = torch.randint(len(x), (BATCH,)), torch.randint(4, (BATCH,))
            fake = g(torch.randn(BATCH, LATENT), y)
            opt_d.zero_grad()
            (F.softplus(-d(x[at], at % 4)).mean() + F.softplus(d(fake.detach(), y)).mean()).backward()
            opt_d.step()
            opt_g.zero_grad()
            F.softplus(-d(fake, y)).mean().backward()
            opt_g.step()
    return g, d


BYTES = ((images() + 1) * 127.5).to(torch.uint8).flatten(1)


def _of_bytes(scaled: Callable[[Tensor], Tensor]) -> Loop:
    """A loop whose data are bytes that are scaled so."""
    return partial(flat, real=lambda r: scaled(BYTES[torch.randint(len(BYTES), (BATCH,))]))


def _by_costs(
    watching: Watching,
    rounds: int,
    d_cost: Callable[[Tensor, Tensor], Tensor],
    g_cost: Callable[[Tensor], Tensor],
    **has: Any,
) -> Nets:
    """A loop whose losses are these of D's scores, both kinds in one batch of D's; data are scaled in the loop."""
    x = images().flatten(1) + 1
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), nn.Sequential(mlp(64, 32, 1), *has.get("last", ()))
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (BATCH,))] - 1, g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            d_cost(*d(torch.cat([real, fake.detach()])).split(BATCH)).backward()
            opt_d.step()
            opt_g.zero_grad()
            g_cost(d(fake)).backward()
            opt_g.step()
    return g, d


MAPS = nn.Unflatten(1, (1, 1, 1))
"""Scores `(B, 1, 1, 1)`, as a DCGAN's D gives them."""
LABELS = torch.cat([torch.ones(BATCH), torch.zeros(BATCH)])


def _in_one_batch(criterion: Callable[[Tensor, Tensor], Tensor], labels: Tensor) -> Loop:
    return partial(
        _by_costs, d_cost=lambda real, fake: criterion(torch.cat([real, fake]), labels),
        g_cost=lambda fake: (fake - 1).square().mean(), last=[MAPS],
    )  # fmt: skip


def with_drift(real: Tensor, fake: Tensor) -> Tensor:
    """A critic's loss that keeps scores near 0."""
    return fake.mean() - real.mean() + 0.001 * real.pow(2).mean()


def by_hand(scores: Tensor, labels: Tensor) -> Tensor:
    """Least squares."""
    return ((scores - labels) ** 2).mean()


def dead_weights(watching: Watching, rounds: int) -> Nets:
    """All layers of D begin at 0, the last one too."""
    d = mlp(64, 32, 1)
    for layer in (d[0], d[2]):
        nn.init.zeros_(layer.weight)
    return flat(watching, rounds, d=d)


def _one_vector() -> Tensor:
    return torch.randn(1, LATENT).expand(BATCH, LATENT)


relu_g = partial(mlp, LATENT, 32, 64, last=nn.ReLU())
SOUND: dict[str, Loop] = {
    "a schedule that ends at 0": partial(_with_schedule, share=lambda r: max(0.0, 1 - r / 8)),
    "a warm-up": partial(_with_schedule, share=lambda r: r / 10_000),
    "a warm-up by hand": partial(_with_schedule, share=lambda r: r / 10_000, of_torch=False),
    "usual_layers": usual_layers,
    "frozen batch norm": lambda watching, rounds: flat(watching, rounds, d=Projected()),
    "a frozen table": shared_embedding,
    "inverted bytes": _of_bytes(lambda x: (255 - x).float() / 127.5 - 1),
    "masked bytes": _of_bytes(lambda x: (x * (x > 99)).float() / 127.5 - 1),
    "fewer levels": _of_bytes(lambda x: (x // 32 * 32).float() / 127.5 - 1),
    "labels of the scores' shape": _in_one_batch(by_hand, LABELS.view(-1, 1, 1, 1)),
    "all pairs": partial(
        _by_costs, d_cost=lambda real, fake: F.softplus(fake.T - real).mean(), g_cost=lambda fake: -fake.mean()
    ),
    "drift": partial(_by_costs, d_cost=with_drift, g_cost=lambda fake: -fake.mean()),
    "relu, and data above 0": lambda watching, rounds: flat(
        watching, rounds, g=relu_g(), real=lambda r: BYTES[torch.randint(len(BYTES), (BATCH,))] / 255
    ),
    "one vector, and noise inside G": lambda watching, rounds: flat(
        watching, rounds, g=NoiseInside(), noise=_one_vector
    ),
}  # fmt: skip
BROKEN: dict[str, tuple[Loop, str]] = {
    "a part of D in evaluation mode": (lambda w, r: flat(w, r, d=Projected(own_in_eval=True)), "bug-eval-mode"),
    "a table that both train": (partial(shared_embedding, trained=True), "bug-shared-weights"),
    "bytes that are doubled": (_of_bytes(lambda x: (x * 2).float() / 255 - 1), "bug-integer-images"),
    "bytes divided as bytes": (_of_bytes(lambda x: (x // 255).float() * 2 - 1), "bug-integer-images"),
    "dead_weights": (dead_weights, "bug-init"),
    "scores of four axes": (_in_one_batch(by_hand, LABELS), "bug-shape-broadcast"),
    "relu, and data below 0": (lambda w, r: flat(w, r, g=relu_g()), "bug-data-range"),
    "one vector for a batch": (lambda w, r: flat(w, r, noise=_one_vector), "bug-fixed-noise"),
}
