"""The command as a user meets it: its words, its JSON, its exit status."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring import catalogue
from sparring.cli.main import COMMANDS, FAILED, WRONG_USAGE, run
from sparring.cli.recipe_flags import well_known_flags
from sparring.recipe.reading import WELL_KNOWN
from tests.commands import sparring


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "run"
    sparring("train", "pattern-1010", "--rounds", 200, "--log-points", 4, "--seeds", 3, "--out", out)
    return out


Said = Callable[[list[str], int], tuple[str, str]]


@pytest.fixture
def said_by(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Said:
    """What a command prints on stdout and stderr that is given in an empty folder and ends with this exit status."""
    monkeypatch.chdir(tmp_path)

    def ask(arguments: list[str], status: int) -> tuple[str, str]:
        sparring(*arguments, expect=status)
        return capsys.readouterr()

    return ask


def test_train_ends_with_one_json_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    sparring("train", "pattern-1010", "--rounds", 100, "--seeds", "5,3", "--out", out, "--json")
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"run", "rounds", "seeds", "rounds_per_second", "seconds"}
    assert (told["run"], told["rounds"], told["seeds"]) == (str(out), 100, [5, 3])
    assert told["rounds_per_second"] > 0


def test_a_finished_run_is_not_trained_again(trained: Path) -> None:
    before = (trained / "journal.jsonl").read_bytes()
    sparring("train", "pattern-1010", "--rounds", 200, "--log-points", 4, "--seeds", 3, "--out", trained)
    assert (trained / "journal.jsonl").read_bytes() == before


def test_every_field_of_a_recipe_is_a_flag(tmp_path: Path) -> None:
    out = tmp_path / "run"
    sparring(
        *("train", "digits", "--out", out, "--rounds", 3, "--log-points", 1, "--seeds", "4-5", "--batch", 8),
        *("--data", "digits", "--objective", "mse", "--latent", "uniform(7)", "--samples-per-grid", 4),
        *("--generator", "fully-connected(hidden=(9, 11), activation=tanh, output=sigmoid)"),
        *("--discriminator-optimizer", "sgd(0.5, momentum=0.9)", "--generator-optimizer", "adam(betas=(0, 0.9))"),
        *("--tricks", "label-swapping(0.2)", "label-smoothing(fake=(0, 0.1))"),
        *("--round", "d_sees_real", "d_sees_fake", "g_fools_d*2"),
    )
    held = json.loads((out / "recipe.json").read_text())
    assert held["seeds"] == [4, 5]
    assert held["objective"] == {"is": "mse"}
    assert held["latent"] == {"is": "uniform", "size": 7}
    assert held["generator"]["hidden"] == [9, 11]
    assert held["discriminator_optimizer"] == {"is": "sgd", "lr": 0.5, "momentum": 0.9, "weight_decay": 0.0}
    assert held["generator_optimizer"]["betas"] == [0, 0.9]
    assert [t["is"] for t in held["tricks"]] == ["label-swapping", "label-smoothing"]
    assert held["round"] == ["d_sees_real", "d_sees_fake", "g_fools_d", "g_fools_d"]


def test_flags_of_other_tools_work(tmp_path: Path) -> None:
    out = tmp_path / "run"
    few = ("--rounds", 2, "--log-points", 1, "--out", out)
    sparring("train", "digits", *few, "--batch-size", 8, "--optimizer", "sgd(momentum=0.5)", "--lr", "0.25")
    trained = json.loads((out / "recipe.json").read_text())
    assert trained["batch"] == 8
    for player in ("generator", "discriminator"):
        assert trained[f"{player}_optimizer"] == {"is": "sgd", "lr": 0.25, "momentum": 0.5, "weight_decay": 0.0}


@pytest.mark.parametrize("name", catalogue.entries("recipes"))
def test_what_a_flag_shows_is_what_it_reads(name: str) -> None:
    from sparring.recipe import KIND_OF, find_recipe
    from sparring.recipe.reading import as_text, read_all

    recipe = find_recipe(name)
    for field, shelf in KIND_OF.items():
        text, held = as_text(field, getattr(recipe, field)), getattr(recipe, field)
        if isinstance(text, str):
            assert catalogue.read(shelf, text) == held
        else:
            assert read_all(shelf, text) == held


def test_recipes_lists_every_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    sparring("recipes", "--json")
    told = json.loads(capsys.readouterr().out)
    assert [r["name"] for r in told] == list(catalogue.entries("recipes"))
    assert all(r["what"] and r["source"] and r["verdict"] for r in told)
    sparring("recipes", "num-gan")
    assert "784-200-1" in capsys.readouterr().out


def test_recipes_fit_a_screen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal of 80 x 24, where a line is left for the next command."""
    monkeypatch.setenv("COLUMNS", "80")
    sparring("recipes")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 24 and max(map(len, lines)) <= 80
    words = " ".join(lines)
    assert words.index("Start here") < words.index("Modern") < words.index("The ladder")
    assert all(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", words) for name in catalogue.entries("recipes"))
    sparring("recipes", "--all")
    said = " ".join(capsys.readouterr().out.split())
    assert all(" ".join(card.facts["verdict"].split()) in said for card in catalogue.entries("recipes").values())


def test_show_tells_numbers_over_seeds(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sparring("show", trained, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["seeds"] == [0, 1, 2]
    sparring("show", trained)
    assert "pattern-1010" in capsys.readouterr().out


def test_sample_writes_numbers_and_pictures(trained: Path, tmp_path: Path) -> None:
    numbers, again, other, picture = (tmp_path / n for n in ("a.npy", "b.npy", "c.npy", "d.png"))
    sparring("sample", trained, "--count", 5, "--out", numbers)
    sparring("sample", trained, "--count", 5, "--out", again)
    sparring("sample", trained, "--z-seeds", "5,0-2", "--seeds", "2,0", "--out", other)
    sparring("sample", trained, "--count", 5, "--out", picture)
    examples = np.load(numbers)
    assert examples.shape == (3, 5, 4)
    assert examples.dtype == np.float32
    assert examples.min() >= 0 and examples.max() <= 1
    assert numbers.read_bytes() == again.read_bytes()
    np.testing.assert_array_equal(np.load(other)[:, 1:], examples[[2, 0], :3])
    with Image.open(picture) as image:
        assert image.format == "PNG"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["trian"], WRONG_USAGE, "did you mean 'train'"),
        (["train"], WRONG_USAGE, "say what to train"),
        (["train", "patern-1010"], WRONG_USAGE, "did you mean 'pattern-1010'"),
        (["train", "no_such_file.py"], WRONG_USAGE, "there is no file no_such_file.py"),
        (["train", "pattern-1010", "--ronds", "3"], WRONG_USAGE, "did you mean '--rounds'"),
        (["train", "pattern-1010", "--rounds", "many"], WRONG_USAGE, "--rounds"),
        (["train", "pattern-1010", "--rounds", "0"], WRONG_USAGE, "rounds must be at least 1"),
        (["train", "pattern-1010", "--seeds", "a"], WRONG_USAGE, "seeds takes a count"),
        (["train", "pattern-1010", "--seeds", "1,1"], WRONG_USAGE, "distinct"),
        (["train", "pattern-1010", "--seeds", "5-2"], WRONG_USAGE, "seeds: the range 5-2 ends before it begins"),
        (["train", "pattern-1010", "--objective", "msee"], WRONG_USAGE, "did you mean 'mse'"),
        (["train", "pattern-1010", "--generator-optimizer", "adam(l=1)"], WRONG_USAGE, "did you mean 'lr'"),
        (["train", "pattern-1010", "--generator-optimizer", "adam(1"], WRONG_USAGE, "closing bracket"),
        (["train", "pattern-1010", "--tricks", "label-smoothing(real=(2, 3))"], WRONG_USAGE, "label range"),
        (["show", "nowhere"], FAILED, "nowhere does not exist"),
        (["sample", "nowhere", "--out", "a.npy"], FAILED, "nowhere does not exist"),
        (["sample", "nowhere", "--out", "a.gif"], WRONG_USAGE, ".npy or .png"),
        (["sample", "nowhere"], FAILED, "nowhere does not exist"),
        (["sample", "nowhere", "--out", "a.npy", "--z-seeds", "3-1"], WRONG_USAGE, "ends before it begins"),
        (["sample", "nowhere", "--out", "a.npy", "--z-seeds", "x"], WRONG_USAGE, "whole numbers and ranges"),
        (["sample", "nowhere", "--out", "a.npy", "--z-seeds", "0-999999999"], WRONG_USAGE, "at most 100,000"),
        (["recipes", "nothing"], WRONG_USAGE, "no recipe called"),
        (["train", "digits", "--ticks", "3"], WRONG_USAGE, "--ticks is now called --log-points"),
        (["train", "digits", "--pictured=3"], WRONG_USAGE, "--pictured is now called --samples-per-grid"),
        (["train", "digits", "--until-still"], WRONG_USAGE, "--until-still is now called --early-stop"),
        (["train", "digits", "--no-figures"], WRONG_USAGE, "--no-figures is now called --no-metrics"),
        (["train", "digits", "--generator-optimiser", "sgd"], WRONG_USAGE, "now called --generator-optimizer"),
        (["sample", "nowhere", "--numbers", "3"], WRONG_USAGE, "--numbers is now called --z-seeds"),
        (["train", "digits", "--epochs", "3"], WRONG_USAGE, "one epoch of digits is 29 rounds with batches of 64"),
        (["train", "dcgan"], WRONG_USAGE, "dcgan is `--generator dcgan --discriminator dcgan`"),
        (["train", "digits", "--objective", "wgan-gp"], WRONG_USAGE, "--objective wasserstein --tricks gradient-pen"),
        (["train", "digits", "--tricks", "wgan-gp"], WRONG_USAGE, "no trick called 'wgan-gp'"),
        (["train", "digits", "--wandb"], WRONG_USAGE, "write --log wandb"),
        (["train", "digits", "--gpu", "--rounds", "0"], WRONG_USAGE, "rounds must be at least 1"),
        (["show", "nowhere", "else"], WRONG_USAGE, "'else' is one argument too many"),
    ],
)
def test_an_error_is_one_line_and_a_status(arguments: list[str], status: int, words: str, said_by: Said) -> None:
    out, err = said_by(arguments, status)
    assert words in err
    assert len(err.strip().splitlines()) == 1
    assert out == ""


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["show", "nowhere", "--json"], FAILED, "nowhere"),
        (["train", "digits", "--json", "--ronds", "3"], WRONG_USAGE, "--rounds"),
        (["shw", "--json"], WRONG_USAGE, "shw"),
    ],
)
def test_with_json_an_error_is_a_document_too(arguments: list[str], status: int, words: str, said_by: Said) -> None:
    out, err = said_by(arguments, status)
    document = json.loads(out)
    assert document["status"] == status and words in document["error"]
    assert err == f"sparring: {document['error']}\n"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--rounds", 100], "is a run of 200 rounds: it can be made longer, but not shorter (100)"),
        (["--rounds", 200, "--batch", 2], "holds another run (batch: 1, not 2)"),
        (["--rounds", 300, "--batch", 2], "holds another run (batch: 1, not 2)"),
    ],
)
def test_a_folder_that_holds_another_run_is_left_alone(
    flags: list[object], message: str, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {p: p.read_bytes() for p in trained.rglob("*") if p.is_file()}
    sparring("train", "pattern-1010", *flags, "--log-points", 4, "--seeds", 3, "--out", trained, expect=WRONG_USAGE)
    assert message in capsys.readouterr().err
    assert {p: p.read_bytes() for p in trained.rglob("*") if p.is_file()} == before


def test_a_folder_of_the_users_own_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    sparring("train", "pattern-1010", "--rounds", 10, "--out", tmp_path, expect=WRONG_USAGE)
    assert "is not a run" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), ["train", "digits"]])
