"""A run that is made longer is the run of that length, where nothing in its recipe follows the length; else it says so.

And nothing else about a run can be changed.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparring.training
import sparring.training.single
import sparring.training.trainer
from sparring import catalogue
from sparring.analysis.summary import summary
from sparring.errors import UsageError
from sparring.game.assembly import game_of, restore, state_of
from sparring.game.runtime import threads_set
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder
from sparring.training.control.branching import branch
from sparring.training.control.rewind import rewind_folder
from sparring.tricks import Trick
from sparring.tricks.learning_rate_schedule import LearningRateSchedule
from tests.contracts.trick_games import SMALL, begun, kept
from tests.laws.test_interrupted_is_uninterrupted import leave_at, lose_every_checkpoint, truncate_the_newest_checkpoint
from tests.laws.user_modules import PAIRS
from tests.miniature import miniature

SHORT, LONG = 20, 45
"""Rounds at first, and in the end."""

train = partial(sparring.training.train, threads=1, compile=False)
pytestmark = pytest.mark.usefixtures("few_samples")


@pytest.fixture(autouse=True)
def every_round_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparring.training.trainer, "BEAT_SECONDS", -1.0)


def short(recipe: Recipe) -> Recipe:
    return miniature(recipe).replace(rounds=SHORT, log_points=5, samples_per_grid=3, seeds=(3, 123456789012))


def events(run: RunFolder, *names: str) -> list[dict[str, Any]]:
    return [event for event in run.story.events if event["event"] in names]


def assert_of_length(longer: RunFolder, whole: RunFolder) -> None:
    """The same weights to the byte, the same curves, and from where it went on the same log points."""
    assert longer.story.status == whole.story.status == "finished"
    assert longer.checkpoints()[-1].read_bytes() == whole.checkpoints()[-1].read_bytes()
    np.testing.assert_array_equal(longer.story.logged_rounds, whole.story.logged_rounds)
    for name in ("d_loss", "g_loss"):
        np.testing.assert_array_equal(longer.story.curve(name), whole.story.curve(name))
    (extended,) = events(longer, "extended")
    mine, theirs = ({e["round"] for e in run.story.log_points if "picture" in e} for run in (longer, whole))
    assert {r for r in mine if r > extended["round"]} == {r for r in theirs if r > extended["round"]}
    for name in whole.story.pictures[-1:]:
        assert (longer.path / name).read_bytes() == (whole.path / name).read_bytes()


@pytest.mark.parametrize("which", ["pattern-1010", "digits", "num-gan-2"])
def test_a_longer_run_is_the_run_of_that_length(
    which: str, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = short(find_recipe(which))
    assert not any(trick.scheduled for trick in recipe.tricks)
    whole = train(recipe.replace(rounds=LONG), tmp_path / "whole", data_dir=data_dir)
    run = train(recipe, tmp_path / "run", data_dir=data_dir)
    assert (run.story.status, run.story.round) == ("finished", SHORT)
    capsys.readouterr()
    run = train(recipe.replace(rounds=LONG), run.path, data_dir=data_dir)
    assert_of_length(run, whole)
    assert f"from round {SHORT} to {LONG} rounds" in capsys.readouterr().err
    assert run.recipe == whole.recipe and run.about["id"] == whole.about["id"]
    assert events(run, "extended")[0]["rounds"] == [SHORT, LONG] and not events(run, "extended")[0]["schedules"]
    assert summary(run)["history"] == [f"At round {SHORT} it was made longer, from {SHORT} to {LONG} rounds."]


def test_networks_of_ones_own_go_on_too(tmp_path: Path) -> None:
    generator, discriminator = PAIRS["convolutions"]
    recipe = short(find_recipe("digits")).replace(generator=generator, discriminator=discriminator, batch=4)
    whole = train(recipe.replace(rounds=LONG), tmp_path / "whole")
    train(recipe, tmp_path / "run")
    assert_of_length(train(recipe.replace(rounds=LONG), tmp_path / "run"), whole)


def test_a_run_that_is_not_finished_is_made_longer_where_it_is(tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010"))
    whole = train(recipe.replace(rounds=LONG), tmp_path / "whole")
    run = train(recipe, tmp_path / "run", watchers=[leave_at(7)])
    run = train(recipe.replace(rounds=LONG), run.path, watchers=[leave_at(30)])
    assert (run.story.status, run.story.round) == ("stopped", 30)
    run = train(recipe.replace(rounds=LONG), run.path)
    assert_of_length(run, whole)
    assert events(run, "extended")[0]["round"] == 7


def test_a_run_can_be_made_longer_again_and_again(tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010"))
    whole = train(recipe.replace(rounds=LONG), tmp_path / "whole")
    for rounds in (SHORT, SHORT + 1, LONG - 1, LONG):
        run = train(recipe.replace(rounds=rounds), tmp_path / "run")
        assert (run.story.status, run.story.round) == ("finished", rounds)
    assert run.checkpoints()[-1].read_bytes() == whole.checkpoints()[-1].read_bytes()
    assert len(summary(run)["history"]) == 3


def test_a_run_that_is_taken_back_is_as_long_as_it_was_made(tmp_path: Path) -> None:
    for rounds in (SHORT, 30, LONG):
        run = train(short(find_recipe("pattern-1010")).replace(rounds=rounds), tmp_path / "run")
    run.journal.append("moved", round=LONG, data=["here", "there"], recipe=run.about["id"])
    before = events(run, "extended", "moved")
    rewind_folder(run, SHORT)
    assert events(run, "extended", "moved") == before
    assert (run.story.round, run.story.status) == (SHORT, "stopped")
    assert summary(run)["history"][1].startswith(f"At round 30 it was made longer, from 30 to {LONG} rounds")
    assert "made longer" not in str(summary(branch(run, SHORT, tmp_path / "branch"))["history"][1:])


@pytest.mark.parametrize("damage", [truncate_the_newest_checkpoint, lose_every_checkpoint])
def test_a_crash_after_it_was_made_longer_changes_nothing(damage: Any, tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010"))
    whole = train(recipe.replace(rounds=LONG), tmp_path / "whole")
    train(recipe, tmp_path / "run", watchers=[leave_at(9)])
    train(recipe, tmp_path / "run")
    run = train(recipe.replace(rounds=LONG), tmp_path / "run", watchers=[leave_at(SHORT + 1)])
    damage(run)
    run = train(recipe.replace(rounds=LONG), run.path)
    assert run.checkpoints()[-1].read_bytes() == whole.checkpoints()[-1].read_bytes()
    # A run that has to start again is simply one of the new length.
    assert len(events(run, "extended")) == (0 if damage is lose_every_checkpoint else 1)


def test_killed_between_the_event_and_the_recipe_it_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = short(find_recipe("pattern-1010"))
    run = train(recipe, tmp_path / "run")
    write_text = RunFolder.write_text

    def killed(self: RunFolder, name: str, text: str) -> Path:
        if name == "recipe.json":
            raise KeyboardInterrupt
        return write_text(self, name, text)

    monkeypatch.setattr(RunFolder, "write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        train(recipe.replace(rounds=LONG), run.path)
    monkeypatch.undo()
    assert run.recipe["rounds"] == SHORT
    run = train(recipe.replace(rounds=LONG), run.path)
    assert len(events(run, "extended")) == 1 and run.story.round == LONG


def test_a_schedule_follows_the_new_length_from_there_on_and_the_run_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = short(find_recipe("digits")).replace(tricks=(LearningRateSchedule(),), generator_optimizer=Adam(1e-3))
    longer = recipe.replace(rounds=LONG)
    train(recipe, tmp_path / "run")
    run = train(longer, tmp_path / "run")
    assert "learning-rate-schedule follows the new length from there on" in capsys.readouterr().err
    assert "learning-rate-schedule follows the new length only from there on" in summary(run)["history"][0]
    with threads_set(1):
        first, second = (game_of(each, each.data.open(None, "cpu")) for each in (recipe, longer))
        first.play_to(SHORT, 10)
        restore(second, SHORT, {name: array.copy() for name, array in state_of(first).items()})
        second.play_to(LONG, 10)
    _, state = run.load() or (0, {})
    for name, array in state_of(second).items():
        np.testing.assert_array_equal(state[name], array, err_msg=name)
    whole = train(longer, tmp_path / "whole")
    assert whole.checkpoints()[-1].read_bytes() != run.checkpoints()[-1].read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rounds": SHORT - 1}, "can be made longer, but not shorter"),
        ({"rounds": LONG, "batch": 3}, r"\(batch: 1, not 3\)"),
        ({"rounds": LONG, "seeds": 5}, r"\(seeds: "),
        ({"rounds": LONG, "log_points": 7}, r"\(log_points: 5, not 7\)"),
        ({"batch": 3}, r"\(batch: 1, not 3\)"),
    ],
)
def test_nothing_else_can_be_changed(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010"))
    run = train(recipe, tmp_path / "run")
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=message) as caught:
        train(recipe.replace(**changes), run.path)
    assert len(str(caught.value).splitlines()) == 1 and str(run.path) in str(caught.value)
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_a_run_with_as_many_log_points_as_rounds_is_not_made_shorter(tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010")).replace(log_points=50)
    train(recipe.replace(rounds=3), tmp_path / "run")
    with pytest.raises(UsageError, match="is a run of 3 rounds: it can be made longer, but not shorter"):
        train(recipe.replace(rounds=2), tmp_path / "run")


def test_a_run_whose_journal_is_gone_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = train(short(find_recipe("pattern-1010")), tmp_path / "run")
    (run.path / "journal.jsonl").write_text("")
    train(short(find_recipe("pattern-1010")), run.path)
    assert f"journal.jsonl says nothing of the {SHORT} rounds that are saved" in capsys.readouterr().err


def test_a_run_with_as_many_log_points_as_rounds_gets_those_that_were_asked_for(tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010"))
    run = train(recipe.replace(rounds=3), tmp_path / "run")
    assert run.recipe["log_points"] == 3
    run = train(recipe.replace(rounds=LONG), run.path)
    assert run.recipe["log_points"] == 5
    assert [e["round"] for e in run.story.log_points if "picture" in e] == [0, 1, 2, 3, 9, 18, 27, 36, 45]


def test_a_run_that_stopped_on_a_plateau_goes_on_if_more_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = short(find_recipe("pattern-1010"))

    def on_plateau(trainer: sparring.training.Trainer) -> None:
        if trainer.game.round == 12:
            trainer.stopping, trainer.stopped_by = True, "plateau"

    run = train(recipe, tmp_path / "run", watchers=[on_plateau], early_stop=True)
    assert train(recipe, run.path, early_stop=True).story.round == 12
    run = train(recipe.replace(rounds=LONG), run.path, early_stop=True)
    assert (run.story.status, run.story.round) == ("finished", LONG)


def test_whether_to_compile_is_decided_again_for_the_longer_run(tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010"))
    run = sparring.training.train(recipe, tmp_path / "run", threads=1)
    about = run.about
    assert about["compiled"] is False
    run.write_text("about.json", json.dumps(about | {"created": "then"}))
    with pytest.MonkeyPatch.context() as patch:
        decided: list[bool | None] = []
        plan = sparring.training.single.plan

        def noted(game: Any, compile: bool | None, *rest: Any) -> Any:
            decided.append(compile)
            return plan(game, compile, *rest)

        patch.setattr(sparring.training.single, "plan", noted)
        sparring.training.train(recipe.replace(rounds=LONG), run.path, threads=1)
    assert decided == [None]
    assert run.about["compiled"] is False and run.about["created"] == "then"


SCHEDULES = {
    "label-swapping": {"rate": 1.0},
    "r1": {"final": 0.1},
    "r2": {"final": 0.1},
    "r1-r2": {"final": 0.1},
}
"""Settings with which a trick follows the length of a run, where its defaults do not show it within a few rounds."""


def test_a_trick_says_whether_it_follows_the_length_of_the_run(trick: Trick) -> None:
    for settings in ({}, SCHEDULES.get(catalogue.name_of(type(trick)) or "", {})):
        varied = replace(trick, **settings)  # pyright: ignore[reportArgumentType]
        played = []
        for rounds in (8, 80):
            game = begun(SMALL.replace(rounds=rounds, seeds=(1,)), varied)
            game.play_to(6, 10)
            played.append(kept(game))
        same = all(np.array_equal(array, played[1][name]) for name, array in played[0].items())
        assert same == (not varied.scheduled), settings
