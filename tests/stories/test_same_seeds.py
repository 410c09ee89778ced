"""Samples of a run whose seeds are those of several members, which differ in numbers: nothing is taken for another."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring.analysis.generators import explorable, latents
from sparring.analysis.rejection import discriminators
from sparring.networks.fully_connected import FullyConnected
from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.record.members import labels_of, names_of
from sparring.record.plots import save_table
from sparring.training import train
from tests.commands import sparring

NAMES = ["0 (generator lr 0.01)", "3 (generator lr 0.01)", "0 (generator lr 1e-05)", "3 (generator lr 1e-05)"]


@pytest.fixture(scope="module")
def rates(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Two learning rates, two seeds of each."""
    small = FullyConnected((9,), output="tanh")
    recipe = find_recipe("digits").replace(generator=small, rounds=20, batch=8, log_points=1)
    numbers = {"generator_optimizer.lr": [1e-2, 1e-2, 1e-5, 1e-5]}
    out = tmp_path_factory.mktemp("same") / "rates"
    return train(recipe.replace(seeds=[0, 3, 0, 3], per_member=numbers), out, threads=1, compile=False, metrics=False)


def test_each_member_has_a_folder_of_its_own(rates: RunFolder, tmp_path: Path) -> None:
    sparring("sample", rates.path, "--count", 2, "--out", tmp_path / "all")
    folders = [f"seed-{name.replace('(', '').replace(')', '').replace(' ', '-')}" for name in NAMES]
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == sorted(folders)
    recipe, G = explorable(rates)
    images = (G(latents(recipe, range(2))).numpy().clip(0, 1) * 255).round()
    for folder, expected in zip(folders, images, strict=True):
        for k in range(2):
            picture = np.array(Image.open(tmp_path / "all" / folder / f"{k}.png"))
            np.testing.assert_allclose(picture, expected[k, 0], atol=1)


def test_a_seed_chooses_all_members_that_have_it(
    rates: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sparring("sample", rates.path, "--seeds", 0, "--count", 2, "--out", tmp_path / "some", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["seeds"] == [0, 0] and told["members"] == [NAMES[0], NAMES[2]] and told["shape"][0] == 2
    assert len(list((tmp_path / "some").iterdir())) == 2
    sparring("sample", rates.path, "--seeds", 0, "--count", 2, "--out", tmp_path / "some.png")
    with Image.open(tmp_path / "some.png") as picture:
        assert len(json.loads(str(picture.info["sparring layout"]))["blocks"]) == 2


def test_folders_of_distinct_seeds_are_called_by_these(tmp_path: Path) -> None:
    few = ("--rounds", 2, "--log-points", 1, "--seeds", "5,3", "--no-metrics")
    sparring("train", "digits", *few, "--out", tmp_path / "run")
    sparring("sample", tmp_path / "run", "--count", 2, "--out", tmp_path / "each")
    assert sorted(path.name for path in (tmp_path / "each").iterdir()) == ["seed-3", "seed-5"]


def test_each_member_is_filtered_by_its_own_d(
    rates: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also those of one seed."""
    whole, D = discriminators(rates)
    assert whole.seeds == (0, 3, 0, 3)
    some, of_some = discriminators(rates, seeds=[3])
    assert some.seeds == (3, 3)
    _, G = explorable(rates)
    examples = G(latents(whole, range(4)))
    np.testing.assert_allclose(of_some(examples[[1, 3]]), D(examples)[[1, 3]], rtol=1e-5)
    for seeds, members in (("", [0, 1, 2, 3]), ("0", [0, 2])):
        out = tmp_path / f"passed{seeds}.npy"
        chosen = ("--seeds", seeds) if seeds else ()
        sparring("sample", rates.path, "--filter", "d", *chosen, "--count", 3, "--out", out, "--json")
        told = json.loads(capsys.readouterr().out)
        assert told["members"] == [NAMES[m] for m in members]
        for row, (m, z_seeds) in enumerate(zip(members, told["filter"]["z_seeds"], strict=True)):
            np.testing.assert_allclose(np.load(out)[row], G(latents(whole, z_seeds))[m], atol=1e-6)
    sparring("sample", rates.path, "--filter", "d", "--count", 3, "--out", tmp_path / "passed.npy")
    said = " ".join(capsys.readouterr().out.split())
    assert all(name in said for name in NAMES)


def test_rows_of_a_table_say_whose_they_are(tmp_path: Path) -> None:
    rows = np.arange(8.0).reshape(4, 1, 2)
    save_table(rows, tmp_path / "several.csv", ["a", "b"], [0, 3, 0, 3], NAMES)
    with (tmp_path / "several.csv").open(encoding="utf-8") as file:
        read = list(csv.reader(file))
    assert read[0] == ["seed", "member", "a", "b"] and [row[1] for row in read[1:]] == NAMES
    save_table(rows[:2], tmp_path / "distinct.csv", ["a", "b"], [0, 3], [0, 3])
    assert (tmp_path / "distinct.csv").read_text().splitlines() == ["seed,a,b", "0,0,1", "3,2,3"]


def test_no_two_members_are_called_the_same() -> None:
    """Also where they differ after the sixth digit."""
    recipe = {"seeds": [0, 0], "per_member": {"generator_optimizer.betas": [[0.5, 0.1234567], [0.5, 0.1234568]]}}
    assert names_of(recipe) == ["0 (generator betas (0.5, 0.1234567))", "0 (generator betas (0.5, 0.1234568))"]
    assert labels_of(recipe) == names_of(recipe) and labels_of({**recipe, "seeds": [4, 2]}) == [4, 2]
