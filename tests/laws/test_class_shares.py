"""In a class-conditional game G is asked for each class as often as the data has it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import sparring
import sparring.analysis.measure as measuring
from sparring.analysis.generators import latents, z_seeds_in_shares
from sparring.analysis.measure import measure
from sparring.datasets._images import Images
from sparring.datasets._shares import class_shares, in_shares
from sparring.datasets._stored import keep
from sparring.game.assembly import game_of
from sparring.game.game import Game, Labeled
from sparring.recipe import Recipe, find_recipe
from sparring.rng import RandomStreams
from tests.laws.test_compiled import ROUNDS, assert_plays_alike
from tests.miniature import miniature

SHARES = np.array([0.6, 0.3, 0.1])


def recipe_with(counts: tuple[int, ...], **changes: Any) -> Recipe:
    """Digits' networks on images whose classes have so many examples each; every class has its own gray."""
    classes = np.repeat(np.arange(len(counts)), counts)
    gray = (255 * classes / max(1, len(counts) - 1)).astype(np.uint8)
    pixels = np.broadcast_to(gray[:, None, None, None], (len(gray), 1, 8, 8)).copy()
    pixels[:, 0, 0, 0] = np.arange(len(gray)) % 256
    data = sparring.recipe("digits").replace(data=(pixels, classes)).data
    return miniature(find_recipe("digits")).replace(data=data, conditional=True, batch=16, **changes)


def shares_of(game: Game, rounds: int) -> np.ndarray:
    """How often each class was drawn for G, over so many batches of all members."""
    drawn = []
    for _ in range(rounds):
        game.rng.begin(game.round)
        fake = game.fake()
        assert isinstance(fake, Labeled)
        drawn.append(fake.classes.mean((0, 1)))
        game.round += 1
    return torch.stack(drawn).mean(0).numpy()


def test_fakes_have_the_classes_of_the_data() -> None:
    game = game_of(recipe := recipe_with((60, 30, 10), seeds=range(4)), recipe.data.open())
    np.testing.assert_allclose(shares_of(game, 100), SHARES, atol=0.02)  # four standard errors of 6,400 draws


@pytest.mark.parametrize("counts", [(40, 30, 30), (45, 30, 30)])
def test_classes_that_are_about_equally_frequent_are_drawn_alike(counts: tuple[int, ...]) -> None:
    game = game_of(recipe := recipe_with(counts, seeds=range(4)), recipe.data.open())
    np.testing.assert_allclose(shares_of(game, 100), 1 / 3, atol=0.02)
    assert game.classes_of_data(4) == [0, 1, 2, 0]


def test_a_class_without_examples_is_never_asked_for() -> None:
    recipe = recipe_with((60, 30, 10), seeds=range(2))
    whole: Any = recipe.data
    gap = np.where(whole.stored.labels == 2, 3, whole.stored.labels)  # as the labels of older runs may have it
    stored = keep(whole.stored.array, gap, 4, whole.stored.span, ())
    recipe = recipe.replace(data=dataclasses.replace(whole, content=stored.content, found_classes=4))
    game = game_of(recipe, recipe.data.open())
    assert game.classes == 4
    assert shares_of(game, 50)[2] == 0 and 2 not in game.classes_of_data(500)


def test_data_whose_classes_are_not_known_says_nothing() -> None:
    pixels = np.zeros((4, 1, 8, 8), np.uint8)
    assert class_shares(Images.of(pixels, (0.0, 1.0), "cpu"), 3) is None
    numbers = sparring.recipe("grid").replace(data=np.random.default_rng(0).normal(size=(40, 2))).data
    assert class_shares(numbers.open(), 3) is None


@pytest.mark.parametrize("count", [1, 7, 100, 1_000])
def test_classes_in_a_sequence_keep_their_shares_from_the_start(count: int) -> None:
    chosen = in_shares(SHARES, 3, 1_000)[:count]
    assert chosen == in_shares(SHARES, 3, count)
    np.testing.assert_allclose(np.bincount(chosen, minlength=3), SHARES * count, atol=2.5)


def test_latent_vectors_of_these_shares_are_known_by_their_numbers() -> None:
    recipe = recipe_with((60, 30, 10), seeds=(5,))
    z_seeds = z_seeds_in_shares(SHARES, 3, 50)
    assert len(set(z_seeds)) == 50 and list(z_seeds_in_shares(None, 3, 4)) == [0, 1, 2, 3]
    hot = latents(recipe, z_seeds)[0, :, -3:]
    assert hot.argmax(1).tolist() == in_shares(SHARES, 3, 50)


def test_samples_are_measured_in_the_shares_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipe_with((300, 150, 50), seeds=(5,), rounds=3)
    run = sparring.train(recipe, tmp_path / "run", metrics=False)
    asked: list[list[int]] = []
    generated = measuring.generated

    def noted(*args: Any, z_seeds: list[int], **more: Any) -> Any:
        asked.append([z % 3 for z in z_seeds])
        return generated(*args, z_seeds=z_seeds, **more)

    monkeypatch.setattr(measuring, "generated", noted)
    measured = measure(run.path, 100, recipe=recipe)
    np.testing.assert_allclose(np.bincount(asked[0]), SHARES * measured.n, atol=2.5)


@pytest.mark.usefixtures("no_compiler")
def test_a_traced_round_asks_for_the_same_classes(tmp_path: Path) -> None:
    assert_plays_alike(recipe_with((60, 30, 10), seeds=(1, 2), rounds=ROUNDS), tmp_path)


def test_streams_of_equal_classes_are_what_they_were() -> None:
    """A run of an older version on such data resumes bit for bit: the n-th class is K times the n-th number drawn."""
    game = game_of(recipe := recipe_with((30, 30, 30), seeds=(3,)), recipe.data.open())
    game.rng.begin(0)
    fake = game.fake()
    assert isinstance(fake, Labeled)
    rng = RandomStreams((3,))
    rng.begin(0)
    assert fake.classes.argmax(-1).tolist() == (rng.uniform("classes", (16,)) * 3).long().tolist()
