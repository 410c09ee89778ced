"""What every recipe must keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from sparring import catalogue
from sparring.recipe import Recipe, find_recipe
from sparring.trainer import game_of, sample, train


def test_a_recipe_builds_a_game_whose_first_rounds_are_finite(recipe: Recipe, data_dir: Path) -> None:
    game = game_of(recipe, recipe.data.open(data_dir, "cpu"))
    game.watched = True
    for _ in range(3):
        game.play()
    assert {"d_loss", "g_loss", "d_real", "d_fake"} <= game.notes.keys()
    assert all(torch.isfinite(figure).all() for figures in game.notes.values() for figure in figures)


def test_a_recipe_says_where_it_is_from_and_what_its_author_saw(recipe: Recipe) -> None:
    card = catalogue.cards("recipes")[recipe.name]
    assert card.facts["source"].strip()
    assert card.facts["verdict"].strip()
    assert card.summary.endswith(".")
    assert card.summary in card.text


def test_a_recipe_is_found_under_its_name(recipe: Recipe) -> None:
    assert find_recipe(recipe.name) == recipe


def test_a_recipe_trains_and_its_run_can_be_sampled(recipe: Recipe, data_dir: Path, tmp_path: Path) -> None:
    run = train(
        recipe.with_(seeds=(4, 2), rounds=12, ticks=3, pictured=4), tmp_path / "run", data_dir=data_dir, threads=1
    )
    assert run.story.status == "finished"
    assert [tick["round"] for tick in run.story.ticks] == [0, 4, 8, 12]
    assert len(run.story.pictures) == 4
    assert all((run.path / picture).read_bytes().startswith(b"\x89PNG") for picture in run.story.pictures)
    images = sample(run, 5)
    assert images.shape == (2, 5, *recipe.data.shape)
    assert images.dtype == np.float32
    assert np.isfinite(images).all()


def test_the_figures_of_a_round_are_d_and_gs_own(recipe: Recipe, data_dir: Path) -> None:
    """D(x) lies where the objective's opinions lie, and the first losses are near those of a D that cannot tell."""
    game: Any = game_of(recipe, recipe.data.open(data_dir, "cpu"))
    game.watched = True
    game.play()
    for name in ("d_real", "d_fake"):
        for figure in game.notes[name]:
            assert figure.shape == (1,)
            assert 0 <= float(figure) <= 1
    assert len(game.notes["d_real"]) == len(game.notes["d_fake"]) == 1
