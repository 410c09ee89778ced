"""A picture of the plane shows the game as it is, and changes nothing of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from sparring.analysis.planar import plane_file, planes_drawn, why_not
from sparring.analysis.plane import Plane, Planes
from sparring.datasets.table import Table
from sparring.errors import SparringError
from sparring.explorer.lessons import lessons, points
from sparring.game.assembly import game_of, state_of
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.objectives.wasserstein import Wasserstein
from sparring.recipe import Recipe, find_recipe
from sparring.training.control.planes import KEPT, Drawn, closest

SMALL = points().replace(seeds=2, batch=16)
RECIPES = {
    "points": SMALL,
    "relativistic": SMALL.replace(objective=RelativisticPaired()),
    "critic": SMALL.replace(objective=Wasserstein()),
    "1010": find_recipe("pattern-1010").replace(seeds=2),
}


def game(recipe: Recipe):
    return game_of(recipe, recipe.data.open(None, "cpu"))


@pytest.mark.parametrize("name", RECIPES)
def test_drawing_changes_nothing_of_the_game(name: str) -> None:
    drawn, plain = game(RECIPES[name]), game(RECIPES[name])
    planes = Planes(RECIPES[name], drawn)
    for _ in range(3):
        drawn.play()
        planes.now()
        plain.play()
    for key, tensor in state_of(plain).items():
        np.testing.assert_array_equal(state_of(drawn)[key], tensor, key)


@pytest.mark.parametrize("name", RECIPES)
def test_arrows_lower_the_loss_of_g_and_the_field_is_what_d_says(name: str) -> None:
    recipe = RECIPES[name]
    playing = game(recipe)
    playing.play_to(20, 100)
    planes = Planes(recipe, playing)
    plane = planes.now()
    D, objective = playing.players["D"].networks, recipe.objective
    fake = torch.from_numpy(plane.arrays["fake"])
    with torch.no_grad():
        whole = playing.G(planes.latent)

        def loss(x: torch.Tensor) -> torch.Tensor:
            score = D(x)
            return objective.g_loss(objective.compare(score, D(planes.real)) if objective.relativistic else score)

        moved = whole.clone()
        moved[..., :2] += 1e-3 * torch.from_numpy(plane.arrays["arrows"])
        assert torch.allclose(whole[..., :2], fake)
        assert (loss(moved) <= loss(whole) + 1e-7).all() and (loss(moved) < loss(whole)).any()
        if not objective.relativistic and fake.shape[-1] == whole.shape[-1]:
            left, _, bottom, _ = plane.extent
            corner = objective.output(D(torch.tensor([[[left, bottom]]]).expand(2, 1, 2)))
            np.testing.assert_allclose(plane.arrays["field"][:, 0, 0], corner[:, 0], atol=1e-5)
    levels = plane.arrays["levels"]
    assert np.ptp(levels) > 0 if name == "critic" else np.allclose(levels, plane.level)
    assert plane.round == 20 and plane.extent[0] < plane.extent[1]


def test_a_picture_survives_its_file_and_a_damaged_one_says_so(tmp_path: Path) -> None:
    plane = Planes(SMALL, game(SMALL)).now()
    plane.save(tmp_path / "a.safetensors")
    again = Plane.read(tmp_path / "a.safetensors")
    assert (again.round, again.extent, again.level) == (plane.round, plane.extent, plane.level)
    assert all(np.array_equal(again.arrays[name], plane.arrays[name]) for name in plane.arrays)
    (tmp_path / "b.safetensors").write_bytes(b"\x00" * 99)
    strange = Plane(0, (0.0, float("nan"), 0.0, 1.0), 0.5, plane.arrays)
    strange.save(tmp_path / "c.safetensors")
    Plane(0, plane.extent, 0.5, {"field": plane.arrays["field"]}).save(tmp_path / "d.safetensors")
    for name in ("b", "c", "d", "none"):
        with pytest.raises(SparringError, match="cannot be read"):
            Plane.read(tmp_path / f"{name}.safetensors")


def test_only_small_games_of_points_are_drawn(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("x,y\n" + "0.5,0.25\n0.1,0.2\n" * 20)
    table = SMALL.replace(data=Table(str(tmp_path / "points.csv"), scale="none").resolved())
    assert not any(why_not(recipe.to_dict()) for recipe in (*RECIPES.values(), table))
    wide = SMALL.replace(generator="fully-connected(hidden=(4096,))")
    assert why_not(find_recipe("digits").to_dict()) == "no-plane"
    assert why_not(wide.to_dict()) == why_not(SMALL.replace(seeds=200).to_dict()) == "no-plane-large"
    assert why_not({**SMALL.to_dict(), "origin": {"file": "mine.py"}}) == "no-plane-own"
    assert why_not({"data": {}}) == "no-plane-own"


def test_a_training_draws_while_somebody_watches_and_forgets_what_was_given_up(tmp_path: Path) -> None:
    playing = game(SMALL)
    drawn = Drawn(tmp_path, SMALL, playing)
    drawn.draw(at_once=True)
    assert planes_drawn(tmp_path) == []  # nobody watches
    drawn.watch(60.0)
    for _ in range(5):
        playing.play()
        drawn.draw(at_once=True)
    assert planes_drawn(tmp_path) == [0, 1, 2, 3, 4, 5]
    assert Plane.read(plane_file(tmp_path, 3)).round == 3
    playing.round = 2
    drawn.forget_later()
    assert planes_drawn(tmp_path) == [0, 1, 2]
    assert closest([0, 1, 9, 10, 11, 30]) == 10 and KEPT > 3


def test_every_lesson_has_something_to_train_and_to_try_that_can_be_drawn() -> None:
    assert len(lessons()) == 6
    for lesson in lessons().values():
        assert len(lesson.trials) >= 2 and len({trial.name for trial in lesson.trials}) == len(lesson.trials)
        for trial in lesson.trials:
            assert why_not(trial.make().to_dict()) == "", (lesson.name, trial.name)
