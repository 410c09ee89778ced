"""Training for some minutes: the rounds follow from the pace of this machine, and the recipe from the rounds."""

from __future__ import annotations

from pathlib import Path

import pytest

import sparring
from sparring.analysis.followed import FollowedRun
from sparring.datasets.digits import Digits
from sparring.errors import UsageError
from sparring.game.assembly import game_of
from sparring.game.game import Logged
from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.training import time_budget
from tests.stories.image_files import RGB, saved
from tests.stories.image_files import sparring as command

RECIPE = sparring.find_recipe("pattern-1010").replace(seeds=2)


def test_a_pace_gives_the_rounds_and_a_share_is_left_for_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(time_budget, "seconds_per_call", lambda *_: 0.25)
    run = sparring.train(RECIPE, tmp_path / "run", minutes=0.5, compile=False)
    assert run.recipe.rounds == int(30 * (1 - time_budget.OVERHEAD) / 0.25) == 111
    assert run.status == "finished"
    assert "0.5 minutes here: 111 rounds of 250 ms" in capsys.readouterr().err
    # It is a run of that many rounds, whatever the machine that chose them.
    same = sparring.train(RECIPE.replace(rounds=111), tmp_path / "same", compile=False)
    assert same.recipe.id == run.recipe.id
    assert (same.curves["d_loss"] == run.curves["d_loss"]).all()


def test_numbers_of_rounds_are_round(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for pace, rounds in ((1e-4, 334_000), (0.0123, 2_720), (40.0, 1), (0.9, 37)):
        assert time_budget.rounds_in(36 * (1 - time_budget.OVERHEAD), pace) == pytest.approx(rounds, rel=0.01)


@pytest.mark.parametrize(("roughly", "turn"), [(1e-5, 16), (1.0, 1)])
def test_quick_rounds_are_timed_by_sixteens_so_that_a_penalty_has_its_share(roughly: float, turn: int) -> None:
    recipe = find_recipe("mnist-fast").replace(data=Digits(), batch=2)
    game, played = game_of(recipe, recipe.data.open(None, "cpu")), list[int]()

    def play_to(round: int, every: int) -> list[Logged]:
        played.append(round - game.round)
        return game.play_to(round, every)

    # A fiftieth of 6 ms is less than one round takes.
    time_budget._pace(game, play_to, 0.006, roughly)  # pyright: ignore[reportPrivateUsage] - it plays no run
    assert (played, game.round) == ([1, turn], 0)


def test_a_run_keeps_its_rounds_when_it_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "run"
    sparring.train(RECIPE.replace(rounds=40), out)
    monkeypatch.setattr(time_budget, "seconds_per_call", lambda *_: pytest.fail("timed again"))
    assert sparring.train(RECIPE, out, minutes=5).recipe.rounds == 40


def test_a_run_that_a_page_made_has_its_rounds_when_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page shows the folder before the pilot knows how many rounds there are."""
    monkeypatch.setattr(time_budget, "seconds_per_call", lambda *_: 1.0)
    run = RunFolder(tmp_path / "run")
    run.create(RECIPE.to_json())
    followed = FollowedRun(run)
    flags = ("--from", run.path, "--out", run.path, "--minutes", 0.5, "--no-compile")
    assert command("train", *flags) == 0
    assert (followed.update(), followed.recipe["rounds"], run.story.status) == (True, 27, "finished")
    assert command("train", *flags[:-2], 5, "--no-compile") == 0, "it is finished, and as long as it was"
    assert run.story.round == 27


def test_a_folder_that_was_made_for_another_recipe_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(time_budget, "seconds_per_call", lambda *_: 1.0)
    run = RunFolder(tmp_path / "run")
    run.create(RECIPE.to_json())
    assert command("train", "ring", "--minutes", 0.5, "--no-compile", "--out", run.path) == 2
    assert "holds another run" in capsys.readouterr().err
    assert run.recipe_json == RECIPE.to_json()


def test_the_command_trains_for_minutes_or_hours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(time_budget, "seconds_per_call", lambda *_: 1.0)
    assert command("train", "pattern-1010", "--minutes", 1, "--no-compile", "--out", tmp_path / "a") == 0
    assert command("train", "pattern-1010", "--hours", 1 / 60, "--no-compile", "--out", tmp_path / "b") == 0
    assert sparring.Run(tmp_path / "a").recipe.rounds == sparring.Run(tmp_path / "b").recipe.rounds == 55
    capsys.readouterr()
    assert command("train", "pattern-1010", "--minutes", 1, "--rounds", 9, "--out", tmp_path / "c") == 2
    assert "--minutes and --rounds both say how long to train" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf"), 1e9])
def test_what_is_no_time_is_refused(minutes: float, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"minutes (must lie above 0|takes a number)"):
        sparring.train(RECIPE, tmp_path / "run", minutes=minutes)
    with pytest.raises(UsageError, match="minutes are those of one process"):
        sparring.train(RECIPE, tmp_path / "run", minutes=1, processes=2)
    assert not (tmp_path / "run").exists()


def test_what_a_folder_holds_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pilot plays rounds of its own before the run is prepared."""
    (tmp_path / "photos").mkdir()
    for index in range(6):
        saved(RGB + index)(tmp_path / "photos" / f"{index}.png")
    monkeypatch.setattr(time_budget, "seconds_per_call", lambda *_: 20.0)
    flags = ("--minutes", 1, "--no-judge", "--no-compile", "--out", tmp_path / "run")
    assert command("train", "--data", tmp_path / "photos", *flags) == 0
    assert capsys.readouterr().err.count("6 images, 5x6") == 1
