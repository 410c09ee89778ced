"""The flat script of plain PyTorch that the docs show computes what its recipe computes."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sparring.game.assembly import game_of
from sparring.recipe import find_recipe
from sparring.rng import RandomStreams

SCRIPT = Path(__file__).parents[2] / "examples" / "05_from_scratch.py"
ROUNDS, SEED = 60, 7


@pytest.fixture
def script() -> Any:
    spec = importlib.util.spec_from_file_location("from_scratch", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def weights(network: nn.Module, state: dict[str, Tensor]) -> nn.Module:
    """The script's network with a member's weights, whose names differ and whose order and shapes are the same."""
    mine = network.state_dict()
    assert [t.shape for t in mine.values()] == [t[0].shape for t in state.values()]
    network.load_state_dict({name: t[0].clone() for name, t in zip(mine, state.values(), strict=True)})
    return network


def test_the_flat_script_is_the_recipe_ring(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = find_recipe("ring").replace(seeds=(SEED,), rounds=ROUNDS, log_points=1)
    source = recipe.data.open(None, "cpu")
    game = game_of(recipe, source, dtype=torch.float64)
    G = weights(script.network(6, 2).double(), game.G.state())
    D = weights(script.network(2, 1).double(), game.players["D"].networks.state())
    rng, batches = RandomStreams((SEED,), dtype=torch.float64), itertools.count()

    def real() -> Tensor:
        batch = next(batches)
        if batch % 2 == 0:  # D's, with which a round begins; the second is what G's fakes are compared with
            rng.begin(batch // 2)
        return source.draw(rng, recipe.batch)[0]

    monkeypatch.setattr(script, "real", real)
    monkeypatch.setattr(script, "latent", lambda: recipe.latent.draw(rng, "latent", recipe.batch)[0])
    averaged = script.train(G, D, ROUNDS, report=0)
    for _ in range(ROUNDS):
        game.play()
    played = game.G.state(), game.players["D"].networks.state(), game.G.named(game.averaged() or ())
    for network, state in zip((G, D, averaged), played, strict=True):
        for mine, theirs in zip(network.state_dict().values(), state.values(), strict=True):
            assert (mine - theirs[0]).abs().max() < 1e-9


def test_its_settings_are_the_recipes(script: Any) -> None:
    recipe = find_recipe("ring")
    penalty, _, average = recipe.tricks
    assert (recipe.rounds, recipe.batch, recipe.generator_optimizer.lr) == (script.ROUNDS, script.BATCH, script.LR)
    assert (penalty.gamma, average.half_life) == (script.GAMMA, script.HALF_LIFE)
    assert script.real().shape == (script.BATCH, 2) and script.latent().shape == (script.BATCH, 6)


def test_it_is_short_enough_to_read_at_once() -> None:
    lines = [line for line in SCRIPT.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) <= 80
