"""Sound loops whose networks, losses or steps are wrapped: compiled, distributed, scaled, partly frozen."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, relu, softplus
from torch.nn.parallel import DistributedDataParallel

from tests.loops.sound import BATCH, LATENT, Loop, Watching, adam, images, mlp

Nets = tuple[nn.Module, nn.Module]


def _flat() -> tuple[Tensor, nn.Module, nn.Module]:
    return images().flatten(1), mlp(LATENT, 32, 64, last=nn.Tanh(), norm=True), mlp(64, 32, 1)


def _play(watching: Watching, rounds: int, x: Tensor, g: Any, d: Any) -> None:
    """BCE with logits."""
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            (softplus(-d(real)).mean() + softplus(d(fake.detach())).mean()).backward()
            opt_d.step()
            opt_g.zero_grad()
            softplus(-d(fake)).mean().backward()
            opt_g.step()


@contextmanager
def _process_group() -> Generator[None]:
    """Of this process alone."""
    with tempfile.TemporaryDirectory() as folder:
        dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=0, world_size=1)
        try:
            yield
        finally:
            dist.destroy_process_group()


def distributed(watching: Watching, rounds: int) -> Nets:
    """Both networks inside DistributedDataParallel."""
    with _process_group():
        x, g, d = _flat()
        _play(watching, rounds, x, *map(DistributedDataParallel, (g, d)))
    return g, d


def compiled(watching: Watching, rounds: int) -> Nets:
    """Both networks go through torch.compile, whose backend leaves the arithmetic as it is."""
    x, g, d = _flat()
    _play(watching, rounds, x, *(torch.compile(net, backend="eager") for net in (g, d)))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return g, d


def compiled_in_place(watching: Watching, rounds: int) -> Nets:
    """`net.compile()`, which leaves the module what it is."""
    x, g, d = _flat()
    for net in (g, d):
        net.compile(backend="eager")
    _play(watching, rounds, x, g, d)
    return g, d


def scaled(watching: Watching, rounds: int) -> Nets:
    """Automatic mixed precision, and a GradScaler for each player."""
    x, g, d = _flat()
    opt_g, opt_d = adam(g), adam(d)
    scaler_g, scaler_d = (torch.amp.GradScaler("cpu", init_scale=1024.0) for _ in range(2))
    ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                real, fake = x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, LATENT))
                on_real = binary_cross_entropy_with_logits(d(real), ones)
                loss_d = on_real + binary_cross_entropy_with_logits(d(fake.detach()), zeros)
            opt_d.zero_grad(set_to_none=True)
            scaler_d.scale(loss_d).backward()
            scaler_d.unscale_(opt_d)
            nn.utils.clip_grad_norm_(d.parameters(), 5.0)
            scaler_d.step(opt_d)
            scaler_d.update()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss_g = binary_cross_entropy_with_logits(d(fake), ones)
            opt_g.zero_grad(set_to_none=True)
            scaler_g.scale(loss_g).backward()
            scaler_g.step(opt_g)
            scaler_g.update()
    return g, d


def two_optimizers_each(watching: Watching, rounds: int) -> Nets:
    """Two optimizers for each player, and three steps of D for one of G."""
    x, g, d = images().flatten(1), mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    opt_g, opt_d = ([adam(net[0]), torch.optim.RMSprop(net[2].parameters(), 1e-3)] for net in (g, d))
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            for _ in range(3):
                real, fake = x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, LATENT)).detach()
                for opt in opt_d:
                    opt.zero_grad()
                (relu(1 - d(real)).mean() + relu(1 + d(fake)).mean()).backward()
                for opt in opt_d:
                    opt.step()
            for opt in opt_g:
                opt.zero_grad()
            (-d(g(torch.randn(BATCH, LATENT))).mean()).backward()
            for opt in opt_g:
                opt.step()
    return g, d


class PartlyCompiled(nn.Module):
    """A network whose inner part goes through torch.compile."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = torch.compile(net, backend="eager")  # pyright: ignore[reportUnknownMemberType]

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x) * 1.0


def compiled_inside(watching: Watching, rounds: int) -> Nets:
    """Parts of both networks are compiled."""
    x, g, d = _flat()
    _play(watching, rounds, x, PartlyCompiled(g), PartlyCompiled(d))
    return g, d


