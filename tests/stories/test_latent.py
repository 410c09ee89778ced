"""Walking in the latent space from the command line: numbers, pictures, JSON, and errors in one line."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sparring import catalogue
from sparring.analysis.generators import explorable, latents
from sparring.analysis.latent_tools.explored import found_directions
from sparring.cli.main import FAILED, WRONG_USAGE
from tests.commands import sparring


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("latent")
    made: dict[str, Path] = {}
    for name in ("digits", "fashion-fc", "pattern-1010"):
        made[name] = folder / name
        few = ("--rounds", 20, "--log-points", 1, "--seeds", "5,3", "--samples-per-grid", 4)
        sparring("train", name, *few, "--data-dir", data_dir, "--out", made[name])
    return made


WALKS: dict[str, tuple[str, ...]] = {
    "sweep": (),
    "blend": ("--z-seeds", "1,2", "--steps", "4"),
    "square": ("--z-seeds", "1,2,3,4", "--steps", "3", "--path", "spherical"),
    "arithmetic": ("a - b + c", "--z-seeds", "3,7,1"),
    "influence": ("--count", "5"),
}


def arguments(walk: str, folder: Path) -> list[object]:
    return ["blend" if walk == "square" else walk, folder, *WALKS[walk]]


def shapes(name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    dims = 1 if name == "pattern-1010" else 5
    size = {"digits": 32, "fashion-fc": 100, "pattern-1010": 1}[name]
    return {
        "sweep": (2, dims, 3, *shape),
        "blend": (2, 4, *shape),
        "square": (2, 3, 3, *shape),
        "arithmetic": (2, 4, *shape),
        "influence": (2, 2, size, *shape),
    }


@pytest.mark.drawn
@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize(
    ("name", "shape"), [("digits", (1, 8, 8)), ("fashion-fc", (1, 28, 28)), ("pattern-1010", (4,))]
)
def test_a_walk_gives_numbers_a_picture_and_json(
    walk: str,
    name: str,
    shape: tuple[int, ...],
    runs: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    numbers, picture = tmp_path / "walk.npy", tmp_path / "walk.png"
    sparring(*arguments(walk, runs[name]), "--out", numbers, "--json")
    told = json.loads(capsys.readouterr().out)
    held = np.load(numbers)
    assert held.dtype == np.float32
    assert held.shape == tuple(told["shape"]) == shapes(name, shape)[walk]
    assert told["seeds"] == [5, 3]
    assert told["out"] == str(numbers)
    sparring(*arguments(walk, runs[name]), "--out", picture)
    assert capsys.readouterr().out.strip().endswith(str(picture))
    with Image.open(picture) as image:
        assert image.format == "PNG"
        assert image.width > 300
    sparring(*arguments(walk, runs[name]), "--seeds", 3, "--out", numbers)
    np.testing.assert_allclose(np.load(numbers), held[1:], atol=1e-5)


def test_what_a_walk_gives_is_what_g_makes_of_the_vectors(runs: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "walk.npy"
    recipe, G = explorable(runs["digits"])
    z = latents(recipe, [0, 3, 7, 1])
    sparring("sweep", runs["digits"], "--dims", "32,1", "--values", "-3,0.5", "--out", out)
    turned = z[:, :1].clone()
    turned[..., 31] = -3
    np.testing.assert_allclose(np.load(out)[:, 0, 0], G(turned)[:, 0], atol=1e-6)
    sparring("arithmetic", runs["digits"], "b - a + c", "--z-seeds", "3,7,1", "--out", out)
    operands, result = np.load(out)[:, :3], np.load(out)[:, 3]
    np.testing.assert_allclose(operands, G(z)[:, 1:], atol=1e-6)
    np.testing.assert_allclose(result, G((z[:, 1] - z[:, 2] + z[:, 3])[:, None])[:, 0], atol=1e-6)
    sparring("arithmetic", runs["digits"], "-a + b", "--z-seeds", "3,7", "--out", out)
    np.testing.assert_allclose(np.load(out)[:, 2], G((z[:, 2] - z[:, 1])[:, None])[:, 0], atol=1e-6)
    sparring("blend", runs["digits"], "--z-seeds", "3,1", "--steps", 3, "--out", out)
    np.testing.assert_allclose(np.load(out)[:, [0, 2]], G(z)[:, [1, 3]], atol=1e-6)
    np.testing.assert_allclose(np.load(out)[:, 1], G((z[:, 1:2] + z[:, 3:4]) / 2)[:, 0], atol=1e-6)


def test_a_sweep_turns_what_the_recipes_author_turned(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def swept(name: str) -> dict[str, Any]:
        sparring("sweep", runs[name], "--out", tmp_path / "sweep.npy", "--json")
        return json.loads(capsys.readouterr().out)

    assert swept("fashion-fc")["dims"] == list(catalogue.entries("recipes")["fashion-fc"].facts["sweep"])
    assert swept("pattern-1010")["dims"] == [1]
    assert swept("pattern-1010")["values"] == [-3, 0, 3]


def test_a_sweep_turns_what_changes_each_seeds_samples_most(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dimension of one seed has nothing to do with the same of another."""
    sparring("influence", runs["digits"], "--count", 16, "--json")
    ranked = [[d["dim"] for d in member["dims"]][:5] for member in json.loads(capsys.readouterr().out)["members"]]
    sparring("sweep", runs["digits"], "--out", tmp_path / "sweep.npy", "--json")
    assert json.loads(capsys.readouterr().out)["dims"] == ranked
    for seed, dims in zip((5, 3), ranked, strict=True):
        sparring("sweep", runs["digits"], "--seeds", seed, "--out", tmp_path / "one.npy", "--json")
        assert json.loads(capsys.readouterr().out)["dims"] == dims
        asked = ",".join(map(str, dims))
        sparring("sweep", runs["digits"], "--seeds", seed, "--dims", asked, "--out", tmp_path / "asked.npy")
        capsys.readouterr()
        np.testing.assert_array_equal(np.load(tmp_path / "one.npy"), np.load(tmp_path / "asked.npy"))


