"""A watched loop whose optimizers, schedules or networks are its own is accused of nothing, and does what it does."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import sparring
from sparring.record import RunFolder
from sparring.record.loop import SAME_ROWS, LoopFacts
from sparring.training.watch import samples
from sparring.training.watch.session import Watch
from tests.loops import one_optimizer
from tests.loops.own_steps import sharpness_aware
from tests.loops.sound import adam, mlp

BATCH, LATENT, NUMBERS, ROUNDS = 16, 8, 4, 14


@pytest.fixture(autouse=True)
def no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """G's operations are not written down, which takes longest."""
    monkeypatch.setattr(samples, "graph_of", lambda *_, **__: {})


def g_of(last: nn.Module | None = None) -> nn.Module:
    return mlp(LATENT, 16, NUMBERS, last=last or nn.Tanh())


def noise() -> Tensor:
    return torch.randn(BATCH, LATENT)


class Loop:
    """A plain loop, of which parts may be replaced."""

    def __init__(self, g: nn.Module | None = None, d_steps: int = 1):
        torch.manual_seed(0)
        self.g, self.d, self.d_steps = g or g_of(), mlp(NUMBERS, 16, 1), d_steps
        self.opt_g, self.opt_d = adam(self.g, 2e-4), adam(self.d, 2e-4)

    def fake(self, round: int) -> Tensor:
        return self.g(noise())

    def begin(self, round: int) -> None:
        """Before a round."""

    def step_d(self) -> None:
        self.opt_d.step()

    def play(self, watching: Callable[..., Any]) -> None:
        with watching(self.g, self.d, self.opt_g, self.opt_d):
            for round in range(ROUNDS):
                self.begin(round)
                for _ in range(self.d_steps):
                    self.opt_d.zero_grad()
                    real, fake = torch.randn(BATCH, NUMBERS) / 3, self.fake(round).detach()
                    (F.softplus(-self.d(real)).mean() + F.softplus(self.d(fake)).mean()).backward()
                    self.step_d()
                self.opt_g.zero_grad()
                F.softplus(-self.d(self.fake(round))).mean().backward()
                self.opt_g.step()


def facts_and_mistakes(loop: Loop, out: Path) -> tuple[LoopFacts, list[str]]:
    loop.play(lambda *players: Watch(*players, out=out))
    run = sparring.Run(out)
    facts = run.folder.story.loop
    assert facts is not None
    return facts, [finding.rule for finding in run.diagnose().findings if finding.rule.startswith("bug-")]


# Optimizers.


class Late(torch.optim.SGD):
    """Asks for its closure when it has stepped."""

    def step(self, closure: Any = None) -> Any:
        super().step()
        return closure() if closure else None


class Never(torch.optim.Adam):
    """Does not ask for it, and steps by another class's step."""

    def step(self, closure: Any = None) -> Any:
        return super().step()


@pytest.mark.parametrize("kind", [Late, Never])
def test_a_closure_that_is_asked_for_last_or_never_hides_no_step(kind: Any, tmp_path: Path) -> None:
    class Closing(Loop):
        def step_d(self) -> None:
            self.opt_d.step(lambda: 0.0)

    loop = Closing()
    loop.opt_d = kind(loop.d.parameters(), 2e-3)
    facts, mistakes = facts_and_mistakes(loop, tmp_path / "run")
    assert not mistakes and facts.d.steps == 1


def test_a_step_that_calls_the_step_of_its_base_is_one(tmp_path: Path) -> None:
    loop = Loop()
    loop.opt_g = Never(loop.g.parameters(), 2e-4)
    facts, mistakes = facts_and_mistakes(loop, tmp_path / "run")
    assert not mistakes and (facts.g.steps, facts.d.steps) == (1, 1)


def test_a_closure_that_fails_ends_no_watch(tmp_path: Path) -> None:
    class Failing(Loop):
        def step_d(self) -> None:
            def failing() -> float:
                raise ArithmeticError

            if not self.failed:
                self.failed = True
                with pytest.raises(ArithmeticError):
                    self.opt_d.step(failing)
            self.opt_d.step()

        failed = False

    facts, mistakes = facts_and_mistakes(Failing(), tmp_path / "run")
    assert not mistakes and facts.d.loss_line is not None


@pytest.mark.parametrize("d_steps", [1, 5])
def test_a_warm_up_goes_by_rounds_however_often_d_steps(d_steps: int, tmp_path: Path) -> None:
    class Warming(Loop):
        def begin(self, round: int) -> None:
            for group in (*self.opt_g.param_groups, *self.opt_d.param_groups):
                group["lr"] = 2e-4 * round / 10_000

    assert not facts_and_mistakes(Warming(d_steps=d_steps), tmp_path / "run")[1]


def test_a_part_that_a_rate_of_0_freezes_is_no_learning_rate(tmp_path: Path) -> None:
    loop = Loop()
    layers = [*loop.g.children()]
    still, rest = layers[0].parameters(), [p for layer in layers[1:] for p in layer.parameters()]
    loop.opt_g = torch.optim.Adam([{"params": still, "lr": 0.0}, {"params": rest}], 2e-4)
    assert "bug-learning-rate" not in facts_and_mistakes(loop, tmp_path / "run")[1]