def test_help_is_there_for_every_command(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with suppress(SystemExit):  # a flag that is not known is an error of its own, on stderr
        sparring(*command, "--help")
    said = capsys.readouterr()
    assert "usage: sparring" in said.out
    assert max(map(len, said.out.splitlines())) <= 80
    assert said.err == ""


def test_a_player_that_cannot_learn_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("pattern-1010", "--rounds", 2, "--discriminator-optimizer", "adam(lr=0)", "--out", tmp_path / "run")
    sparring("train", *asked)
    assert "with a learning rate of 0 the discriminator will not learn" in capsys.readouterr().err


def test_names_that_people_use_are_read() -> None:
    from sparring.cli.recipe_flags import changed, flags_of, flat
    from sparring.cli.train import TrainFlags
    from sparring.recipe import find_recipe

    recipe = find_recipe("mnist")
    flags = flat(flags_of(TrainFlags, recipe)())
    assert changed(recipe, flags) == recipe
    flags.generator, flags.discriminator = "dcgan(width=8)", "dcgan"
    flags.objective, flags.tricks = "bce", ("ema",)
    made = changed(recipe, flags).to_dict()
    assert made["generator"]["is"] == "dcgan-generator" and made["generator"]["width"] == 8
    assert made["discriminator"]["is"] == "dcgan-discriminator"
    assert made["objective"]["is"] == "bce-with-logits"
    assert [trick["is"] for trick in made["tricks"]] == ["exponential-moving-average"]


@pytest.mark.parametrize("name", WELL_KNOWN)
def test_what_a_well_known_gan_is_answered_with_is_read(name: str, tmp_path: Path) -> None:
    few = (
        "--rounds",
        1,
        "--log-points",
        1,
        "--batch",
        2,
        "--no-metrics",
        "--data",
        "digits",
        "--out",
        tmp_path / "run",
    )
    sparring("train", "auto", *well_known_flags(name).split(), *few)


def test_help_of_train_is_in_groups(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["train", "digits", "--help"])
    said = capsys.readouterr().out
    titles = [said.index(f" {group} options ") for group in ("run", "data", "game", "networks", "machine")]
    assert titles == sorted(titles)
    assert "None" not in said and "STR" not in said
    for flag in ("--log-points", "--samples-per-grid", "--no-metrics", "--early-stop", "--lr"):
        assert flag in said


def test_a_help_line_is_read_without_loading_the_command() -> None:
    code = "import sys; from sparring.cli.main import run; run(['--help']); print(sorted(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "Rank latent dimensions" in said
    assert not any(name in said for name in ("tyro", "numpy", "sparring.cli.train", "sparring.recipe"))


def test_auto_takes_a_folder_of_images(image_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sized by it before any other flag is read; what its images are like is said once."""
    out = tmp_path / "run"
    quick = ("--rounds", 4, "--log-points", 1, "--batch", 4, "--generator", "fully-connected(hidden=(8,), output=tanh)")
    sparring("train", "auto", "--data", image_folder, *quick, "--out", out, "--threads", 1)
    held = json.loads((out / "recipe.json").read_text())
    assert held["data"]["found_shape"] == [3, 8, 8]
    assert held["tricks"][0]["is"] == "adaptive-augmentation"
    assert set(json.loads((out / "about.json").read_text())["changed"]) <= {
        "data",
        "rounds",
        "log_points",
        "batch",
        "generator",
    }
    assert capsys.readouterr().err.count("256 images in 2 classes") == 1
    sparring("train", "auto", "--data", "ring", "--rounds", 2, "--log-points", 1, "--out", tmp_path / "points")
    assert json.loads((tmp_path / "points" / "recipe.json").read_text())["tricks"][0]["is"] == "r1-r2"
