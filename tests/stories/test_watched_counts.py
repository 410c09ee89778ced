"""What a watched run says that it has seen, and the numbers of a round with several steps of D, are the loop's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

import sparring
from sparring.rules._signals import Signals
from sparring.training.watch import samples
from tests.loops.sound import adam, mlp

BATCH, LATENT, NUMBERS, ROUNDS = 16, 8, 4, 20


@pytest.fixture(autouse=True)
def no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """G's operations are not written down, which takes longest."""
    monkeypatch.setattr(samples, "graph_of", lambda *_, **__: {})


class Counted:
    """A loop that counts by itself what D sees, and notes the numbers of its last step of each round."""

    def __init__(
        self, out: Path, parts: int = 1, d_steps: int = 1, warm_up: int = 0, penalty: str = "", every: int = 1
    ):
        torch.manual_seed(0)
        self.g, self.d = mlp(LATENT, 16, NUMBERS), mlp(NUMBERS, 16, 1)
        self.opt_g, self.opt_d = adam(self.g, 2e-4), adam(self.d, 2e-4)
        self.parts, self.penalty, self.shown, self.steps = parts, penalty, 0, 0
        self.noted = list[dict[str, float]]()
        with sparring.watch(self.g, self.d, self.opt_g, self.opt_d, out=out):
            for _ in range(warm_up):
                self.step_d()
            for round in range(ROUNDS):
                for _ in range(d_steps):
                    said = self.step_d()
                if penalty == "own step" and round % every == 0:
                    self.opt_d.zero_grad()
                    self.slope(torch.randn(BATCH, NUMBERS)).backward()
                    self.opt_d.step()
                self.opt_g.zero_grad()
                softplus(-self.d(self.g(torch.randn(BATCH, LATENT)))).mean().backward()
                self.opt_g.step()
                if penalty == "own step" and round % every == 0:  # as for a path length
                    self.opt_g.zero_grad()
                    self.g(torch.randn(BATCH, LATENT)).square().mean().backward()
                    self.opt_g.step()
                self.steps += 1
                self.noted.append(said)

    def slope(self, x: torch.Tensor) -> torch.Tensor:
        (slope,) = torch.autograd.grad(self.d(x.requires_grad_()).sum(), x, create_graph=True)
        return slope.square().sum(1).mean()

    def step_d(self) -> dict[str, float]:
        self.opt_d.zero_grad()
        sums = dict.fromkeys(("d_loss", "d_real", "d_fake"), 0.0)
        for _ in range(self.parts):
            x, fake = torch.randn(BATCH, NUMBERS), self.g(torch.randn(BATCH, LATENT)).detach()
            of_x, of_fake = self.d(x), self.d(fake)
            loss = (softplus(-of_x) + softplus(of_fake)).mean()
            loss.backward()
            if self.penalty == "beside":
                self.slope(x).backward()
            said = of_x.sigmoid().mean(), of_fake.sigmoid().mean()
            for name, value in zip(sums, (loss, *said), strict=True):
                sums[name] += float(value.detach()) / self.parts
            self.shown += len(x)
        norm = torch.cat([p.grad.flatten() for p in self.d.parameters() if p.grad is not None]).norm()
        self.opt_d.step()
        self.steps += 1
        return {**sums, "d_gradient": float(norm)}


@pytest.mark.parametrize("parts", [1, 4])
@pytest.mark.parametrize("d_steps", [1, 3])
@pytest.mark.parametrize("warm_up", [0, 10])
@pytest.mark.parametrize("penalty", ["", "beside"])
def test_examples_and_steps_are_counted(parts: int, d_steps: int, warm_up: int, penalty: str, tmp_path: Path) -> None:
    loop = Counted(tmp_path / "run", parts, d_steps, warm_up, penalty)
    progress = Signals(sparring.Run(tmp_path / "run").folder.story).progress
    assert (progress.seen, progress.steps) == (loop.shown, loop.steps)


@pytest.mark.parametrize("penalty", ["", "own step"])
@pytest.mark.parametrize("d_steps", [1, 3])
def test_the_numbers_of_a_round_are_those_of_the_last_step_that_tells_kinds_apart(
    d_steps: int, penalty: str, tmp_path: Path
) -> None:
    loop = Counted(tmp_path / "run", d_steps=d_steps, penalty=penalty, every=2)
    curves = sparring.Run(tmp_path / "run").curves
    assert len(curves.rounds) > 10 and sparring.Run(tmp_path / "run").round == ROUNDS
    for name in ("d_loss", "d_real", "d_fake", "d_gradient"):
        noted = [loop.noted[round - 1][name] for round in curves.rounds]
        np.testing.assert_allclose(curves[name][:, 0], noted, rtol=1e-4, atol=1e-5, err_msg=name)


def test_losses_that_are_given_stay_however_often_d_steps(tmp_path: Path) -> None:
    g, d = mlp(LATENT, 16, NUMBERS), nn.Sequential(mlp(NUMBERS, 16, 1))
    opt_g, opt_d = adam(g, 2e-4), adam(d, 2e-4)
    with sparring.watch(g, d, opt_g, opt_d, out=tmp_path / "run") as watch:
        for round in range(4):
            watch.losses(d=7.0 + round)
            for _ in range(2):
                opt_d.zero_grad()
                real, fake = torch.randn(BATCH, NUMBERS), g(torch.randn(BATCH, LATENT)).detach()
                (softplus(-d(real)) + softplus(d(fake))).mean().backward()
                opt_d.step()
            opt_g.zero_grad()
            softplus(-d(g(torch.randn(BATCH, LATENT)))).mean().backward()
            opt_g.step()
    assert sparring.Run(tmp_path / "run").curves["d_loss"][:, 0].tolist() == [7, 8, 9, 10]


def test_a_generator_that_trains_alone_at_first_has_rounds(tmp_path: Path) -> None:
    """As one that begins with distances from targets."""
    g, d = mlp(LATENT, 16, NUMBERS), mlp(NUMBERS, 16, 1)
    opt_g, opt_d = adam(g, 2e-4), adam(d, 2e-4)
    with sparring.watch(g, d, opt_g, opt_d, out=tmp_path / "run"):
        for _ in range(12):
            opt_g.zero_grad()
            g(torch.randn(BATCH, LATENT)).square().mean().backward()
            opt_g.step()
    assert sparring.Run(tmp_path / "run").round == 12