@pytest.mark.parametrize("name", one_optimizer.SOUND)
def test_a_round_of_one_optimizer_has_a_step_of_each_player(name: str, tmp_path: Path) -> None:
    one_optimizer.SOUND[name](lambda *players: Watch(*players, out=tmp_path / "run"), ROUNDS)
    story = RunFolder(tmp_path / "run").story
    assert story.loop is not None and (story.loop.g.steps, story.loop.d.steps) == (1, 1)
    assert story.round == ROUNDS


# What G is given.


def test_maps_of_noise_for_all_examples_are_no_batch(tmp_path: Path) -> None:
    class Maps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = g_of()

        def forward(self, z: Tensor, maps: list[Tensor]) -> Tensor:
            return self.net(z) + 0.01 * maps[-1].mean()

    class Mapped(Loop):
        def fake(self, round: int) -> Tensor:
            return self.g(noise(), [torch.randn(1, 1, 4, 4), torch.randn(1, 1, 32, 32)])

    facts, mistakes = facts_and_mistakes(Mapped(Maps()), tmp_path / "run")
    assert facts.latent.shape == (LATENT,) and facts.latent.law == "normal" and not mistakes


class Two(nn.Module):
    """Is given noise twice."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(LATENT + 2, 16, NUMBERS, last=nn.Tanh())

    def forward(self, z: Tensor, more: Tensor) -> Tensor:
        return self.net(torch.cat([z, more], 1))


@pytest.mark.parametrize("same", [True, False])
def test_noise_that_both_steps_share_tells_of_no_condition(same: bool, tmp_path: Path) -> None:
    class Shared(Loop):
        def begin(self, round: int) -> None:
            self.given = noise(), torch.randn(BATCH, 2)

        def fake(self, round: int) -> Tensor:
            return self.g(*(self.given if same else (noise(), torch.randn(BATCH, 2))))

    assert not facts_and_mistakes(Shared(Two()), tmp_path / "run")[0].latent.conditions


def test_rows_that_are_all_the_same_are_drawn_as_the_loop_draws_them(tmp_path: Path) -> None:
    seen: list[Tensor] = []

    class Noisy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = g_of()

        def forward(self, z: Tensor) -> Tensor:
            seen.append(z) if len(z) != BATCH else None
            return self.net(z + torch.randn_like(z))

    class OneVector(Loop):
        def fake(self, round: int) -> Tensor:
            return self.g((torch.rand(1, LATENT) + 5).expand(BATCH, LATENT))

    facts, mistakes = facts_and_mistakes(OneVector(Noisy()), tmp_path / "run")
    assert facts.latent.law == SAME_ROWS and not mistakes
    assert seen and all(bool(((z >= 5) & (z <= 6)).all()) for z in seen)


def test_a_step_of_two_losses_of_which_one_was_cleared_has_the_other_alone(tmp_path: Path) -> None:
    """D's first losses are near 2 ln 2, which is what it would say with scores of 0."""
    sharpness_aware(lambda *players: Watch(*players, out=tmp_path / "run"), ROUNDS)
    curve = RunFolder(tmp_path / "run").story.curve("d_loss")[:, 0]
    assert len(curve) == ROUNDS and 1.0 < curve.min() <= curve.max() < 2.0


# Networks.


@pytest.mark.parametrize("constant", [True, False])
def test_layers_by_hand_begin_at_one_number_or_do_not(constant: bool, tmp_path: Path) -> None:
    class Layer(nn.Module):
        def __init__(self, inputs: int, outputs: int):
            super().__init__()
            began = torch.full((outputs, inputs), 0.02) if constant else 0.02 * torch.randn(outputs, inputs)
            self.weight, self.bias = nn.Parameter(began), nn.Parameter(torch.zeros(outputs))

        def forward(self, x: Tensor) -> Tensor:
            return F.linear(x, self.weight, self.bias)

    g = nn.Sequential(Layer(LATENT, 16), nn.LeakyReLU(0.2), Layer(16, NUMBERS), nn.Tanh())
    assert ("bug-init" in facts_and_mistakes(Loop(g), tmp_path / "run")[1]) == constant


def test_features_that_end_in_relu_are_not_g_s_examples(tmp_path: Path) -> None:
    class Features(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.last = nn.Linear(LATENT, 16), nn.Linear(16, NUMBERS)

        def forward(self, z: Tensor, features: bool = False) -> Tensor:
            made = F.relu(self.body(z))
            return made if features else self.last(made)

    class Looking(Loop):
        def fake(self, round: int) -> Tensor:
            self.g(noise(), features=True)
            return self.g(noise())

    assert not facts_and_mistakes(Looking(Features()), tmp_path / "run")[1]


def test_a_g_with_random_numbers_and_a_counter_of_its_own_ends_the_same(tmp_path: Path) -> None:
    class Own(nn.Module):
        calls: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.net = g_of()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, z: Tensor) -> Tensor:
            self.calls += 1
            return self.net(z + random.random() + float(np.random.random()))  # noqa: NPY002 - as somebody writes it

    ended: list[dict[str, Tensor]] = []
    for watches in (True, False):
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        loop = Loop(Own())
        loop.play(lambda *players: Watch(*players, out=tmp_path / "run") if watches else torch.enable_grad())  # noqa: B023
        ended.append({name: value.clone() for name, value in loop.g.state_dict().items()})
    assert all(torch.equal(value, ended[1][name]) for name, value in ended[0].items())
