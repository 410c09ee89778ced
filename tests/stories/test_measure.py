"""A run measured: from Python, from the command line, on the page."""

from __future__ import annotations

import json
import shutil
import sys
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from sparring import catalogue
from sparring.analysis.diagnosis import diagnosis, story_of
from sparring.analysis.judge_choice import images_for_judge
from sparring.analysis.measure import OF_A_JUDGE, measure
from sparring.analysis.samples import real_data
from sparring.cli.main import FAILED, WRONG_USAGE
from sparring.judges import Judge, independent, own_training
from sparring.judges.inception import InceptionNetwork
from sparring.networks.fully_connected import FullyConnected
from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.rules._measured import Measured
from sparring.training import train
from tests.commands import sparring

SMALL = (
    "--rounds",
    "3",
    "--log-points",
    "1",
    "--batch",
    "8",
    "--generator",
    "fully-connected(hidden=(9,), output=sigmoid)",
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("measure") / "run"
    sparring("train", "digits", *SMALL, "--seeds", 3, "--out", out)
    return out


def names(*spaces: str, shape: tuple[int, ...]) -> set[str]:
    """The metrics of these spaces that fit examples of this shape."""
    leaves = {name: catalogue.find("metrics", name) for name in catalogue.entries("metrics")}
    return {name for name, leaf in leaves.items() if leaf.space in spaces and leaf().fits(shape)}


def test_every_figure_stands_beside_real_data(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sparring("measure", trained, "--count", 200, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["judge"] == "digits" and told["n"] == 200 and told["seeds"] == [0, 1, 2] and told["round"] == 3
    of_few = {"copies"}  # only found of few training images
    assert (
        set(told["metrics"]) == names("features", "classes", "judged", "pixels", "examples", shape=(1, 8, 8)) - of_few
    )
    for name, figure in told["metrics"].items():
        leaf = catalogue.find("metrics", name)
        assert {"members", "real", "better", "n"} <= set(figure)
        assert len(figure["members"]) == 3 and figure["n"] == 200 and figure["better"] == leaf.better
        low, high = leaf.range
        assert all(low <= value <= high for value in (figure["real"], *figure["members"]))
    # Three rounds of training make noise.
    for name in ("frechet-distance", "kernel-distance", "confidence", "density", "coverage"):
        figure = told["metrics"][name]
        worst = max if figure["better"] == "lower" else min
        assert worst([figure["real"], *figure["members"]]) != figure["real"]


def test_the_same_run_measured_again_gives_the_same_figures_and_one_seed_its_own(trained: Path) -> None:
    once, again, alone = measure(trained, 100), measure(trained, 100), measure(trained, 100, seeds=[1])
    assert once.plain() == again.plain()
    for name, figure in alone.scores.items():
        assert figure.real == once.scores[name].real
        np.testing.assert_allclose(figure.members[0], once.scores[name].members[1], rtol=1e-4, atol=1e-6)


def test_words_and_the_page_show_the_distance_from_real(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sparring("measure", trained, "--count", 100)
    said = " ".join(capsys.readouterr().out.split())
    assert "Fréchet distance ↓" in said and "real data" in said and "using the digits classifier's features" in said
    assert json.loads((trained / "measures.json").read_text())["n"] == 100
    page = (trained / "report.html").read_text()
    assert "Measured against real data" in page and "Vendi score ↑" in page and "seed 2" in page


def test_an_independent_judge_reports_beside_the_one_that_settings_were_chosen_by(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sparring("measure", trained, "--count", 200, "--json")
    first = json.loads(capsys.readouterr().out)
    second = first["independent"]
    assert (first["judge"], second["judge"]) == ("digits", "digits-independent")
    assert set(second["metrics"]) == {n for n, m in first["metrics"].items() if m["space"] in OF_A_JUDGE}
    mine, theirs = (part["metrics"]["frechet-distance"] for part in (first, second))
    assert mine["real"] != theirs["real"] and len(theirs["members"]) == 3
    assert min(theirs["members"]) > theirs["real"] >= 0, "samples of three rounds are no digits"
    assert RunFolder.open(trained).measures == first, "and the run remembers both"
    sparring("measure", trained, "--count", 200)
    printed = capsys.readouterr().out
    assert printed.count("Fréchet distance") >= 2 and "by the independent judge" in printed
    assert "(independent judge)" in (trained / "report.html").read_text()
    sparring("measure", trained, "--count", 200, "--judge", "digits-independent", "--json")
    alone = json.loads(capsys.readouterr().out)
    assert "independent" not in alone
    assert alone["metrics"]["frechet-distance"] == second["metrics"]["frechet-distance"]


def test_a_page_of_a_run_that_was_not_measured_says_nothing_of_it(tmp_path: Path) -> None:
    sparring("train", "digits", *SMALL, "--out", tmp_path / "run")
    assert "Measured against" not in (tmp_path / "run" / "report.html").read_text()


def test_numbers_without_a_judge_are_measured_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sparring("train", "pattern-1010", "--rounds", 20, "--log-points", 1, "--seeds", 2, "--out", tmp_path / "run")
    capsys.readouterr()
    sparring("measure", tmp_path / "run", "--count", 50, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["judge"] is None
    assert {"frechet-distance", "precision", "support-size"} <= set(told["metrics"])
    assert not {"confidence", "copying", "modes", "reached-modes"} & set(told["metrics"])
    sparring("measure", tmp_path / "run", "--count", 50)
    assert "without a judge" in " ".join(capsys.readouterr().out.split())


def test_points_with_known_modes_are_measured_by_their_modes(tmp_path: Path) -> None:
    out = tmp_path / "run"
    generator, latent = "fully-connected(hidden=(9,), output=none)", "normal(2)"
    sparring(
        *("train", "digits", *SMALL[:6], "--data", "ring", "--generator", generator, "--latent", latent),
        *("--discriminator", "fully-connected(hidden=(9,), output=none)", "--out", out),
    )
    figures = measure(RunFolder.open(out), 300).scores
    assert figures["high-quality"].real == pytest.approx(0.989, abs=0.03)
    assert figures["reached-modes"].real == 8
    assert figures["reached-modes"].members[0] <= 8
    assert "confidence" not in figures


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges that are trained in a second."""
    monkeypatch.setattr(own_training, "PASSES", 1_500)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 200 pictures in color, with a level bar in one subfolder and an upright one in the other."""
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for number in range(200):
        home = folder / ("level", "upright")[number % 2]
        home.mkdir(exist_ok=True)
        light = rng.integers(150, 256, 3) * np.exp(-(((np.arange(12) - rng.uniform(2, 9)) / 2) ** 2))[:, None]
        picture = np.broadcast_to(light[:, None], (12, 12, 3)).astype(np.uint8)
        Image.fromarray(picture if number % 2 == 0 else picture.swapaxes(0, 1).copy()).save(home / f"{number}.png")
    return folder


def trained_on(photos: Path, out: Path) -> Path:
    sparring("train", "digits", *SMALL, "--no-metrics", "--data", photos, "--seeds", 2, "--out", out)
    return out


@pytest.mark.usefixtures("hasty")
def test_a_folder_with_classes_is_measured_through_a_judge_of_its_own(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = trained_on(photos, tmp_path / "run")
    capsys.readouterr()
    sparring("measure", out, "--count", 80, "--json")
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert told["judge"].startswith("own:") and told["judge_accuracy"] > 0.8 and told["n"] == 80
    assert {"modes", "confidence", "frechet-distance", "copying"} <= set(told["metrics"])
    assert told["metrics"]["modes"]["real"] == 2
    assert "training a judge on 100 images and their 2 classes" in said.err
    sparring("measure", out, "--count", 50)
    again = capsys.readouterr()
    assert "training a judge" not in again.err, "it is kept"
    for words in (" ".join(again.out.split()), unescape((out / "report.html").read_text())):
        assert (
            f"using the {told['judge']} classifier's features (trained on 100 of these images and their classes"
            in words
        )
    assert "50 examples cannot fill the covariance of 64 features" in " ".join(again.out.split())


@pytest.mark.usefixtures("hasty")
def test_a_folder_has_an_independent_judge_of_its_own(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(independent, "SMOOTHING", 0.05)  # a judge that no other test has cached
    out = trained_on(photos, tmp_path / "run")
    for first in (True, False):
        capsys.readouterr()
        sparring("measure", out, "--count", 80, "--json")
        made = capsys.readouterr()
        assert ("training an independent judge on 100 images" in made.err) == first, "once, then from the cache"
        told = json.loads(made.out)
        assert told["judge"].startswith("own:") and told["independent"]["judge"].startswith("own-independent:")
        assert told["independent"]["judge_accuracy"] > 0.8


@pytest.mark.usefixtures("hasty")
def test_a_folder_without_classes_has_no_figures_of_classes(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = trained_on(photos / "level", tmp_path / "few")
    capsys.readouterr()
    sparring("measure", out, "--json")
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert told["judge"] is None and "100 images are too few to train a judge on (128 are needed)" in said.err
    assert set(told["metrics"]) == names("pixels", "examples", shape=(3, 12, 12))

    flat = tmp_path / "flat"
    flat.mkdir()
    for picture in photos.glob("*/*.png"):
        (flat / picture.name).symlink_to(picture)
    out = trained_on(flat, tmp_path / "run")
    capsys.readouterr()
    sparring("measure", out, "--json")
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert set(told["metrics"]) == names("features", "pixels", "examples", shape=(3, 12, 12))
    assert told["judge"].startswith("own:") and told["judge_accuracy"] is None
    assert "without classes" in told["judge_words"] and "training a judge on 100 images without classes" in said.err


@pytest.mark.usefixtures("hasty")
def test_a_judge_of_its_own_can_be_asked_for_where_another_is_shipped(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sparring("measure", trained, "--count", 100, "--judge", "own", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["judge"].startswith("own:")
    assert told["metrics"]["frechet-distance"]["members"][0] > told["metrics"]["frechet-distance"]["real"]


@pytest.mark.usefixtures("hasty")
def test_a_judge_learns_from_nothing_that_stands_where_a_generator_would() -> None:
    from sparring.datasets.digits import Digits

    learn, _ = images_for_judge(Digits(), None)
    for count in (100, 898):
        unseen = (255 * real_data(Digits(), count).held_out).round().astype(np.uint8)
        both = np.concatenate([learn.pixels, unseen]).reshape(-1, 64)
        assert len(learn.pixels) == 898 and len(np.unique(both, axis=0)) == len(both)


def test_stacked_images_can_be_learnt_from_as_they_are_drawn(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sparring.analysis.judge_choice as room
    from sparring.datasets.stacked_mnist import StackedMNIST

    monkeypatch.setattr(room, "MAX_TRAINING", 600)
    monkeypatch.setattr(room, "MAX_TEST", 100)
    learn, ask = images_for_judge(StackedMNIST(span=(-1.0, 1.0)), data_dir)
    assert learn.pixels.shape == (600, 3, 28, 28) and ask.pixels.shape == (100, 3, 28, 28)
    assert learn.pixels.max() > 200 and learn.pixels.min() == 0
    assert learn.labels is not None and learn.labels.max() > 99


def test_published_distances_look_through_inception(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sparring.analysis.judge_choice as room

    class Quarters(nn.Module):
        def forward(self, pixels: Tensor) -> tuple[Tensor]:
            return (functional.adaptive_avg_pool2d(pixels.float(), 4).flatten(1).repeat(1, 16),)

    facts = {"features": 256, "words": "a stand-in"}
    judge = Judge("inception", InceptionNetwork(Quarters()), None, facts, at_once=32)
    monkeypatch.setattr(room, "inception", lambda: judge)
    sparring("measure", trained, "--count", 40, "--judge", "inception", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["judge"] == "inception" and told["judge_accuracy"] is None
    assert any("40 examples cannot fill the covariance of 256 features: it is singular" in n for n in told["notes"])
    assert any("is FID" in note for note in told["notes"])
    assert {"kernel-distance", "precision", "vendi-score"} <= set(told["metrics"])
    assert not {"modes", "confidence"} & set(told["metrics"])
    figure = told["metrics"]["frechet-distance"]
    assert min(figure["members"]) > figure["real"] > 0


def test_what_inception_lacks_is_said_in_one_line(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    sparring("measure", trained, "--judge", "inception", expect=FAILED)
    said = capsys.readouterr()
    assert "pip install 'sparring[inception]'" in said.err and len(said.err.strip().splitlines()) == 1


def test_a_class_conditional_run_is_measured_where_the_test_split_has_no_labels(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, out = tmp_path / "data", tmp_path / "run"
    shutil.copytree(data_dir / "fashion-mnist", home)
    shutil.copy(home / "train-images-idx3-ubyte", home / "t10k-images-idx3-ubyte")
    few = ("--rounds", 2, "--log-points", 1, "--batch", 8, "--seeds", 2, "--no-metrics", "--conditional")
    sparring("train", "fashion-fc", *few, "--data-dir", home, "--out", out)
    capsys.readouterr()
    sparring("measure", out, "--count", 128, "--data-dir", home, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["held_out"] == "its test split" and told["n"] == 128
    sparring("sample", out, "--filter", "d", "--count", 4, "--data-dir", home, expect=FAILED)
    assert "holds no t10k-labels-idx1-ubyte" in capsys.readouterr().err


def test_a_measurement_of_a_member_that_diverged_is_null_and_counted(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sparring.analysis.measure as room

    recipe = room.recipe_of(RunFolder.open(trained))

    def lost(*given: object, **how: object) -> tuple[object, np.ndarray]:
        made = np.random.default_rng(0).uniform(size=(3, 50, 1, 8, 8)).astype(np.float32)
        made[1] = np.nan
        return recipe, made

    monkeypatch.setattr(room, "generated", lost)
    sparring("measure", trained, "--count", 50, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["metrics"]["rarest-class"]["real"] is None  # of fifty images no class has enough
    known = [f["members"] for f in told["metrics"].values() if f["real"] is not None]
    assert len(known) > 5 and all(of[1] is None and of[0] is not None for of in known)
    sparring("measure", trained, "--count", 50)
    assert "1 of 3 seeds diverged" in capsys.readouterr().out


def test_some_metrics_alone(trained: Path) -> None:
    few = ("frechet-distance", "modes")
    some, every = measure(trained, 32, metrics=few).plain()["metrics"], measure(trained, 32).plain()["metrics"]
    assert set(some) == set(few) < set(every)
    assert all(some[name] == every[name] for name in few)


def test_both_sides_of_real_data_are_other_examples(data_dir: Path) -> None:
    from sparring.datasets.digits import Digits
    from sparring.datasets.pattern_1010 import Pattern1010

    for data in (Digits(), Pattern1010()):
        real = real_data(data, 5_000, data_dir)
        assert len(real.reference) == len(real.held_out)
        both = np.concatenate([real.reference, real.held_out]).reshape(2 * len(real.reference), -1)
        assert len(np.unique(both, axis=0)) == len(both)
    assert len(real_data(Digits(), 5_000).reference) == 898


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nowhere"], FAILED, "nowhere does not exist"),
        (["{run}", "--count", "3"], WRONG_USAGE, "count must be at least 16"),
        (["{run}", "--judge", "fashion"], WRONG_USAGE, "no judge called 'fashion'"),
        (["{run}", "--judge", "owl"], WRONG_USAGE, "to measure, own and inception too"),
        (["{run}", "--judge", "mnist"], WRONG_USAGE, "takes (1, 28, 28) images"),
        (["{run}", "--seeds", "7"], WRONG_USAGE, "no seed 7"),
        (["{run}", "--metrics", "beauty"], WRONG_USAGE, "the metric beauty does not fit this run, or is none"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(
    arguments: list[str], status: int, words: str, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sparring("measure", *(a.format(run=trained) for a in arguments), expect=status)
    said = capsys.readouterr()
    assert words in said.err and len(said.err.strip().splitlines()) == 1 and said.out == ""


def test_members_of_one_seed_that_differ_in_numbers_are_measured_each(tmp_path: Path) -> None:
    """Two learning rates x two seeds: each has a row of its own, which its cell's diagnosis heeds, by both judges."""
    rates = {"generator_optimizer.lr": [1e-2, 1e-2, 1e-5, 1e-5]}
    small = FullyConnected((9,), output="tanh")
    recipe = find_recipe("digits").replace(generator=small, rounds=20, batch=8, log_points=1)
    folder = train(recipe.replace(seeds=[0, 3, 0, 3], per_member=rates), tmp_path / "rates", threads=1, compile=False)
    sparring("measure", folder.path, "--count", 300)
    told = json.loads((folder.path / "measures.json").read_text())
    assert told["seeds"] == [0, 3, 0, 3]
    judged = [told["metrics"]["frechet-distance"], told["independent"]["metrics"]["frechet-distance"]]
    assert all(len(set(each["members"])) == 4 for each in judged)
    story = story_of(folder)
    for cell in story.cells:
        found = Measured.of(story.of(cell))
        assert found is not None and found.independent is not None
        for each, by in zip((found, found.independent), judged, strict=True):
            assert each.values("frechet-distance").tolist() == [by["members"][member] for member in cell]
    assert len(diagnosis(story).cells) == 2
