"""Clusters take the place of classes: found alike every time, and as often among samples as in the data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import sparring
from sparring.analysis.generators import classes_of_z_seeds, latents
from sparring.analysis.rejection import filtered, leveled
from sparring.datasets._clusters import clusters_of, in_clusters
from sparring.datasets._images import Images
from sparring.datasets.digits import Digits
from sparring.datasets.in_memory import InMemory
from sparring.datasets.ring import Ring
from sparring.errors import SparringError, UsageError
from sparring.game.assembly import game_of
from sparring.game.game import Labeled
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.rng import RandomStreams

COLORS = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
SIZES = (60, 30, 10)


def colored() -> np.ndarray:
    """Three kinds of images, of unequal numbers, with a little noise: uint8 `(100, 3, 4, 4)`."""
    plain = np.repeat(np.array(COLORS), SIZES, 0)[:, :, None, None]
    noise = np.random.default_rng(0).integers(-40, 40, (100, 3, 4, 4))
    return np.clip(plain + noise, 0, 255).astype(np.uint8)


def of_colors(**changes: object) -> Recipe:
    """A small recipe for these images."""
    recipe = sparring.recipe("auto", InMemory.of(colored(), kind="images"))
    return recipe.replace(tricks=(), rounds=4, log_points=2, batch=8, clusters=3).replace(**changes)


def kinds() -> np.ndarray:
    return np.repeat(np.arange(3), SIZES)


def test_similar_examples_are_in_one_cluster() -> None:
    found = clusters_of(Images.of(colored(), (0.0, 1.0), "cpu"), 3)
    assert sorted(found.sizes) == sorted(SIZES)
    assert all(len(set(found.labels[kinds() == kind])) == 1 for kind in range(3))
    assert found.of(colored()[:5]).tolist() == found.labels[:5].tolist()


def test_draws_are_as_without_clusters() -> None:
    source = Images.of(colored(), (0.0, 1.0), "cpu")
    grouped = in_clusters(source, 3)
    rng = RandomStreams((0,))
    rng.begin(0)
    x, classes = grouped.draw_with_classes(rng, 50)  # pyright: ignore[reportAttributeAccessIssue]
    rng.begin(0)
    assert (source.draw(rng, 50) == x).all()
    color = x[0].mean((2, 3)).argmax(1)
    assert len({(int(c), int(k)) for c, k in zip(color, classes[0], strict=True)}) == 3


def test_players_are_told_of_clusters_as_often_as_the_data_have_them() -> None:
    recipe = of_colors(batch=100)
    game = game_of(recipe, recipe.data.open())
    game.rng.begin(0)
    asked = np.zeros(3)
    for round in range(30):
        game.rng.begin(round)
        fake = game.fake()
        assert isinstance(fake, Labeled)
        asked += fake.classes.sum((0, 1)).numpy()
    sizes = clusters_of(recipe.data.open(), 3).sizes
    assert np.abs(asked / asked.sum() - np.array(sizes) / 100).max() < 0.03


def test_samples_are_of_each_cluster_as_often_as_the_data(tmp_path: Path) -> None:
    run = sparring.train(of_colors(), tmp_path / "run", judge=False)
    sizes = run.recipe.cluster_sizes
    assert sorted(sizes) == sorted(SIZES)
    hot = latents(run.recipe, range(500))[0, :, -3:]
    assert np.abs(hot.mean(0).numpy() - np.array(sizes) / 100).max() < 0.01
    assert hot[:100].equal(latents(run.recipe, range(100))[0, :, -3:])
    assert Recipe.from_json(run.recipe.to_json()).id == run.recipe.id


def test_any_z_seed_has_a_cluster() -> None:
    recipe = of_colors(cluster_sizes=SIZES)
    assert set(classes_of_z_seeds(recipe, [2**63 - 1, 2**62 + 1, 0])) <= {0, 1, 2}


def test_a_resumed_run_has_the_same_clusters(tmp_path: Path) -> None:
    whole = sparring.train(of_colors(), tmp_path / "whole", judge=False)
    sparring.train(of_colors(rounds=2), tmp_path / "parts", judge=False)
    parts = sparring.train(of_colors(), tmp_path / "parts", judge=False)
    assert (whole.sample(8) == parts.sample(8)).all()


def test_a_run_does_not_go_on_with_other_clusters(tmp_path: Path) -> None:
    sparring.train(of_colors(rounds=2), tmp_path / "run", judge=False)
    file = tmp_path / "run" / "recipe.json"
    recipe = json.loads(file.read_text())
    file.write_text(json.dumps(recipe | {"cluster_sizes": [40, 40, 20]}))
    with pytest.raises(SparringError, match="other clusters here than when"):
        sparring.train(of_colors(), tmp_path / "run", judge=False)


@pytest.mark.parametrize(("before", "now", "said"), [(0, 3, "clusters: 0, not 3"), (3, 0, "clusters: 3, not 0")])
def test_a_run_goes_on_with_as_many_clusters_only(before: int, now: int, said: str, tmp_path: Path) -> None:
    sparring.train(of_colors(rounds=2, clusters=before), tmp_path / "run", judge=False)
    with pytest.raises(UsageError, match=said):
        sparring.train(of_colors(clusters=now), tmp_path / "run", judge=False)


def test_d_is_told_the_cluster_of_what_it_filters(tmp_path: Path) -> None:
    recipe = sparring.recipe("auto", Digits()).replace(tricks=(), rounds=4, log_points=2, clusters=8)
    run = sparring.train(recipe, tmp_path / "run", metrics=False)
    passed = filtered(RunFolder.open(run.path), 64)
    assert passed.samples.shape == (1, 64, 1, 8, 8)
    assert (passed.samples == run.sample(z_seeds=passed.z_seeds[0].tolist())).all()
    trained = Recipe.from_dict(RunFolder.open(run.path).recipe)
    drawn = latents(trained, passed.z_seeds[0].tolist())[0, :, -8:].sum(0)  # each cluster as often as in the data
    shares = torch.tensor(trained.cluster_sizes) / sum(trained.cluster_sizes)
    assert (drawn - 64 * shares).abs().max() < 1.5


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"clusters": 1}, "at least 2, or 0"),
        ({"clusters": -3}, "at least 2, or 0"),
        ({"clusters": 3, "conditional": True}, "not both"),
        ({"clusters": 2_000}, "at most the number of examples, 1,797"),
        ({"data": Ring(), "clusters": 8}, "drawn without end"),
    ],
)
def test_clusters_that_cannot_be(changes: dict[str, Any], why: str, tmp_path: Path) -> None:
    data = changes.pop("data", Digits())
    with pytest.raises(UsageError, match=why):
        sparring.train(sparring.recipe("auto", data).replace(**changes, rounds=2), tmp_path / "run")


def test_of_classes_and_clusters_what_is_asked_for_takes_the_others_place() -> None:
    recipe = sparring.recipe("auto", Digits())
    assert recipe.replace(clusters=8).replace(conditional=True).clusters == 0
    assert not recipe.replace(conditional=True).replace(clusters=8).conditional
    assert recipe.replace(clusters=3, cluster_sizes=SIZES).replace(clusters=4).cluster_sizes == ()


def test_a_filter_does_not_go_by_what_d_scores_a_whole_class() -> None:
    """A relativistic loss leaves that open: samples of every class pass by how they compare within it."""
    rng = torch.Generator().manual_seed(0)
    generated = torch.rand(2, 40, 3, generator=rng)
    of_generated = torch.eye(4)[torch.randint(0, 3, (2, 40), generator=rng)]  # none is of the fourth class
    offset = torch.tensor([0.0, 50.0, -20.0, 7.0])

    def D(examples: Tensor, classes: Tensor) -> Tensor:
        return examples.sum(-1)

    def shifted(examples: Tensor, classes: Tensor) -> Tensor:
        return examples.sum(-1) + classes @ offset

    same = [leveled(each, generated, of_generated)(generated, of_generated) for each in (D, shifted)]
    torch.testing.assert_close(same[0], same[1], atol=1e-4, rtol=0)
    for kind in range(3):
        mine = generated[0].sum(-1)[of_generated[0, :, kind] == 1]
        found = same[1][0][of_generated[0, :, kind] == 1]
        torch.testing.assert_close(found, mine - mine.mean(), atol=1e-4, rtol=0)
    last = torch.eye(4)[torch.full((2, 40), 3)]
    assert leveled(shifted, generated, of_generated)(generated, last).isfinite().all()
