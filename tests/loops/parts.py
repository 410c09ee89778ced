"""Loops in which a part of a loss, or of a network, learns nothing, and sound ones that look like these."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.loops.changeable import Nets, flat
from tests.loops.sound import BATCH, LATENT, Loop, Watching, adam, images, mlp

# Parts of G's loss.

Cost = Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor]
"""D, what G is given, what it makes of it, and what it should make -> G's loss."""


def _paired(watching: Watching, rounds: int, g_cost: Cost, freeze_d: bool = False, joint: bool = False) -> Nets:
    """G makes sharp images of blurred ones; D is given both. `joint`: both step on one loss, which is D's and G's."""
    sharp = images().flatten(1)
    blurred = F.avg_pool2d(images(), 3, 1, 1).flatten(1)
    g, d = mlp(64, 32, 64, last=nn.Tanh()), mlp(128, 32, 1)
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            rows = torch.randint(len(sharp), (BATCH,))
            given, real = blurred[rows], sharp[rows]
            fake = g(given)
            opt_d.zero_grad()
            opt_g.zero_grad()
            loss_d = F.softplus(-d(torch.cat([given, real], 1))).mean() + F.softplus(_of_fake(d, given, fake)).mean()
            if joint:
                (loss_d + g_cost(d, given, fake, real)).backward()
                opt_d.step()
                opt_g.step()
                continue
            loss_d.backward()
            opt_d.step()
            d.requires_grad_(not freeze_d)
            g_cost(d, given, fake, real).backward()
            d.requires_grad_(True)
            opt_g.step()
    return g, d


def _of_fake(d: nn.Module, given: Tensor, fake: Tensor) -> Tensor:
    """D's scores of what G made, which is cut off."""
    return d(torch.cat([given, fake.detach()], 1))


def cut_beside(d: nn.Module, given: Tensor, fake: Tensor, real: Tensor) -> Tensor:
    """What D says of G's images sends nothing to G, and their distance to the sharp ones does."""
    return F.softplus(-_of_fake(d, given, fake)).mean() + 5 * F.l1_loss(fake, real)


def whole(d: nn.Module, given: Tensor, fake: Tensor, real: Tensor) -> Tensor:
    return F.softplus(-d(torch.cat([given, fake], 1))).mean() + 5 * F.l1_loss(fake, real)


def weighted(d: nn.Module, given: Tensor, fake: Tensor, real: Tensor) -> Tensor:
    """What D says weighs the distance of each image, and teaches G besides."""
    weights = _of_fake(d, given, fake).sigmoid().detach()
    return F.softplus(-d(torch.cat([given, fake], 1))).mean() + (weights * (fake - real).abs()).mean()


def distance(d: nn.Module, given: Tensor, fake: Tensor, real: Tensor) -> Tensor:
    """G learns from targets alone."""
    return F.l1_loss(fake, real)


def boosted(d: nn.Module, given: Tensor, fake: Tensor, real: Tensor) -> Tensor:
    """What D says weighs the distance of each image, and teaches G nothing else."""
    return (_of_fake(d, given, fake).sigmoid() * (fake - real).abs()).mean()


