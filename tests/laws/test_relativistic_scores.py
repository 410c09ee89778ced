"""A relativistic loss fixes D's scores up to a constant: whatever it is, a D that is right is one that can tell."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import sparring
from sparring.analysis.diagnosis import diagnosis
from sparring.game.equilibrium import equilibrium_levels
from sparring.objectives import Objective
from sparring.objectives.relativistic_average import RelativisticAverage
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.recipe import find_recipe
from sparring.record import RunFolder, Story
from sparring.rules import Signals
from sparring.rules._loops import SOUND
from sparring.rules._ranges import CAN_TELL, SURE
from sparring.rules._stories import story
from sparring.training.watch import samples

OBJECTIVES = {"relativistic-paired": RelativisticPaired(), "relativistic-average": RelativisticAverage()}
LEVELS = {name: equilibrium_levels(each) for name, each in OBJECTIVES.items()}
FAR = {
    "frechet-distance": 50.0, "modes": 5.0, "class-divergence": 0.9, "confidence": 0.6, "diversity": 0.7,
    "roughness": 1.2, "similarity-to-mean": 0.7, "nearest-neighbor": 2.2,
}  # fmt: skip
"""Samples that are far from the data."""
BIAS = -20.0
BATCH, ROUNDS = 32, 24


def sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-score))


def names(made: Story) -> list[str]:
    return [finding.rule for finding in diagnosis(made).findings]


def told(which: str, real: float, fake: float, metrics: dict[str, Any]) -> Story:
    """A run of Sparring's own in which D's outputs are these, each compared with the other kind."""
    curves = {"d_real": real, "d_fake": fake, "d_loss": 0.35, "g_loss": 0.7}
    outputs = {"d_train": real, "d_held_out": real, "d_generated": fake}
    recipe = {"objective": {"is": which}}
    return story(curves, {**outputs, **metrics}, LEVELS[which], jitter=0.0, recipe=recipe)


def of_old_watch(which: str, real: float, fake: float, metrics: dict[str, Any]) -> Story:
    """A watched loop, by a version that logged the sigmoids of these scores."""
    made = told(which, sigmoid(real), sigmoid(fake), metrics)
    events = [
        {**event, "metrics": {n: v for n, v in event["metrics"].items() if not n.startswith("d_")}}
        if event["event"] == "log"
        else event
        for event in made.events
    ]
    return Story(made.recipe, [events[0], {"event": "loop", "round": 0, **SOUND.plain()}, *events[1:]])


@pytest.mark.parametrize("which", list(OBJECTIVES))
def test_scores_may_be_close_together_and_in_the_right_order(which: str) -> None:
    """As penalties keep them: what is said of each example is near undecided, and the order is right."""
    for share in (0.99, 0.79):
        right = told(which, 0.505, 0.495, {**FAR, "d_right": share})
        assert "weak-discriminator" not in names(right) and not Signals(right).nearness.unseen.any()
    blind = told(which, 0.505, 0.495, {**FAR, "d_right": 0.52})
    assert names(blind)[0] == "weak-discriminator"


@pytest.mark.parametrize("which", list(OBJECTIVES))
def test_a_d_whose_gradient_is_gone_has_not_died_while_it_ranks_right(which: str) -> None:
    silent: dict[str, Any] = {"d_gradient": (5.0, *[1e-6] * 9), "d_real": 0.505, "d_fake": 0.495}
    for right, died in ((0.99, False), (0.5, True)):
        recipe = {"objective": {"is": which}}
        made = story(silent, {**FAR, "d_right": right}, LEVELS[which], jitter=0.0, recipe=recipe)
        assert Signals(made).d_died.all() == Signals(made).d_died.any() == died


@pytest.mark.parametrize("constant", [-20.0, -9.0, 0.0, 9.0])
@pytest.mark.parametrize("which", list(OBJECTIVES))
def test_the_constant_in_scores_of_an_older_watch_is_none_of_ds_lead(which: str, constant: float) -> None:
    ahead = of_old_watch(which, constant + 3.0, constant - 3.0, FAR)
    signals = Signals(ahead)
    assert (signals.final("lead") > SURE).all() and not signals.undecided.any()
    assert "weak-discriminator" not in names(ahead)
    assert signals.final("d_real") == pytest.approx(sigmoid(6.0), abs=0.01)
    assert signals.final("d_fake") == pytest.approx(sigmoid(-6.0), abs=0.01)
    blind = of_old_watch(which, constant + 0.02, constant, FAR)
    assert (np.abs(Signals(blind).final("lead")) < CAN_TELL).all()
    assert "weak-discriminator" in names(blind) and "discriminator-wins" not in names(blind)


@pytest.mark.parametrize("which", list(OBJECTIVES))
def test_nothing_is_claimed_of_outputs_that_an_older_watch_rounded_to_one(which: str) -> None:
    found = names(of_old_watch(which, 40.0, 20.0, FAR))
    assert "weak-discriminator" not in found and "discriminator-wins" not in found


# Loops.


def ring(count: int) -> Tensor:
    angle = torch.randint(0, 8, (count,)) * (math.pi / 4)
    return torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(count, 2)


def losses_of(which: str, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """D's and G's."""
    if which == "relativistic-paired":
        return F.softplus(fake - real).mean(), F.softplus(real - fake).mean()
    r, f = real - fake.mean(), fake - real.mean()
    return F.softplus(-r).mean() + F.softplus(f).mean(), F.softplus(-f).mean() + F.softplus(r).mean()


def watched(out: Path, which: str, bias: float, distance: float, rounds: int = ROUNDS) -> RunFolder:
    """A loop whose D has this bias at first, and scores by a coordinate in which G is as far as that from the data."""
    torch.manual_seed(0)
    g, d = nn.Linear(4, 2), nn.Linear(2, 1)
    with torch.no_grad():
        g.weight.mul_(0.2)
        g.bias.copy_(torch.tensor([distance, 0.0]))
        d.weight.copy_(torch.tensor([[-1.0, 0.0]]))
        d.bias.fill_(bias)
    opt_g, opt_d = torch.optim.Adam(g.parameters(), 1e-5), torch.optim.Adam(d.parameters(), 1e-5)
    with sparring.watch(g, d, opt_g, opt_d, out=out, name="loop"):
        for _ in range(rounds):
            x, fake = ring(BATCH), g(torch.randn(BATCH, 4))
            opt_d.zero_grad()
            losses_of(which, d(x), d(fake.detach()))[0].backward()
            opt_d.step()
            opt_g.zero_grad()
            losses_of(which, d(x), d(fake))[1].backward()
            opt_g.step()
    return RunFolder.open(out)


@pytest.mark.parametrize("which", list(OBJECTIVES))
def test_a_watch_logs_the_same_whatever_the_constant(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "graph_of", lambda *_, **__: {})  # G's operations are not written down
    plain, moved = (watched(tmp_path / str(bias), which, bias, 8.0).story for bias in (0.0, BIAS))
    assert plain.recipe["objective"] == moved.recipe["objective"] == {"is": which}
    for name in ("d_real", "d_fake"):
        np.testing.assert_allclose(moved.curve(name), plain.curve(name), atol=1e-4)
    assert (Signals(moved).final("lead") > SURE).all()
    near = Signals(watched(tmp_path / "near", which, BIAS, 0.0).story)
    assert (np.abs(near.final("lead")) < CAN_TELL).all()


@pytest.mark.parametrize("which", list(OBJECTIVES))
def test_a_watch_counts_the_pairs_that_d_ranks_right(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "graph_of", lambda *_, **__: {})
    right = [Signals(watched(tmp_path / str(far), which, BIAS, far).story).latest("d_right") for far in (8.0, 0.0)]
    assert right[0] == 1.0 and 0.3 < right[1] < 0.7


# Runs of Sparring's own.


def with_bias(bias: float) -> nn.Module:
    last = nn.Linear(16, 1)
    with torch.no_grad():
        last.bias.fill_(bias)
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), last)


def from_zero() -> nn.Module:
    return with_bias(0.0)


def from_far() -> nn.Module:
    return with_bias(BIAS)


@pytest.mark.parametrize("which", OBJECTIVES.values(), ids=list(OBJECTIVES))
def test_a_run_logs_the_same_whatever_the_constant(which: Objective, tmp_path: Path) -> None:
    plain = find_recipe("ring").replace(objective=which, seeds=(0, 1), rounds=60, log_points=6)
    stories: list[Story] = []
    for make in (from_zero, from_far):
        out = tmp_path / make.__name__
        sparring.train(plain.replace(discriminator=make), out)
        stories.append(RunFolder.open(out).story)
    for name in ("d_real", "d_fake"):
        np.testing.assert_allclose(stories[1].curve(name), stories[0].curve(name), atol=1e-2)
    right = [each.evaluations[1]["d_right"] for each in stories]
    np.testing.assert_allclose(right[1], right[0], atol=0.02)
    assert diagnosis(stories[1]).verdict == diagnosis(stories[0]).verdict