def compiled_step(watching: Watching, rounds: int) -> Nets:
    """The losses are computed in compiled functions, networks and all."""
    x, g, d = _flat()
    opt_g, opt_d = adam(g), adam(d)

    @torch.compile(backend="eager")  # pyright: ignore[reportUnknownMemberType, reportUntypedFunctionDecorator]
    def d_loss(real: Tensor, fake: Tensor) -> Tensor:
        return softplus(-d(real)).mean() + softplus(d(fake)).mean()

    @torch.compile(backend="eager")  # pyright: ignore[reportUnknownMemberType, reportUntypedFunctionDecorator]
    def g_loss(z: Tensor) -> Tensor:
        return softplus(-d(g(z))).mean()

    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            fake = g(torch.randn(BATCH, LATENT)).detach()
            opt_d.zero_grad()
            d_loss(x[torch.randint(len(x), (BATCH,))], fake).backward()
            opt_d.step()
            opt_g.zero_grad()
            g_loss(torch.randn(BATCH, LATENT)).backward()
            opt_g.step()
    return g, d


def frozen_backbone(watching: Watching, rounds: int) -> Nets:
    """D judges by features of a network that is not to be trained, and its optimizer holds the last layer alone."""
    x, g, _ = _flat()
    d = nn.Sequential(mlp(64, 32, 32, 16).requires_grad_(False), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    opt_g, opt_d = adam(g), adam(d[2])
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            (softplus(-d(real)).mean() + softplus(d(fake.detach())).mean()).backward()
            opt_d.step()
            opt_g.zero_grad()
            softplus(-d(fake)).mean().backward()
            opt_g.step()
    return g, d


class ManyOutputs(nn.Module):
    """A D that returns a dict of its scores, its features and a class."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.score, self.classes = mlp(64, 32, 16), nn.Linear(16, 1), nn.Linear(16, 4)

    def forward(self, x: Tensor) -> dict[str, Any]:
        features = self.body(x).relu()
        return {"features": [features], "classes": self.classes(features), "score": self.score(features)}


def features_matched(watching: Watching, rounds: int) -> Nets:
    """D returns a dict, and G matches the features of real examples."""
    x, g, d = images().flatten(1), mlp(LATENT, 32, 64, last=nn.Tanh()), ManyOutputs()
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, LATENT))
            on_real, on_fake = d(real), d(fake.detach())
            opt_d.zero_grad()
            (softplus(-on_real["score"]).mean() + softplus(on_fake["score"]).mean()).backward()
            opt_d.step()
            opt_g.zero_grad()
            with torch.no_grad():
                wanted = d(real)["features"][0].mean(0)
            output = d(fake)
            matched = (output["features"][0].mean(0) - wanted).square().mean()
            (softplus(-output["score"]).mean() + matched).backward()
            opt_g.step()
    return g, d


def g_first(watching: Watching, rounds: int) -> Nets:
    """G steps before D, so that the first round has no loss of D."""
    x, g, d = _flat()
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            fake = g(torch.randn(BATCH, LATENT))
            opt_g.zero_grad()
            softplus(-d(fake)).mean().backward()
            opt_g.step()
            opt_d.zero_grad()
            real = x[torch.randint(len(x), (BATCH,))]
            (softplus(-d(real)).mean() + softplus(d(fake.detach())).mean()).backward()
            opt_d.step()
    return g, d


def image_to_image(watching: Watching, rounds: int) -> Nets:
    """G turns one picture into another, and D scores patches of both together; G also stays near the target."""
    x = images()
    g = nn.Sequential(nn.Conv2d(1, 8, 3, 1, 1), nn.ReLU(), nn.Conv2d(8, 1, 3, 1, 1), nn.Tanh())
    d = nn.Sequential(nn.Conv2d(2, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 3))
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            target = x[torch.randint(len(x), (BATCH,))]
            source = target.flip(3)
            fake = g(source)
            opt_d.zero_grad()
            on_real, on_fake = d(torch.cat([source, target], 1)), d(torch.cat([source, fake.detach()], 1))
            (softplus(-on_real).mean() + softplus(on_fake).mean()).backward()
            opt_d.step()
            opt_g.zero_grad()
            on_fake = d(torch.cat([source, fake], 1))
            (softplus(-on_fake).mean() + 10 * (fake - target).abs().mean()).backward()
            opt_g.step()
    return g, d


LOOPS: dict[str, Loop] = {
    loop.__name__: loop
    for loop in (
        distributed, compiled, compiled_in_place, scaled, compiled_inside, compiled_step, two_optimizers_each,
        frozen_backbone, features_matched, g_first, image_to_image,
    )
}  # fmt: skip
