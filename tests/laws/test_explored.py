"""Places in a latent space: what a page shows is what the commands and the lines of Python make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import sparring
from sparring import latents
from sparring.analysis.generators import sample
from sparring.analysis.latent_tools.explored import Explored, Spot, clock, found_directions
from sparring.analysis.latent_tools.influence import influence
from sparring.analysis.latent_tools.reproducing import commands, python
from sparring.analysis.latent_tools.training_images import TrainingImages
from sparring.errors import SparringError, UsageError
from sparring.explorer.generators import Generators
from sparring.explorer.session import Session
from sparring.record import RunFolder
from sparring.record.opened import Opened

BASE = sparring.recipe("digits").replace(batch=4, rounds=2, log_points=1, samples_per_grid=4, seeds=(3, 5))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, sparring.Run]:
    folder = tmp_path_factory.mktemp("explored")
    recipes = {
        "normal": BASE,
        "uniform": BASE.replace(latent=latents.Uniform(6)),
        "signs": BASE.replace(latent=latents.NormalAndSigns(6, 2)),
        "classes": BASE.replace(conditional=True),
    }
    return {name: sparring.train(each, out=folder / name, threads=1, metrics=False) for name, each in recipes.items()}


@pytest.fixture
def explored(trained: dict[str, sparring.Run]) -> Explored:
    return Explored(trained["normal"].folder, 3)


def test_the_explorer_shows_the_generator_that_a_round_has_now(tmp_path: Path) -> None:
    generators, runs = Generators(Session(Opened([tmp_path]), tmp_path)), dict[str, RunFolder]()
    for name, batch in (("now", 4), ("then", 8)):
        made = sparring.train(BASE.replace(batch=batch), out=tmp_path / name, threads=1, metrics=False)
        runs[name] = made.folder
    run = runs["now"]
    checkpoint = run.rounds_saved()[2]
    for round in (None, 2):
        with generators.of(run, 3, round) as first:
            before = first.made(first.vectors(Spot(), [(0.0, 0.0)]))
        with generators.of(run, 3, round) as second:
            assert second is first
    run.write(f"weights/{checkpoint.name}", lambda path: path.write_bytes(runs["then"].checkpoints()[-1].read_bytes()))
    for round in (None, 2):
        with generators.of(run, 3, round) as again:
            assert np.abs(again.made(again.vectors(Spot(), [(0.0, 0.0)])) - before).max() > 1e-4


def test_a_plane_through_two_latent_vectors_has_them_where_it_says(trained: dict[str, sparring.Run]) -> None:
    for run in trained.values():
        found = Explored(run.folder, 3)
        made = found.made(found.vectors(Spot(a=4, b=7, cls=4 if found.classes else None), [(1, 0), (0, 1)]))
        expected = sample(run.folder, z_seeds=[4, 7], seeds=[3])[0]
        np.testing.assert_allclose(made[0], expected[0], atol=1e-6)
        if not found.classes:
            np.testing.assert_allclose(made[1], expected[1], atol=1e-6)


@pytest.mark.parametrize("name", ["normal", "uniform", "signs", "classes"])
@pytest.mark.parametrize(
    "spot",
    [
        Spot(x=0.3, y=-0.5),
        Spot("dims", a=2, first=1, second=4, x=0.5, y=1.0),
        Spot("directions", a=2, x=-1.0, y=0.25),
        Spot(a=9, b=1, x=0.0, y=1.0, dims=((2, 1.5), (3, -0.25)), psi=0.7),
    ],
    ids=["seeds", "dims", "directions", "all"],
)
def test_the_lines_of_python_make_what_is_shown(name: str, spot: Spot, trained: dict[str, sparring.Run]) -> None:
    run = trained[name]
    found = Explored(run.folder, 5)
    vectors = torch.nn.functional.normalize(torch.randn(2, found.size), dim=1)
    said = {
        "reach": 3.0,
        "members": [
            {
                "seed": 5,
                "directions": [
                    {"way": "dims", "label": k, "name": None, "words": "w", "vector": v.tolist()}
                    for k, v in enumerate(vectors)
                ],
            }
        ],
    }
    (run.path / "figures").mkdir(exist_ok=True)
    (run.path / "figures" / "directions.json").write_text(json.dumps(said))
    found.directions = found_directions(said, 5, found.size)
    there: dict[str, Any] = {}
    exec(python(found, spot, run.path), there)
    shown = found.made(found.vectors(spot, [(spot.x, spot.y)]))[0]
    np.testing.assert_allclose(there["example"].numpy(), shown, atol=1e-6)


def test_commands_are_given_where_they_draw_the_same(explored: Explored, trained: dict[str, sparring.Run]) -> None:
    path = Path("runs/a run")
    named = lambda spot: commands(explored, spot, path, "a - b", "0,1")["example"]  # noqa: E731
    assert named(Spot(a=4)) == "sparring sample 'runs/a run' --seeds 3 --z-seeds 4"
    assert '"0.25 * a - 0.5 * b" --z-seeds 4,1' in named(Spot(a=4, x=0.5, y=-1, psi=0.5))
    assert named(Spot(dims=((1, 2.0),))) == named(Spot("dims")) == ""
    assert commands(Explored(trained["classes"].folder, 3), Spot(), path, "a", "0")["example"] == ""


def test_maps_are_those_of_influence(explored: Explored) -> None:
    z = sparring.latent_vectors(explored.recipe, range(16))
    change = influence(explored.G, z).change[0]
    np.testing.assert_allclose(explored.influence([2, 5]), change[[1, 4]].numpy(), atol=1e-5)


def test_a_strip_leads_from_one_vector_to_the_other(explored: Explored) -> None:
    strip = explored.strip(Spot(a=4, b=7), 5)
    np.testing.assert_allclose(strip[[0, -1]], sample(explored.run, z_seeds=[4, 7], seeds=[3])[0], atol=1e-5)
    assert len(clock(strip)) == 8 and (clock(strip)[1] == clock(strip)[-1]).all()


def test_every_member_gets_the_same_vector(explored: Explored) -> None:
    z = explored.vectors(Spot(a=4), [(1, 0)])[0]
    seeds, made = explored.of_every_member(z)
    assert seeds == [3, 5]
    np.testing.assert_allclose(made[0], explored.made(z[None])[0], atol=1e-6)
    assert np.abs(made[1] - made[0]).max() > 1e-3


def test_an_older_checkpoint_is_shown(tmp_path: Path) -> None:
    run = sparring.train(BASE.replace(rounds=8, log_points=8), out=tmp_path / "run", threads=1, metrics=False)
    rounds = list(run.folder.rounds_saved())
    assert len(rounds) > 1
    old, new = (Explored(run.folder, 3, each) for each in (rounds[0], None))
    z = new.vectors(Spot(), [(1, 0)])
    assert np.abs(old.made(z) - new.made(z)).max() > 1e-4
    with pytest.raises(SparringError, match="no checkpoint of round 7,777"):
        Explored(run.folder, 3, 7777)


def test_the_nearest_training_image_of_one_is_itself(explored: Explored) -> None:
    images = TrainingImages(explored.recipe.data)
    own = images.pixels[40].float().reshape(1, 8, 8).numpy() / 255
    found = images.nearest(own)
    assert (found.distance < 1e-3 and (found.image == own).all()) and found.count == 1797
    assert images.nearest(1 - own).distance > 0.1
    with pytest.raises(SparringError, match="has none"):
        TrainingImages(sparring.recipe("ring").data)


@pytest.mark.parametrize(
    "asked",
    [
        {"x": "1e9"},
        {"x": "nan"},
        {"a": "one"},
        {"plane": "moon"},
        {"dims": "1:500"},
        {"dims": ",".join(f"{k}:1" for k in range(1, 20))},
        {"psi": "inf"},
    ],
)
def test_what_is_no_place_is_refused(asked: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        Spot.read(asked)


@pytest.mark.parametrize("spot", [Spot("dims", first=999), Spot("directions"), Spot(a=-1), Spot(dims=((0, 1.0),))])
def test_what_a_latent_vector_does_not_have_is_refused(spot: Spot, explored: Explored) -> None:
    with pytest.raises(UsageError):
        explored.vectors(spot, [(0, 0)])


def test_a_file_of_directions_may_be_anything() -> None:
    good = {"way": "dims", "label": "1", "name": None, "words": "w", "vector": [1.0, 0.0]}
    said = lambda *found: {"reach": 3, "members": [{"seed": 0, "directions": list(found)}]}  # noqa: E731
    assert len(found_directions(said(good), 0, 2)) == 1
    assert found_directions(said(good), 0, 3) == found_directions(said(good), 1, 2) == []
    assert found_directions(said({**good, "vector": [float("nan"), 1.0]}), 0, 2) == []
    for nonsense in (None, 3, [], {"members": 3}, {"reach": "x", "members": []}, said({**good, "vector": "ab"})):
        assert found_directions(nonsense, 0, 2) == []
