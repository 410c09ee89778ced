"""A watch names the objective of a loop, and the level of D's loss where D cannot tell real from generated examples."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import sparring
from sparring.training.watch import samples
from sparring.training.watch.session import Watch
from tests.loops.sound import BATCH, LATENT, Watching, adam, images, mlp

Loss = Callable[[Tensor, Tensor], Tensor]
bce, softplus, relu = F.binary_cross_entropy_with_logits, F.softplus, F.relu
ONES, ZEROS = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
ROUNDS = 4


def hinge(r: Tensor, f: Tensor) -> Tensor:
    return relu(1 - r).mean() + relu(1 + f).mean()


def average_by_bce(r: Tensor, f: Tensor) -> Tensor:
    return bce(r - f.mean(), ONES) + bce(f - r.mean(0, keepdim=True), ZEROS)


def least_squares(r: Tensor, f: Tensor) -> Tensor:
    return F.mse_loss(r, ONES) + F.mse_loss(f, ZEROS)


def with_hinge_printed(r: Tensor, f: Tensor) -> Tensor:
    """What a program computes of scores to print it is no part of the loss."""
    sys.stdout.write(f"{hinge(r, f).item()} {softplus(r - f).mean().item()}\n")
    return least_squares(r, f)


LOSSES: dict[str, tuple[str | None, Loss]] = {
    "RaGAN": ("relativistic-average", average_by_bce),
    "RaGAN, halved": ("relativistic-average", lambda r, f: average_by_bce(r, f) / 2),
    "RaGAN by softplus": (
        "relativistic-average",
        lambda r, f: softplus(-(r - torch.mean(f))).mean() + softplus(f - torch.mean(r)).mean(),
    ),
    "RpGAN": ("relativistic-paired", lambda r, f: bce(r - f, ONES)),
    "RpGAN by softplus": ("relativistic-paired", lambda r, f: softplus(f - r).mean()),
    "RpGAN by logsigmoid, twice": ("relativistic-paired", lambda r, f: -2 * F.logsigmoid(r - f).mean()),
    "hinge": ("hinge", hinge),
    "hinge, averaged": ("hinge", lambda r, f: 0.5 * hinge(r, f)),
    "hinge by min": ("hinge", lambda r, f: -torch.min(0 * r, r - 1).mean() - torch.min(0 * f, -1 - f).mean()),
    "LeCam": ("hinge", lambda r, f: hinge(r, f) + 1e-3 * ((r - 0.1).pow(2) + (f + 0.1).square()).mean()),
    "consistency": ("hinge", lambda r, f: hinge(r, f) + 10 * ((r - r.roll(1, 0)) ** 2).mean()),
    "consistency by mse_loss": ("hinge", lambda r, f: hinge(r, f) + 10 * F.mse_loss(r, r.roll(1, 0))),
    "drift": ("hinge", lambda r, f: hinge(r, f) + 1e-3 * (r**2).mean()),
    "critic with drift": ("wasserstein", lambda r, f: f.mean() - r.mean() + 1e-3 * (r * r).mean()),
    "critic with LeCam": ("wasserstein", lambda r, f: f.mean() - r.mean() + 1e-3 * ((r - 0.1) ** 2).mean()),
    "one batch": ("bce-with-logits", lambda r, f: bce(torch.cat([r, f]), torch.cat([ONES, ZEROS]))),
    "sums of scores": (
        "bce-with-logits",
        lambda r, f: softplus(-r - r.roll(1, 0)).mean() + softplus(f + f.roll(1, 0)).mean(),
    ),
    "summed up": ("bce-with-logits", lambda r, f: (bce(r, ONES, reduction="sum") + bce(f, ZEROS)) / 2),
    "softplus, halved": ("bce-with-logits", lambda r, f: (softplus(-r) + softplus(f)).mean() / 2),
    "logarithms": ("bce-with-logits", lambda r, f: -(r.sigmoid().log() + (1 - f.sigmoid()).log()).mean()),
    "logarithms of 1 + exp": ("bce-with-logits", lambda r, f: ((1 + (-r).exp()).log() + (1 + f.exp()).log()).mean()),
    "log1p": ("bce-with-logits", lambda r, f: (torch.log1p((-r).exp()) + torch.log1p(f.exp())).mean()),
    "relativistic hinge": (None, lambda r, f: hinge(r - f.mean(), f - r.mean())),
    "relativistic squares": (None, lambda r, f: ((r - f.mean() - 1) ** 2 + (f - r.mean() + 1) ** 2).mean()),
}
G_LOSSES: dict[str, tuple[str, Loss]] = {
    "RaGAN": ("RaGAN", lambda r, f: average_by_bce(f, r)),
    "RpGAN": ("RpGAN", lambda r, f: softplus(r - f).mean()),
    "halved": ("softplus, halved", lambda r, f: softplus(-f).mean() / 2),
    "logarithm": ("logarithms", lambda r, f: -f.sigmoid().log().mean()),
    "saturating": ("logarithms", lambda r, f: (1 - f.sigmoid()).log().mean()),
}
"""Of G, each beside one of D."""
SQUARES: dict[str, Loss] = {
    "added": least_squares,
    "by hand, halved": lambda r, f: 0.5 * ((r - 1) ** 2).mean() + 0.5 * f.square().mean(),
    "consistency": lambda r, f: least_squares(r, f) + 10 * F.mse_loss(r, r.roll(1, 0)),
    "printed": with_hinge_printed,
}


def squared(score: Tensor, target: float | Tensor) -> Tensor:
    return ((score - target) ** 2).mean()


TARGETS: dict[str, tuple[float, Loss, Loss]] = {
    "-1 and 1, G 0": (0.0, lambda r, f: squared(r, 1) + squared(f, -1), lambda _, f: f.pow(2).mean()),
    "-1 and 1 by labels": (0.0, lambda r, f: squared(r, ONES) + squared(f, -ONES), lambda _, f: squared(f, 1)),
    "turned round": (0.2, lambda r, f: (1.4 - r).square().mean() + (f + 1).square().mean(), lambda _, f: squared(f, 2)),
    "by mse_loss, halved": (
        1.5,
        lambda r, f: (F.mse_loss(r, 2 * ONES) + F.mse_loss(ONES, f)) / 2,
        lambda _, f: F.mse_loss(f, 3 * ONES),
    ),
    "one batch": (
        0.0,
        lambda r, f: F.mse_loss(torch.cat([r, f]), torch.cat([ONES, -ONES])),
        lambda _, f: squared(f, 1),
    ),
    "unlike weights": (0.5, lambda r, f: 3 * squared(r, 1) + squared(f, -1), lambda _, f: squared(f, 1)),
}
"""The undecided score, and losses of D and of G."""


@pytest.fixture(autouse=True)
def generators_are_not_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that samples can be drawn elsewhere, which changes no level."""
    monkeypatch.setattr(samples, "graph_of", lambda *_, **__: {})


