"""Layers that nothing uses yet, examples that grow, and gradients of 0: none of these is a weight that is frozen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file
from torch import Tensor, nn

import sparring
from sparring.record.loop import EXAMPLES
from sparring.training.watch import samples
from sparring.training.watch.examination import has_made_steps
from sparring.training.watch.session import Watch
from tests.loops.sound import adam, mlp

BATCH, LATENT, ROUNDS = 16, 8, 30


@pytest.fixture(autouse=True)
def no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """G's operations are not written down, which takes longest."""
    monkeypatch.setattr(samples, "graph_of", lambda *_, **__: {})


class GrowingG(nn.Module):
    """Makes images of 4 x 4, and once it is `grown` of 8 x 8, with layers that nothing used before."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(LATENT, 16)
        self.later = nn.Sequential(*(nn.Conv2d(1, 1, 3, 1, 1) for _ in range(3)))
        self.grown = False

    def forward(self, z: Tensor) -> Tensor:
        x = self.first(z).view(-1, 1, 4, 4)
        return torch.tanh(self.later(F.interpolate(x, scale_factor=2)) if self.grown else x)


class GrowingD(nn.Module):
    """Its other half."""

    def __init__(self) -> None:
        super().__init__()
        self.earlier = nn.Sequential(nn.Conv2d(1, 1, 3, 1, 1), nn.Conv2d(1, 1, 3, 1, 1), nn.Conv2d(1, 1, 3, 2, 1))
        self.last = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last((self.earlier(x) if x.shape[-1] == 8 else x).flatten(1))


def play(out: Path, g: Any, d: nn.Module, rounds: int = ROUNDS, grows_at: int | None = None) -> tuple[Watch, list[str]]:
    """A sound loop of these networks. Returns its watch, and the mistakes that it is accused of."""
    torch.manual_seed(0)
    opt_g, opt_d = adam(g), adam(d)
    with Watch(g, d, opt_g, opt_d, out=out) as watch:
        for round in range(rounds):
            g.grown = grows_at is not None and round >= grows_at
            fake = g(torch.randn(BATCH, LATENT))
            real = torch.tanh(torch.randn_like(fake))
            opt_d.zero_grad()
            (F.softplus(-d(real)).mean() + F.softplus(d(fake.detach())).mean()).backward()
            opt_d.step()
            opt_g.zero_grad()
            F.softplus(-d(fake)).mean().backward()
            opt_g.step()
    findings = sparring.Run(out).diagnose().findings
    return watch, [finding.rule for finding in findings if finding.rule.startswith("bug-")]


@pytest.mark.parametrize("grows_at", [None, 1, 7, 20])
def test_a_network_that_grows_is_watched_to_its_end(grows_at: int | None, tmp_path: Path) -> None:
    watch, mistakes = play(tmp_path / "run", GrowingG(), GrowingD(), grows_at=grows_at)
    assert watch.trouble is None and not mistakes
    size = 4 if grows_at is None else 8
    loop = sparring.Run(tmp_path / "run").folder.story.loop
    assert loop is not None and loop.data.shape == loop.makes == (1, size, size)
    kept = load_file(tmp_path / "run" / EXAMPLES)["examples"]
    assert kept.shape[1:] == (1, size, size) and len(kept) >= BATCH


class Cut(nn.Module):
    """A D that uses all of its weights, and passes no gradient on to most of them."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.last = mlp(4, 16, 16, 16), nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.body(x).detach())


def test_weights_that_are_used_and_get_no_gradient_are_still_named(tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = mlp(LATENT, 16, 4), Cut()
    opt_g, opt_d = adam(g), adam(d)
    with Watch(g, d, opt_g, opt_d, out=tmp_path / "run"):
        for _ in range(ROUNDS):
            opt_d.zero_grad()
            (
                F.softplus(-d(torch.randn(BATCH, 4))).mean() + F.softplus(d(g(torch.randn(BATCH, LATENT)))).mean()
            ).backward()
            opt_d.step()
            opt_g.step()
    assert "bug-frozen" in [finding.rule for finding in sparring.Run(tmp_path / "run").diagnose().findings]


class Sure(nn.Module):
    """A D that is sure of everything, so that a loss sends no gradient to it, or one that is lost in rounding."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.net, self.by = mlp(4, 16, 1), by

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x) + torch.where(x[:, :1] > 10, self.by, -self.by)


@pytest.mark.parametrize("by", [30.0, 300.0])
@pytest.mark.parametrize("stepping", [torch.optim.Adam, torch.optim.SGD])
def test_a_loss_without_a_slope_is_no_frozen_weight(by: float, stepping: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = mlp(LATENT, 16, 4), Sure(by)
    opt_g, opt_d = stepping(g.parameters(), 1e-3), stepping(d.parameters(), 1e-3)
    with Watch(g, d, opt_g, opt_d, out=tmp_path / "run"):
        for _ in range(ROUNDS):
            real, fake = 20 + torch.randn(BATCH, 4), g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            (F.relu(1 - d(real)).mean() + F.softplus(d(fake.detach())).mean()).backward()
            opt_d.step()
            opt_g.zero_grad()
            (-torch.exp(d(fake))).mean().backward()
            opt_g.step()
    run = sparring.Run(tmp_path / "run")
    assert not [f.rule for f in run.diagnose().findings if f.rule in ("bug-frozen", "bug-lost-gradients")]
    assert np.nanmax(run.folder.story.curve("g_gradient")) < 1e-3


class Numbered(nn.Module):
    """G with an embedding whose gradients are sparse."""

    def __init__(self) -> None:
        super().__init__()
        self.known, self.main = nn.Embedding(50, LATENT, sparse=True), mlp(LATENT, 16, 16)

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z + self.known(torch.randint(50, (len(z),))))


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@pytest.mark.parametrize("makes", [torch.optim.Adagrad, torch.optim.SGD])
def test_sparse_gradients_are_watched(makes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.stories.test_watched_growth.adam", lambda net: makes(net.parameters(), 1e-2))
    watch, mistakes = play(tmp_path / "run", Numbered(), mlp(16, 16, 1))
    assert watch.trouble is None and not mistakes


def test_an_adagrad_that_begins_has_made_no_steps() -> None:
    net = nn.Linear(2, 1)
    adagrad, momentum = torch.optim.Adagrad(net.parameters(), 1e-2), torch.optim.SGD(net.parameters(), 1e-2, 0.9)
    assert not has_made_steps(adagrad) and not has_made_steps(momentum)
    net(torch.ones(1, 2)).sum().backward()
    adagrad.step()
    momentum.step()
    assert has_made_steps(adagrad) and has_made_steps(momentum)