@pytest.mark.parametrize(
    "arguments", [["sample"], ["sweep"], ["blend"], ["arithmetic", "a - b + c"]], ids=lambda arguments: arguments[0]
)
def test_without_a_name_a_picture_lies_in_the_run(
    arguments: list[str], runs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    command, *rest = arguments
    sparring(command, runs["digits"], *rest)
    out = Path(capsys.readouterr().out.strip())
    assert out == runs["digits"] / "figures" / f"{command}.png"
    with Image.open(out) as image:
        assert image.format == "PNG"


def test_influence_ranks_every_dimension(runs: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    sparring("influence", runs["digits"], "--count", 6, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["out"] == str(runs["digits"] / "figures" / "influence.png") and Path(told["out"]).is_file()
    for member in told["members"]:
        assert sorted(d["dim"] for d in member["dims"]) == list(range(1, 33))
        strengths = [d["strength"] for d in member["dims"]]
        assert strengths == sorted(strengths, reverse=True)
        assert sum(d["share"] for d in member["dims"]) == pytest.approx(1, abs=1e-4)
        assert member["whole_vector"] > 0
    sparring("influence", runs["digits"], "--count", 6, "--dims", "5,25")
    said = capsys.readouterr().out
    assert "seed 5" in said and "seed 3" in said
    assert "what happens as it rises" in said and "100 % is the difference between two random samples" in said
    assert re.search(r"seed 3  .*half of all change comes from \d+ of 32", said)
    assert re.search(r"^  5 +\d+ % ± \d+ %  (brightens|darkens|changes) ", said, re.MULTILINE)


def test_the_class_behind_a_latent_vector_is_no_dimension(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = tmp_path / "run", tmp_path / "walk.npy"
    few = ("--rounds", 4, "--log-points", 1, "--seeds", "5,3", "--no-metrics", "--conditional")
    sparring("train", "digits", *few, "--out", run)
    capsys.readouterr()
    sparring("influence", run, "--count", 4, "--out", out, "--json")
    given = json.loads(capsys.readouterr().out)
    assert np.load(out).shape == tuple(given["shape"]) == (2, 2, 32, 1, 8, 8)
    for member in given["members"]:
        assert sorted(d["dim"] for d in member["dims"]) == list(range(1, 33)) and member["summary"].endswith("of 32")
    sparring("sweep", run, "--out", out, "--json")
    assert max(max(dims) for dims in json.loads(capsys.readouterr().out)["dims"]) <= 32


def test_influence_of_one_vector_is_in_data_units(runs: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    sparring("influence", runs["digits"], "--count", 1)
    said = " ".join(capsys.readouterr().out.split())
    assert "in data units. With --count 2 or more it is a share" in said and "100 %" not in said


def test_a_diverged_run_and_one_before_training_are_said_to_be_so(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = tmp_path / "run", tmp_path / "walk.npy"
    shutil.copytree(runs["digits"], run)
    with (run / "journal.jsonl").open("a") as journal:
        journal.write(json.dumps({"event": "diverged", "at": 0.0, "round": 20, "members": [0]}) + "\n")
    for command in ("sample", "sweep", "blend", "influence"):
        sparring(command, run, "--out", out, "--json")
        said = capsys.readouterr()
        assert said.err == f"{run}: seed 5 diverged; this checkpoint is of round 20\n"
        assert json.loads(said.out)["seeds"] == [5, 3]
    for file in (run / "weights").glob("round-*.safetensors"):
        file.rename(file.with_name("round-000000000.safetensors"))
    sparring("sample", run, "--seeds", 3, "--out", out)
    assert capsys.readouterr().err == f"{run}: this checkpoint is of round 0, before any training\n"
    sparring("sample", runs["digits"], "--out", out)
    assert capsys.readouterr().err == ""


def test_influence_of_a_constant_latent_says_so(runs: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    sparring("influence", runs["pattern-1010"])
    assert "all its latent vectors are equal" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sweep", "--dims", "33"], "no dimension 33 in a latent vector of 32"),
        (["sweep", "--dims", "0"], "count from 1"),
        (["sweep", "--dims", "five"], "--dims takes whole numbers"),
        (["sweep", "--values", "low"], "--values takes numbers"),
        (["sweep", "--values", "nan"], "--values takes numbers"),
        (["sweep", "--z-seed", "-1"], "z seed must lie between"),
        (["sweep", "--seeds", "4"], "no seed 4; it has 5, 3"),
        (["sweep", "--values", ",".join(["0"] * 1000)], "pixels"),
        (["blend", "--z-seeds", "1,2,3"], "2 or 4 latent vectors, not 3"),
        (["blend", "--z-seeds", "1,2", "--steps", "1"], "--steps must be at least 2"),
        (["blend", "--z-seeds", "1,2", "--path", "round"], "--path"),
        (["arithmetic", "a + b", "--z-seeds", "1"], "2 latent vectors, for a, b, not 1"),
        (["arithmetic", "a / b", "--z-seeds", "1,2"], "character 5"),
        (["arithmetic", "a +", "--z-seeds", "1"], "cannot read"),
        (["influence", "--values", "3,-3"], "lower and a higher"),
        (["influence", "--top", "0"], "--top must be at least 1"),
        (["influence", "--dims", "99"], "no dimension 99"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(
    arguments: list[str], words: str, runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *rest = arguments
    sparring(command, runs["digits"], *rest, "--out", tmp_path / "a.png", expect=WRONG_USAGE)
    said = capsys.readouterr()
    assert words in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_neither_numbers_nor_a_picture_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    sparring("sweep", "nowhere", "--out", "a.gif", expect=WRONG_USAGE)
    assert ".npy or .png" in capsys.readouterr().err


# Directions, projections, spaces, filters, truncation.


@pytest.mark.drawn
def test_directions_come_as_json_with_a_picture(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "directions.png"
    few = ("--count", 8, "--samples", 64, "--top", 2)
    sparring("directions", runs["digits"], *few, "--dims", "5,25", "--out", out, "--json")
    given = json.loads(capsys.readouterr().out)
    assert given["seeds"] == [5, 3] and given["judge"] == "digits"
    assert given["reach"] == 3, "standard deviations of a normal distribution, not of 64 vectors"
    for member in given["members"]:
        ways = [found["way"] for found in member["directions"]]
        assert [ways.count(way) for way in ("sensitivity", "features", "first-layer", "dims")] == [2, 2, 2, 2]
        for found in member["directions"]:
            assert len(found["vector"]) == 32 and np.linalg.norm(found["vector"]) == pytest.approx(1, abs=1e-3)
            assert found["share"] > 0 and found["stability"]["of"] == 1 and 0 <= found["class_change"] <= 1
        first, last = (next(f for f in member["directions"] if f["way"] == way) for way in ("sensitivity", "dims"))
        assert first["share"] > last["share"], "the most sensitive direction does more than a single dimension"
    assert [row["label"] for row in given["across"]["dims"]] == ["5", "25"]
    for row in given["across"]["dims"] + given["across"]["sensitivity"]:
        assert row["n"] == row["share"]["n"] == sum(row["moves"].values()) == 2
    with Image.open(out) as image:
        assert image.width > 300
    sparring("directions", runs["pattern-1010"], *few)
    said = capsys.readouterr().out
    assert "sensitivity" in said and "all 2 seeds" in said
    # Without --out the answer lies in the run's folder too, where the latent plane of the explorer finds it.
    kept = json.loads((runs["pattern-1010"] / "figures" / "directions.json").read_text())
    for member in kept["members"]:
        assert found_directions(kept, member["seed"], len(member["directions"][0]["vector"]))


def test_images_are_projected_into_every_seed(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / "one.png", tmp_path / "two.jpg"]
    for k, file in enumerate(files):
        Image.fromarray(np.random.default_rng(k).integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(file)
    quick = ("--restarts", 2, "--steps", 5)
    sparring("project", runs["digits"], *files, *quick, "--out", tmp_path / "p.png", "--json")
    given = json.loads(capsys.readouterr().out)
    assert given["images"] == ["one.png", "two.jpg"]
    for member in given["members"]:
        assert all(0 < error < 1 for error in member["error"]) and len(member["z"]) == 2
    with Image.open(tmp_path / "p.png") as image:
        assert image.format == "PNG"
    sparring("project", runs["digits"], *files, *quick, "--out", tmp_path / "p.png")
    shown = capsys.readouterr().out
    assert len(re.findall(r"\d\.\d{3} ± \d\.\d{3}$", shown, re.MULTILINE)) == 2 * len(given["members"]), shown
    sparring("project", runs["digits"], tmp_path / "three.png", *quick, expect=WRONG_USAGE)
    assert "three.png does not exist" in capsys.readouterr().err
    sparring("project", runs["digits"], runs["digits"] / "recipe.json", *quick, expect=WRONG_USAGE)
    assert "recipe.json cannot be read as an image" in capsys.readouterr().err
    sparring("project", runs["digits"], *quick, expect=FAILED)
    assert "no held-out part" in capsys.readouterr().err


def test_latent_spaces_of_seeds_are_compared_on_a_page(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = ("--count", 4, "--restarts", 1, "--steps", 5, "--top", 2)
    sparring("spaces", runs["digits"], *quick, "--out", tmp_path / "s.html", "--json")
    given = json.loads(capsys.readouterr().out)
    assert given["seeds"] == [5, 3] and np.shape(given["found"]) == np.shape(given["arranged"]) == (2, 2)
    assert np.shape(given["images"]["error"]) == (2, 4) and given["images"]["origin"] == "training data"
    assert given["says"] in (tmp_path / "s.html").read_text()
    image = tmp_path / "mine.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(image)
    sparring("spaces", runs["digits"], image, *quick)
    assert (runs["digits"] / "figures" / "spaces.html").is_file()
    assert "same arrangement" in capsys.readouterr().out
    sparring("spaces", runs["digits"], *quick, "--seeds", 3, expect=FAILED)
    assert "at least two seeds" in capsys.readouterr().err
    sparring("spaces", runs["pattern-1010"], *quick, expect=FAILED)
    assert "nothing in these latent vectors is continuous" in capsys.readouterr().err


def test_samples_are_filtered_by_d(
    runs: dict[str, Path], data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "passed.npy"
    sparring("sample", runs["digits"], "--filter", "d", "--count", 40, "--out", out, "--json")
    given = json.loads(capsys.readouterr().out)
    found = given["filter"]
    assert np.load(out).shape == (2, 40, 1, 8, 8)
    recipe, G = explorable(runs["digits"])
    for member, z_seeds in enumerate(found["z_seeds"]):
        assert len(set(z_seeds)) == 40 and 0 < found["acceptance"][member] <= 1 and 0 <= found["auc"][member] <= 1
        np.testing.assert_allclose(np.load(out)[member], G(latents(recipe, z_seeds))[member], atol=1e-6)
    assert set(found["metrics"]) == {"precision", "recall", "diversity"} and not found["unseen"]
    sparring("sample", runs["digits"], "--filter", "d", "--count", 4, "--out", out)
    assert "calibrated on training data, since none are held out" in " ".join(capsys.readouterr().out.split())
    for file in (data_dir / "fashion-mnist").iterdir():  # a test split beside the training images
        shutil.copy(file, tmp_path / file.name)
        shutil.copy(file, tmp_path / file.name.replace("train", "t10k"))
    sparring("sample", runs["fashion-fc"], "--filter", "d", "--count", 4, "--data-dir", tmp_path, "--out", out)
    assert "calibrated on held-out data (its test split)" in " ".join(capsys.readouterr().out.split())
    sparring("sample", runs["digits"], "--filter", "d", "--z-seeds", 3, "--out", out, expect=WRONG_USAGE)
    assert "leave out --z-seeds" in capsys.readouterr().err


def test_samples_of_each_class_are_filtered_by_a_d_that_is_told_the_class(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where classes are not equally frequent, those that pass are as frequent as in the data."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    kept = np.concatenate([np.flatnonzero(digits.target == 1), np.flatnonzero(digits.target == 0)[:45]])
    data = tmp_path / "digits.npz"
    np.savez(data, images=(digits.images[kept] * 15).astype(np.uint8), labels=digits.target[kept])
    run, out = tmp_path / "run", tmp_path / "passed.npy"
    few = ("--rounds", 20, "--log-points", 1, "--seeds", "5,3", "--no-metrics", "--conditional")
    sparring("train", "digits", "--data", data, *few, "--out", run)
    capsys.readouterr()
    sparring("sample", run, "--filter", "d", "--count", 40, "--out", out, "--json")
    found = json.loads(capsys.readouterr().out)["filter"]
    recipe, G = explorable(run)
    for member, z_seeds in enumerate(found["z_seeds"]):
        assert np.bincount(np.array(z_seeds) % 2).tolist() == [8, 32]
        np.testing.assert_allclose(np.load(out)[member], G(latents(recipe, z_seeds))[member], atol=1e-6)


def test_truncation_is_measured_and_recommended(runs: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    sparring("truncation", runs["digits"], "--psi", "0.5,1", "--count", 64, "--json")
    given = json.loads(capsys.readouterr().out)
    assert given["recommended"] in (0.5, 1) and given["interval"] is None and given["judge"] == "digits"
    assert [row["psi"] for row in given["psi"]] == [0.5, 1]
    assert all(0 <= value <= 1 for row in given["psi"] for value in row["precision"]["members"])
    assert given["real"]["recall"] > 0.5
    sparring("truncation", runs["digits"], "--psi", "1,0.5", "--count", 64, expect=WRONG_USAGE)
    assert "from the smallest to the largest" in capsys.readouterr().err
