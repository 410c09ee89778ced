"""Small games with tricks."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.game.assembly import game_of, state_of
from sparring.game.game import Game
from sparring.networks.fully_connected import FullyConnected
from sparring.recipe import Recipe, find_recipe
from sparring.rng import RandomStreams
from sparring.tricks import Now, Scored

SHAPE = (3, 400)


SEEDS = (4, 0, 99)


SMALL = find_recipe("digits").replace(
    tricks=(),
    generator=FullyConnected((12,), output="tanh"),
    discriminator=FullyConnected((12,)),
    batch=4,
    rounds=8,
    seeds=SEEDS,
)


def now(round: int = 0, rounds: int = 100, seeds: tuple[int, ...] = SEEDS, **memory: list[Tensor]) -> Now:
    rng = RandomStreams(seeds)
    rng.begin(round)
    return Now(rng, round, rounds, memory)


def labels_of(trick: Any, truth: int, round: int = 0, rounds: int = 100, seeds: tuple[int, ...] = SEEDS) -> Tensor:
    """The labels of a batch in a round, `(P, B)`."""
    labels = trick.label(truth, truth, (len(seeds), SHAPE[1]), now(round, rounds, seeds))
    return torch.as_tensor(labels, dtype=torch.float32).expand(len(seeds), SHAPE[1])


def begun(recipe: Recipe, *tricks: Any) -> Game:
    """The game with these tricks before its first round, in float64."""
    return game_of(recipe.replace(tricks=tricks), recipe.data.open(None, "cpu"), dtype=torch.float64)


def played(recipe: Recipe, *tricks: Any, rounds: int = 5) -> Game:
    game = begun(recipe, *tricks)
    for _ in range(rounds):
        game.play()
    return game


def kept(game: Game) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in state_of(game).items()}


# Penalties.


def linear(x: Tensor, w: Tensor, per: int = 1) -> Scored:
    """How a linear D with weights `w` `(P, F)` scores examples `(P, B, F)`, each or `per` at once."""
    x = x.detach().requires_grad_()
    return Scored(x, (x * w[:, None]).sum(-1).unflatten(1, (-1, per)).sum(-1))
