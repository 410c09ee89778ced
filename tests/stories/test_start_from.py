"""Fine-tuning: a run that starts with the weights of another."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import sparring
import sparring.training.trainer
from sparring.analysis.comparison import Comparison
from sparring.analysis.summary import summary
from sparring.cli.main import run as command
from sparring.datasets.folder import Folder
from sparring.errors import SparringError, UsageError
from sparring.game.assembly import AVERAGED
from sparring.networks.fully_connected import FullyConnected
from sparring.recipe import Recipe, StartFrom, find_recipe
from sparring.record import RunFolder
from sparring.training import Trainer
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from tests.laws.test_interrupted_is_uninterrupted import leave_at, lose_every_checkpoint

pytestmark = pytest.mark.usefixtures("few_samples")
train = partial(sparring.training.train, threads=1, compile=False, metrics=False)

RECIPE = find_recipe("digits").replace(
    generator=FullyConnected((12,), output="tanh"),
    discriminator=FullyConnected((12,)),
    tricks=(ExponentialMovingAverage(half_life=3),),
    batch=4,
    rounds=12,
    log_points=3,
    samples_per_grid=2,
    seeds=(3, 8),
)
TUNED = RECIPE.replace(rounds=9)


@pytest.fixture(autouse=True)
def every_round_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparring.training.trainer, "BEAT_SECONDS", -1.0)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return train(RECIPE, tmp_path_factory.mktemp("runs") / "first")


def start_of(recipe: Recipe, folder: Path, **more: Any) -> tuple[RunFolder, dict[str, np.ndarray]]:
    """A run that is left before its first round, and the weights that it has then."""

    def leave(trainer: Trainer) -> None:
        trainer.stopping = True

    run = train(recipe, folder, watchers=[leave], **more)
    round, state = run.load() or (-1, {})
    assert round == 0
    return run, state


def final(run: RunFolder) -> bytes:
    return run.checkpoints()[-1].read_bytes()


def weights(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {n: a for n, a in state.items() if n.startswith(("G.", "D.")) and "memory" not in n}


def test_each_member_starts_with_the_weights_of_its_seed(
    source: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, theirs = source.load() or (0, {})
    run, mine = start_of(TUNED.replace(seeds=(8, 3)), tmp_path / "run", start_from=source.path)
    assert any(name.startswith(AVERAGED) for name in mine)
    for name, array in weights(mine).items():
        np.testing.assert_array_equal(array, theirs[name][[1, 0]], err_msg=name)
    assert all(not array.any() for name, array in mine.items() if ".memory." in name)  # optimizers begin anew
    assert f"starts with the weights of {source.path.resolve()}, round 12" in capsys.readouterr().err
    assert run.recipe["start_from"]["round"] == 12 and run.about["start_from"] == run.recipe["start_from"]
    (event,) = [event for event in run.story.events if event["event"] == "started-from"]
    assert event["loaded"] == {"G": [4, 4], "D": [4, 4], "averaged": [4, 4]} and not event["anew"]


def test_all_members_may_start_with_the_weights_of_one(source: RunFolder, tmp_path: Path) -> None:
    _, theirs = source.load() or (0, {})
    _, mine = start_of(TUNED.replace(seeds=3, start_from=f"{source.path}:8"), tmp_path / "run")
    for name, array in weights(mine).items():
        for member in range(3):
            np.testing.assert_array_equal(array[member], theirs[name][1], err_msg=name)


def test_a_member_starts_alike_whoever_else_trains(source: RunFolder, tmp_path: Path) -> None:
    both = train(TUNED, tmp_path / "both", start_from=source.path)
    alone = train(TUNED.replace(seeds=(8,)), tmp_path / "alone", start_from=source.path)
    (_, together), (_, solo) = both.load() or (0, {}), alone.load() or (0, {})
    for name, array in weights(solo).items():
        np.testing.assert_allclose(array[0], together[name][1], rtol=1e-4, atol=1e-5, err_msg=name)


def test_the_best_checkpoint_can_be_chosen(tmp_path: Path, source: RunFolder) -> None:
    copy = RunFolder(tmp_path / "copy")
    shutil.copytree(source.path, copy.path)
    with pytest.raises(SparringError, match="has no best checkpoint"):
        train(TUNED, tmp_path / "run", start_from=f"{copy.path}:best")
    _, state = copy.load() or (0, {})
    copy.save_best(7, {name: array + 1 for name, array in state.items()})
    run, mine = start_of(TUNED, tmp_path / "run", start_from=f"{copy.path}:best")
    np.testing.assert_array_equal(mine["G.0.weight"], state["G.0.weight"] + 1)
    assert run.recipe["start_from"]["round"] == 7


def test_what_does_not_fit_is_drawn_anew_and_named(
    source: RunFolder, tmp_path: Path, image_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other data: color images, so that the last layer of G and the first of D are others."""
    colored = TUNED.replace(data=Folder(str(image_folder), span=(-1.0, 1.0)))
    _, fresh = start_of(colored, tmp_path / "fresh")
    run, mine = start_of(colored.replace(start_from=source.path), tmp_path / "run")
    _, theirs = source.load() or (0, {})
    (event,) = [event for event in run.story.events if event["event"] == "started-from"]
    named = {"G.2.weight", "G.2.bias", "D.1.weight"}
    assert {name for name in event["anew"] if "averaged" not in name} == named, event
    for name, array in weights(mine).items():
        plain = name.replace("averaged.", "")
        expected = fresh[name] if plain in named else theirs[name]
        np.testing.assert_array_equal(array, expected, err_msg=name)
    said = " ".join(capsys.readouterr().err.split())
    assert "tensors that fit: G 2 of 4, D 3 of 4, averaged 2 of 4" in said
    assert "G.2.weight is (64, 12) there, (192, 12) here" in said
    assert "Drawn anew: G.2.weight" in summary(run)["history"][0]