def g_first_in_one_loss(watching: Watching, rounds: int) -> Nets:
    """Both step on one loss, G first, which learns from targets alone."""
    x = images().flatten(1)
    g, d = mlp(64, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real = x[torch.randint(len(x), (BATCH,))]
            fake = g(real + 0.3 * torch.randn_like(real))
            opt_d.zero_grad()
            opt_g.zero_grad()
            (F.softplus(-d(real)).mean() + F.softplus(d(fake.detach())).mean() + F.l1_loss(fake, real)).backward()
            opt_g.step()
            opt_d.step()
    return g, d


class Bits(nn.Module):
    """G that gives dots that are drawn, and how probable these were."""

    def __init__(self) -> None:
        super().__init__()
        self.main = mlp(LATENT, 32, 64)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.main(z)
        dots = torch.bernoulli(logits.sigmoid()).detach()
        return dots, -F.binary_cross_entropy_with_logits(logits, dots, reduction="none").sum(1, keepdim=True)


def rewarded(watching: Watching, rounds: int) -> Nets:
    """G learns by REINFORCE: D's score, of a D that is frozen meanwhile, is the reward (Yu et al. 2017)."""
    x = (images().flatten(1) > 0).float()
    g, d = Bits(), mlp(64, 32, 1)
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            dots, likely = g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            real = x[torch.randint(len(x), (BATCH,))]
            (F.softplus(-d(real)).mean() + F.softplus(d(dots)).mean()).backward()
            opt_d.step()
            d.requires_grad_(False)
            reward = d(dots).sigmoid()
            d.requires_grad_(True)
            opt_g.zero_grad()
            (-(likely * (reward - reward.mean())).mean()).backward()
            opt_g.step()
    return g, d


# Parts of a network.


class TwoScales(nn.Module):
    """D of two parts, of which the second one, a smaller one, sees less of each image."""

    def __init__(self) -> None:
        super().__init__()
        self.whole, self.part = mlp(64, 32, 1), mlp(8, 16, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.whole(x) + self.part(x[:, ::8])


class TwoStages(nn.Module):
    """G of two parts, of which the first one is smaller."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.rest = mlp(LATENT, 8, LATENT), mlp(LATENT, 32, 64, last=nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.rest(z + self.first(z))


class Labeled(nn.Module):
    """G with an embedding, of 3 % of its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.classes, self.rest = nn.Embedding(6, LATENT), mlp(LATENT, 32, 64, last=nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.rest(z + self.classes(torch.randint(6, (len(z),))))


def embedding_left_out(watching: Watching, rounds: int) -> Nets:
    """G's optimizer holds all but its embedding."""
    g = Labeled()
    return flat(watching, rounds, g=g, opt=lambda _, d: (adam(g.rest), adam(d)))


def second_part_left_out(watching: Watching, rounds: int) -> Nets:
    """D's optimizer holds the larger of its two parts alone."""
    d = TwoScales()
    return flat(watching, rounds, d=d, opt=lambda g, _: (adam(g), adam(d.whole)))


def first_part_left_out(watching: Watching, rounds: int) -> Nets:
    """G's optimizer holds the larger of its two parts alone."""
    g = TwoStages()
    return flat(watching, rounds, g=g, opt=lambda _, d: (adam(g.rest), adam(d)))


def with_another_optimizer(watching: Watching, rounds: int) -> Nets:
    """The smaller part of D has an optimizer that the watch is not given."""
    d = TwoScales()
    other = adam(d.part)

    def step(*_: nn.Module) -> None:
        other.step()
        other.zero_grad()

    return flat(watching, rounds, d=d, opt=lambda g, _: (adam(g), adam(d.whole)), before_g=step)


def in_evaluation_mode(watching: Watching, rounds: int) -> Nets:
    """The smaller part of D stays as it is, and is in evaluation mode."""
    d = TwoScales()
    d.part.eval()
    return flat(watching, rounds, d=d, opt=lambda g, _: (adam(g), adam(d.whole)))


SOUND: dict[str, Loop] = {
    "two terms": partial(_paired, g_cost=whole),
    "two terms, D frozen meanwhile": partial(_paired, g_cost=whole, freeze_d=True),
    "weighted": partial(_paired, g_cost=weighted, freeze_d=True),
    "targets alone, in one loss": partial(_paired, g_cost=distance, joint=True),
    "boosted, D frozen meanwhile": partial(_paired, g_cost=boosted, freeze_d=True),
    "targets alone, in one loss, G first": g_first_in_one_loss,
    "rewarded": rewarded,
    "a part with another optimizer": with_another_optimizer,
    "a part in evaluation mode": in_evaluation_mode,
}
BROKEN: dict[str, tuple[Loop, str]] = {
    "cut_beside": (partial(_paired, g_cost=cut_beside), "bug-generator-cut-off"),
    "cut_beside, D frozen meanwhile": (partial(_paired, g_cost=cut_beside, freeze_d=True), "bug-generator-cut-off"),
    "second_part_left_out": (second_part_left_out, "bug-wrong-parameters"),
    "embedding_left_out": (embedding_left_out, "bug-wrong-parameters"),
    "first_part_left_out": (first_part_left_out, "bug-wrong-parameters"),
}