def of_hinge(_: Tensor, f: Tensor) -> Tensor:
    return -f.mean()


def seen_of(
    loss: Loss, undecided: float, out: Path, g_loss: Loss = of_hinge
) -> tuple[dict[str, Any], dict[str, float] | None, list[float]]:
    """The objective that a watch names, the levels that it states, and true losses where all scores are the same."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    nn.init.zeros_(d[-1].weight)
    nn.init.constant_(d[-1].bias, undecided)
    opt_g, opt_d = adam(g, 1e-9), adam(d, 1e-9)
    true = list[float]()
    with Watch(g, d, opt_g, opt_d, out=out) as watch:
        for _ in range(ROUNDS):
            real, fake = x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            cost = loss(d(real), d(fake.detach()))
            cost.backward()
            opt_d.step()
            opt_g.zero_grad()
            cost_g = g_loss(d(real), d(fake))
            cost_g.backward()
            opt_g.step()
            true = [cost.item(), cost_g.item()]
    assert watch.trouble is None
    levels = [event["levels"] for event in watch.run.story.events if event.get("levels")]
    return json.loads(watch.run.recipe_json)["objective"], levels[-1] if levels else None, true


@pytest.mark.parametrize("name", LOSSES)
def test_the_level_of_a_loss_is_what_it_is_where_d_cannot_tell(name: str, tmp_path: Path) -> None:
    expected, loss = LOSSES[name]
    objective, levels, true = seen_of(loss, 0.0, tmp_path / "run")
    assert objective.get("is") == expected
    if expected is None:
        assert levels is None
    else:
        assert levels is not None and levels["d_loss"] == pytest.approx(true[0], abs=2e-3)


@pytest.mark.parametrize("name", G_LOSSES)
def test_the_level_of_gs_loss(name: str, tmp_path: Path) -> None:
    of_d, of_g = G_LOSSES[name]
    _, levels, true = seen_of(LOSSES[of_d][1], 0.0, tmp_path / "run", of_g)
    assert levels is not None and levels["g_loss"] == pytest.approx(true[1], abs=2e-3)


@pytest.mark.parametrize("name", SQUARES)
def test_the_level_of_least_squares(name: str, tmp_path: Path) -> None:
    objective, levels, true = seen_of(SQUARES[name], 0.5, tmp_path / "run", lambda _, f: F.mse_loss(f, ONES))
    assert objective["is"] == "least-squares"
    assert levels is not None and levels["g_loss"] == pytest.approx(true[1], abs=2e-3)
    assert levels is not None and levels["d_loss"] == pytest.approx(true[0], abs=2e-3)


@pytest.mark.parametrize("name", TARGETS)
def test_the_level_of_squares_with_other_targets(name: str, tmp_path: Path) -> None:
    undecided, loss, g_loss = TARGETS[name]
    objective, levels, true = seen_of(loss, undecided, tmp_path / "run", g_loss)
    assert objective["is"] == "least-squares" and levels is not None
    assert levels["d_real"] == levels["d_fake"] == pytest.approx(undecided, abs=1e-3)
    assert [levels["d_loss"], levels["g_loss"]] == pytest.approx(true, abs=5e-3)


def test_consistency_with_scores_that_are_no_part_of_the_graph_is_no_target(tmp_path: Path) -> None:
    def loss(r: Tensor, f: Tensor) -> Tensor:
        return least_squares(r, f) + 10 * F.mse_loss(r, r.detach().roll(1, 0) + torch.linspace(0, 0.1, BATCH)[:, None])

    _, levels, _ = seen_of(loss, 0.5, tmp_path / "run", lambda _, f: squared(f, 1))
    assert levels is not None and [levels[name] for name in ("d_real", "d_fake", "g_loss")] == [0.5, 0.5, 0.25]


class Heads(nn.Module):
    """A D with a score and four classes, in one tensor or two."""

    def __init__(self, apart: bool) -> None:
        super().__init__()
        self.net, self.apart = mlp(64, 32, 5), apart
        nn.init.zeros_(self.net[-1].weight)
        nn.init.zeros_(self.net[-1].bias)

    def forward(self, x: Tensor) -> Any:
        out = self.net(x)
        return (out[:, 1:], out[:, :1]) if self.apart else out


def smooth(logits: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(logits, y, label_smoothing=0.1)


def attributes(logits: Tensor, y: Tensor) -> Tensor:
    return bce(logits, F.one_hot(y, 4).float())


CLASS_LOSSES: dict[str, tuple[bool, Loss]] = {
    "one output": (False, F.cross_entropy),
    "smoothed": (True, smooth),
    "by softmax": (True, lambda logits, y: F.nll_loss(logits.softmax(1).log(), y, reduction="sum") / BATCH),
    "attributes": (True, attributes),
}


@pytest.mark.parametrize("name", CLASS_LOSSES)
def test_what_classes_add_to_a_loss_is_left_out_of_its_curve(name: str, tmp_path: Path) -> None:
    """An AC-GAN's losses: the curves are what is made of D's scores, to which the levels belong."""
    apart, of_classes = CLASS_LOSSES[name]
    x, y = images().flatten(1), torch.arange(128) % 4
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), Heads(apart)
    opt_g, opt_d = adam(g, 1e-9), adam(d, 1e-9)

    def cost(out: Any, label: float, y: Tensor) -> Tensor:
        logits, score = out if apart else (out[:, 1:], out[:, :1])
        return (bce(score, torch.full_like(score, label)) + of_classes(logits, y)) / 2

    with Watch(g, d, opt_g, opt_d, out=tmp_path / "run") as watch:
        for _ in range(14):
            at, fake = torch.randint(len(x), (BATCH,)), g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            (cost(d(x[at]), 1.0, y[at]) + cost(d(fake.detach()), 0.0, y[at])).backward()
            opt_d.step()
            opt_g.zero_grad()
            cost(d(fake), 1.0, y[at]).backward()
            opt_g.step()
    assert watch.trouble is None
    story = watch.run.story
    levels = [event["levels"] for event in story.events if event.get("levels")][-1]
    assert story.loop is not None and "classes" in story.loop.d.terms and "classes" in story.loop.g.terms
    for curve, level in (("d_loss", math.log(2)), ("g_loss", math.log(2) / 2)):
        assert levels[curve] == pytest.approx(level, abs=2e-3)
        assert story.curve(curve)[:, 0] == pytest.approx(level, abs=2e-3)


PATCHES: dict[str, tuple[int, Loss, bool]] = {
    "patches, and classes of another network": (6, bce, True),
    "a D of two classes that keeps its outputs small": (
        2,
        lambda s, one: F.cross_entropy(s, one[:, 0].long()) + 1e-3 * s.square().mean(),
        False,
    ),
}


@pytest.mark.parametrize("name", PATCHES)
def test_scores_are_no_classes(name: str, tmp_path: Path) -> None:
    """In rounds that are watched closely, and in those after these."""
    outputs, of_scores, has_classes = PATCHES[name]
    x, y = images().flatten(1), torch.arange(BATCH) % 4
    g, d, classifier = mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, outputs), mlp(64, 8, 4)
    opt_g, opt_d = adam(g, 1e-9), adam(d, 1e-9)
    true = list[list[float]]()
    with Watch(g, d, opt_g, opt_d, out=tmp_path / "run") as watch:
        for _ in range(14):
            real, fake = d(x[torch.randint(len(x), (BATCH,))]), g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            of_fake = d(fake.detach())
            loss_d = of_scores(real, torch.ones_like(real)) + of_scores(of_fake, torch.zeros_like(of_fake))
            loss_d.backward()
            opt_d.step()
            opt_g.zero_grad()
            loss_g = of_scores(d(fake), torch.ones_like(of_fake))
            true.append([loss_d.item(), loss_g.item()])
            if has_classes:
                loss_g = loss_g + F.cross_entropy(classifier(fake), y)
            loss_g.backward()
            opt_g.step()
    assert watch.trouble is None
    story = watch.run.story
    assert story.loop is not None and "classes" not in story.loop.d.terms
    assert ("classes" in story.loop.g.terms) == has_classes
    for curve, values in zip(("d_loss", "g_loss"), zip(*true, strict=True), strict=True):
        assert story.curve(curve)[:, 0] == pytest.approx(values, abs=1e-3)


def test_steps_on_parts_of_a_batch_have_one_level(tmp_path: Path) -> None:
    """Two backward passes for a step, each of half the loss: the curve shows their sum."""

    def loop(watching: Watching, rounds: int) -> None:
        x, g, d = images().flatten(1), mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
        opt_g, opt_d = adam(g), adam(d)
        with watching(g, d, opt_g, opt_d):
            for _ in range(rounds):
                opt_d.zero_grad()
                for _ in range(2):
                    real, fake = x[torch.randint(len(x), (BATCH,))], g(torch.randn(BATCH, LATENT))
                    (hinge(d(real), d(fake.detach())) / 2).backward()
                opt_d.step()
                opt_g.zero_grad()
                (-d(g(torch.randn(BATCH, LATENT)))).mean().backward()
                opt_g.step()

    loop(lambda *players: sparring.watch(*players, out=tmp_path / "run"), ROUNDS)
    loop_facts = sparring.Run(tmp_path / "run").folder.story.loop
    assert loop_facts is not None and loop_facts.d_loss_scale == pytest.approx(2, abs=1e-3)
    assert loop_facts.d.terms == ("hinge",)