def test_where_nothing_fits_no_run_begins(source: RunFolder, tmp_path: Path) -> None:
    other = TUNED.replace(generator=find_recipe("num-gan-2").generator, discriminator=FullyConnected((7, 6)))
    with pytest.raises(UsageError, match=r"no weights of .*first fit this recipe's networks: tensors that fit: G 0"):
        train(other.replace(start_from=source.path), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_seed_that_the_other_run_lacks_is_named(source: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no seed 4 to start from: its seeds are 3, 8; choose among them, or"):
        train(TUNED.replace(seeds=(3, 4)), tmp_path / "run", start_from=source.path)
    with pytest.raises(UsageError, match="has no seed 5"):
        train(TUNED, tmp_path / "run", start_from=f"{source.path}:5")
    with pytest.raises(SparringError, match="does not exist"):
        train(TUNED, tmp_path / "run", start_from=tmp_path / "nowhere")
    assert not (tmp_path / "run").exists()


def test_a_run_of_one_member_serves_every_seed(tmp_path: Path) -> None:
    one = train(RECIPE.replace(seeds=(5,), rounds=3), tmp_path / "one")
    _, mine = start_of(TUNED, tmp_path / "run", start_from=one.path)
    np.testing.assert_array_equal(mine["G.0.weight"][0], mine["G.0.weight"][1])


def never(run: RunFolder) -> None:
    """No damage."""


@pytest.mark.parametrize("damage", [never, lose_every_checkpoint])
@pytest.mark.parametrize("fate", ["gone", "trained on"])
def test_it_resumes_without_the_other_run(
    damage: Callable[[RunFolder], None], fate: str, source: RunFolder, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    shutil.copytree(source.path, first)
    whole = train(TUNED, tmp_path / "whole", start_from=first)
    run = train(TUNED, tmp_path / "run", start_from=first, watchers=[leave_at(4)])
    if fate == "gone":
        shutil.rmtree(first)
    else:
        train(RECIPE.replace(rounds=15), first)
    damage(run)
    run = train(TUNED, tmp_path / "run", start_from=first)
    assert run.story.status == "finished" and final(run) == final(whole)
    assert len([e for e in run.story.events if e["event"] == "started-from"]) == 1
    longer = train(TUNED.replace(rounds=11), run.path, start_from=first)
    assert longer.story.round == 11
    with pytest.raises(UsageError, match=r"holds another run \(start_from: "):
        train(TUNED.replace(rounds=11), run.path)


def test_it_can_be_made_again_from_its_recipe(source: RunFolder, tmp_path: Path) -> None:
    first = tmp_path / "first"
    shutil.copytree(source.path, first)
    run = train(TUNED, tmp_path / "run", start_from=first)
    again = train(Recipe.from_dict(run.recipe), tmp_path / "again")
    assert final(again) == final(run) and again.about["id"] == run.about["id"]
    train(RECIPE.replace(rounds=15), first)
    with pytest.raises(SparringError, match="has trained on since: the weights of round 12"):
        train(Recipe.from_dict(run.recipe), tmp_path / "third")


def test_shards_start_alike(source: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sparring.training.distributed import coordinator
    from tests.sharded_runs import Here

    monkeypatch.setattr(coordinator, "LocalWorkers", Here)
    monkeypatch.setattr(coordinator, "POLL_SECONDS", 0.0)
    whole = train(TUNED, tmp_path / "whole", start_from=source.path)
    run = train(TUNED, tmp_path / "run", start_from=source.path, processes=2)
    (_, mine), (_, theirs) = run.load() or (0, {}), whole.load() or (0, {})
    for name, array in theirs.items():
        np.testing.assert_allclose(mine[name], array, rtol=1e-4, atol=1e-5, err_msg=name)
    assert summary(run)["history"] == summary(whole)["history"]
    longer = train(TUNED.replace(rounds=14), run.path, start_from=source.path, processes=2)
    assert (longer.story.status, longer.story.round) == ("finished", 14)
    assert [line.partition(" ")[0] for line in summary(longer)["history"]] == ["It", "At"]
    bad = TUNED.replace(generator=find_recipe("num-gan-2").generator, discriminator=FullyConnected((7, 6)))
    with pytest.raises(UsageError, match="no weights of"):
        train(bad, tmp_path / "bad", start_from=source.path, processes=2)
    assert not (tmp_path / "bad").exists()


def test_the_page_and_a_comparison_say_so(source: RunFolder, tmp_path: Path) -> None:
    run = train(TUNED, tmp_path / "tuned", start_from=source.path)
    compared = Comparison.of([source.path, run.path])
    assert compared.steps[1] == [
        "rounds: 12 → 9",
        f"start from: new weights → the weights of {source.path.name}, round 12",
    ]
    assert any("It starts with the weights of" in note for note in compared.notes)
    page = sparring.Run(run).report().read_text(encoding="utf-8")
    assert f"It starts with the weights of {source.path.resolve()}, round 12." in page


def test_the_command_tunes_a_run_on_other_data(
    source: RunFolder, tmp_path: Path, image_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(source.path, tmp_path / "runs" / "first")
    gray = tmp_path / "gray"
    gray.mkdir()
    for number, path in enumerate(sorted(image_folder.rglob("*.png"))[:40]):
        with Image.open(path) as image:
            image.convert("L").save(gray / f"{number}.png")
    flags = ["--rounds", "4", "--no-metrics", "--threads", "1", "--json"]
    assert command(["train", "--start-from", "runs/first", "--data", str(gray), *flags]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["run"] == "runs/digits-from-first"
    assert "starts with the weights of" in captured.err and "drawn anew" not in captured.err
    recipe = RunFolder.open("runs/digits-from-first").recipe
    assert recipe["data"]["is"] == "folder" and recipe["batch"] == 4 and recipe["seeds"] == [3, 8]
    assert command(["train", "digits", "--start-from", "runs/first:9", *flags, "--out", "x"]) == 2
    assert "has no seed 9" in capsys.readouterr().err


def test_a_handle_on_a_run_and_its_path_are_taken_too(source: RunFolder) -> None:
    for value in (source.path, str(source.path), sparring.Run(source), StartFrom(str(source.path))):
        assert TUNED.replace(start_from=value).start_from == StartFrom(str(source.path))
    with pytest.raises(UsageError, match="start_from takes a run"):
        TUNED.replace(start_from=3)
