"""The layout contract of `Population`: every tensor that enters or leaves has a leading axis P, also where P is 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import pytest
import torch
from torch import Tensor, nn

from sparring.game.assembly import game_of, restore, state_of
from sparring.game.game import Game
from sparring.game.population import Population
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe, find_recipe
from sparring.rng import RandomStreams
from sparring.tricks import Now, Trick, Who
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from tests.laws.user_modules import PAIRS
from tests.miniature import miniature

SIZES = (1, 3)
KINDS = ("chain", *PAIRS)
"""A chain of built-in layers, and users' modules that are mapped or called member by member."""


@final
@dataclass(frozen=True)
class SeesLayout(Trick):
    """Checks what a trick is given."""

    size: int
    hooks = frozenset({"gradients", "weights"})

    def gradients(self, gradients: Sequence[Tensor], norms: Tensor, who: Who, now: Now) -> Sequence[Tensor]:
        assert all(gradient.shape[0] == self.size for gradient in gradients)
        assert norms.shape == (self.size,)
        return gradients

    def weights(self, weights: Sequence[Tensor], who: Who, now: Now) -> None:
        assert all(weight.shape[0] == self.size for weight in weights)


def recipe_of(kind: str, size: int) -> Recipe:
    recipe = miniature(find_recipe("digits")).replace(
        batch=4,
        seeds=size,
        tricks=(ExponentialMovingAverage(), SeesLayout(size)),
        generator_optimizer=Adam(1e-3),
        discriminator_optimizer=Adam(1e-3),
    )
    if kind == "chain":
        return recipe
    generator, discriminator = PAIRS[kind]
    return recipe.replace(generator=generator, discriminator=discriminator)


def played(kind: str, size: int) -> Game:
    recipe = recipe_of(kind, size)
    game = game_of(recipe, recipe.data.open(Path(), "cpu"))
    for game.recording in (False, True):
        game.play()
    return game


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_tensor_has_a_leading_axis_of_members(kind: str, size: int) -> None:
    game = played(kind, size)
    for player in game.players.values():
        networks = player.networks
        weights = [*networks.parameters, *networks.tensors, *networks.state().values()]
        weights += networks.named(networks.parameters).values()
        assert all(tensor.shape[0] == size for tensor in weights)
        memory = [t for tensors in player.memory.values() for t in tensors]
        assert all(tensor.dim() == 0 or tensor.shape[0] == size for tensor in memory)
        assert any(tensor.dim() for tensor in memory)
    assert all(
        t.shape[0] == size for memory in game.memories for tensors in memory.values() for t in tensors if t.dim()
    )
    assert all(value.shape == (size,) for values in game.logged.values() for value in values)
    assert all(array.shape[:1] == (size,) for array in state_of(game).values() if array.ndim)


@pytest.mark.parametrize("kind", KINDS)
def test_a_lone_member_has_the_shapes_of_one_of_many(kind: str) -> None:
    lone, many = (state_of(played(kind, size)) for size in SIZES)
    assert {name: array.shape[1:] for name, array in lone.items()} == {n: a.shape[1:] for n, a in many.items()}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_tensors_are_the_weights_themselves_and_a_state_restores_them(kind: str, size: int) -> None:
    game = played(kind, size)
    state = state_of(game)
    with torch.no_grad():
        for tensor in game.tensors:
            tensor.zero_()
    assert not any(array.any() for name, array in state_of(game).items())
    restore(game, 2, state)
    assert all((array == state[name]).all() for name, array in state_of(game).items())
    game.play()


class Tied(nn.Module):
    """A weight under two names, and a recurrent layer, which keeps references to its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 64), nn.Linear(64, 64)
        self.second.weight = self.first.weight
        self.recurrent = nn.GRU(8, 4, batch_first=True)
        self.score = nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.second(torch.tanh(self.first(x.flatten(1))))
        return self.score(self.recurrent(h.view(-1, 8, 8))[0][:, -1])


def test_a_lone_module_with_tied_and_recurrent_weights_has_the_modules_own_gradients() -> None:
    torch.manual_seed(0)
    module, x = Tied(), torch.randn(5, 64)
    torch.manual_seed(0)
    lone = Population(Tied, (0,), RandomStreams((0,)).for_layers("D"))
    expected = torch.autograd.grad(module(x).sum(), list(module.parameters()))
    for _ in range(2):
        gradients = torch.autograd.grad(lone(x.unsqueeze(0)).sum(), lone.parameters)
        for mine, theirs in zip(gradients, expected, strict=True):
            assert torch.equal(mine.squeeze(0), theirs)
