"""Law 1: a population of P is its P solo runs.

Stacked and single networks call other kernels of the matrix library, which add up in another order. So weights agree
to rounding that P members' own training may amplify, not bit for bit. Distances below are the largest difference in a
tensor over the largest magnitude in it (a weight that crosses zero has no relative error worth the name).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring.analysis.generators import generate
from sparring.game.assembly import game_of
from sparring.game.game import Game
from sparring.game.moves import MODERN, TEXTBOOK
from sparring.networks.dcgan import DCGANGenerator
from sparring.recipe import Recipe, find_recipe
from tests.laws.user_modules import PAIRS
from tests.miniature import miniature

SEEDS = (7, 0, 123456789012, 3, 2, 1, 2**63 - 1, 11, 10, 99, 98, 1000, 42, 41, 5, 6)
"""Out of order, with gaps, up to the largest there is."""
DOUBLE, DOUBLE_ROUNDS = 1e-10, 12
"""float64 keeps 16 digits; Adam, dividing one tiny number by another, magnifies what is lost (measured: 6e-14)."""
MANY_ROUNDS = 4
"""Of eight members: they differ from three in the kernels that they call, which a few rounds show."""
RESTLESS_ROUNDS = 8
"""Where convolutions start at a high rate without momentum, it magnifies what is lost tenfold in two rounds (measured:
1e-12 after 8 rounds, 1e-9 after 16 and after 30)."""
SINGLE, SINGLE_ROUNDS = 1e-4, 5
"""float32 keeps 7 digits (measured: 3e-6; after 30 rounds already 3e-3, which is why it plays but 5)."""


def played(recipe: Recipe, data_dir: Path, rounds: int, dtype: torch.dtype) -> Game:
    game = game_of(recipe, recipe.data.open(data_dir, "cpu"), dtype=dtype)
    for _ in range(rounds):
        game.play()
    return game


def weights(game: Game) -> dict[str, Tensor]:
    return {f"{who}.{n}": t for who, player in game.players.items() for n, t in player.networks.state().items()}


@cache
def together(name: str, seeds: tuple[int, ...], data_dir: Path, rounds: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """The weights of a population; several laws ask for the same."""
    return weights(played(miniature(find_recipe(name)).replace(seeds=seeds), data_dir, rounds, dtype))


def solo(name: str, seed: int, data_dir: Path, rounds: int, dtype: torch.dtype) -> dict[str, Tensor]:
    return together(name, (seed,), data_dir, rounds, dtype)


def distance(one: Tensor, other: Tensor) -> float:
    assert one.shape == other.shape
    assert torch.isfinite(other).all()
    return float((one - other).abs().max() / other.abs().max().clamp(min=1e-30))


def canceling_bias(recipe: Recipe, weights: dict[str, Tensor]) -> str:
    """The bias of D's score where the loss sees nothing but differences of scores, else nothing.

    Its gradient is what rounding leaves of a sum that cancels, and Adam makes whole steps of that.
    """
    biases = [name for name in weights if name.startswith("D.") and name.endswith("bias")]
    return biases[-1] if recipe.objective.relativistic else ""


def assert_same(
    population: dict[str, Tensor], alone: list[dict[str, Tensor]], tolerance: float, canceling: str = ""
) -> None:
    for member, weights_alone in enumerate(alone):
        assert population.keys() == weights_alone.keys()
        for name, tensor in population.items():
            if name == canceling:
                continue
            assert distance(tensor[member], weights_alone[name][0]) <= tolerance, f"member {member}, {name}"


@pytest.mark.sampled
@pytest.mark.parametrize("size", [3, pytest.param(8, marks=pytest.mark.slow)])
def test_in_double_precision_members_are_their_solo_runs_to_ten_digits(
    recipe: Recipe, size: int, data_dir: Path
) -> None:
    rounds = DOUBLE_ROUNDS if size == 3 else MANY_ROUNDS
    if isinstance(recipe.generator, DCGANGenerator):
        rounds = RESTLESS_ROUNDS
    population = together(recipe.name, SEEDS[:size], data_dir, rounds, torch.float64)
    alone = [solo(recipe.name, seed, data_dir, rounds, torch.float64) for seed in SEEDS[:size]]
    assert_same(population, alone, DOUBLE)


@pytest.mark.sampled
def test_in_single_precision_members_are_their_solo_runs_to_four_digits(recipe: Recipe, data_dir: Path) -> None:
    population = together(recipe.name, SEEDS[:3], data_dir, SINGLE_ROUNDS, torch.float32)
    alone = [solo(recipe.name, seed, data_dir, SINGLE_ROUNDS, torch.float32) for seed in SEEDS[:3]]
    assert_same(population, alone, SINGLE, canceling_bias(recipe, population))


def test_members_learn_and_differ(recipe: Recipe, data_dir: Path) -> None:
    """Without this the two laws above would hold for a game that does nothing."""
    before = together(recipe.name, SEEDS[:3], data_dir, 0, torch.float64)
    after = together(recipe.name, SEEDS[:3], data_dir, DOUBLE_ROUNDS, torch.float64)
    for name, tensor in after.items():
        # A count of batches is the same for all.
        if name.endswith("num_batches_tracked") or name == canceling_bias(recipe, after):
            continue
        assert distance(tensor, before[name]) > 1e3 * DOUBLE, name
        assert distance(tensor[0], tensor[1]) > 1e3 * DOUBLE, name


def test_a_solo_run_repeats_bit_for_bit(recipe: Recipe, data_dir: Path) -> None:
    one = solo(recipe.name, 7, data_dir, SINGLE_ROUNDS, torch.float32)
    other = weights(played(miniature(recipe).replace(seeds=(7,)), data_dir, SINGLE_ROUNDS, torch.float32))
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


@pytest.mark.parametrize("what", PAIRS)
@pytest.mark.parametrize("round", ["textbook", "modern"])
def test_a_users_own_networks_are_their_solo_runs(what: str, round: str) -> None:
    """Running statistics and every other buffer included."""
    generator, discriminator = PAIRS[what]
    recipe = find_recipe("digits").replace(
        generator=generator,
        discriminator=discriminator,
        round={"textbook": TEXTBOOK, "modern": MODERN}[round],
        batch=8,
    )
    population = weights(played(recipe.replace(seeds=SEEDS[:3]), Path(), 15, torch.float64))
    alone = [weights(played(recipe.replace(seeds=(seed,)), Path(), 15, torch.float64)) for seed in SEEDS[:3]]
    assert_same(population, alone, DOUBLE)


@pytest.mark.parametrize("what", PAIRS)
def test_a_users_own_generators_give_the_pictures_of_their_solo_runs(what: str) -> None:
    """Evaluation mode reaches every member: running statistics are used and dropout is off."""
    generator, discriminator = PAIRS[what]
    recipe = find_recipe("digits").replace(generator=generator, discriminator=discriminator, batch=8)

    def pictures(seeds: tuple[int, ...]) -> np.ndarray:
        game = played(recipe.replace(seeds=seeds), Path(), 5, torch.float64)
        latent = recipe.latent.draw(game.rng, "picture", 6)
        first, second = (generate(game.G, latent, recipe) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        return first

    population = pictures(SEEDS[:3])
    for member, seed in enumerate(SEEDS[:3]):
        np.testing.assert_allclose(population[member], pictures((seed,))[0], rtol=0, atol=1e-7)  # in float32
