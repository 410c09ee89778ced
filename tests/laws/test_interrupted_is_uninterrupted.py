"""Law 4: an interrupted and resumed run is bit-identical to an uninterrupted one: weights, curves and pictures."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparring.training.chores.best
import sparring.training.chores.checkpoint
import sparring.training.chores.evaluate
import sparring.training.trainer
from sparring.errors import SparringError
from sparring.game.assembly import game_of, state_of
from sparring.game.game import Game, Logged
from sparring.game.runtime import threads_set
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder
from sparring.record.story import CURVES
from sparring.training.control.rewind import rewind_folder
from sparring.training.trainer import Trainer
from tests.laws.user_modules import PAIRS
from tests.miniature import miniature

ROUNDS = 25
CUTS = (7, 20)
"""Rounds at which a run is left; 7 is no log point and 20 is one."""


# One thread: the tests run side by side already.
train = partial(sparring.training.train, threads=1)

pytestmark = pytest.mark.usefixtures("few_samples")


@pytest.fixture(autouse=True)
def every_round_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparring.training.trainer, "BEAT_SECONDS", -1.0)


def short(recipe: Recipe) -> Recipe:
    return miniature(recipe).replace(rounds=ROUNDS, log_points=5, samples_per_grid=3, seeds=(3, 123456789012))


def leave_at(round: int) -> Callable[[Trainer], None]:
    def watch(trainer: Trainer) -> None:
        if trainer.game.round >= round:
            trainer.stopping = True

    return watch


def interrupted(recipe: Recipe, folder: Path, data_dir: Path, metrics: bool = True) -> RunFolder:
    """A run that was left twice and is not finished."""
    for cut in CUTS:
        run = train(recipe, folder, data_dir=data_dir, watchers=[leave_at(cut)], metrics=metrics)
        assert (run.story.status, run.story.round) == ("stopped", cut)
    return run


def content_of(run: RunFolder) -> dict[str, np.ndarray]:
    """All that a run has recorded of its training."""
    round, state = run.load() or (0, {})
    story = run.story
    facts = {
        "round": np.array(round),
        "logged": story.logged_rounds,
        # A log event without a picture says nothing new: there is one wherever a checkpoint was due.
        "log_points": np.array([e["round"] for e in story.log_points if "picture" in e]),
    }
    facts["diverged"] = np.array(sorted(story.diverged.items()))
    facts |= {f"curve {name}": story.curve(name) for name in CURVES}
    facts |= {name: np.frombuffer((run.path / name).read_bytes(), np.uint8) for name in story.pictures}
    if story.outputs is not None:
        facts["output rounds"], facts["outputs"] = story.outputs
    return facts | {f"weights {name}": array for name, array in state.items()}


def assert_same(run: RunFolder, whole: RunFolder) -> None:
    assert run.story.status == whole.story.status == "finished"
    mine, theirs = content_of(run), content_of(whole)
    assert mine.keys() == theirs.keys()
    for name, array in theirs.items():
        assert array.dtype == mine[name].dtype
        np.testing.assert_array_equal(mine[name], array, err_msg=name)


def test_a_run_goes_on_that_is_older_than_a_setting(data_dir: Path, tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010"))
    run = interrupted(recipe, tmp_path / "left", data_dir)
    recipe_then = run.recipe
    del recipe_then["precision"], recipe_then["conditional"]
    run.write_text("recipe.json", json.dumps(recipe_then))
    assert_same(train(recipe, run.path, data_dir=data_dir), train(recipe, tmp_path / "whole", data_dir=data_dir))


@pytest.mark.sampled
def test_a_run_left_twice_is_the_run_never_left(recipe: Recipe, data_dir: Path, tmp_path: Path) -> None:
    """Evaluations are left out, of which tests/laws/test_evaluator.py says the same."""
    recipe = short(recipe)
    whole = train(recipe, tmp_path / "whole", data_dir=data_dir, metrics=False)
    interrupted(recipe, tmp_path / "left", data_dir, metrics=False)
    assert_same(train(recipe, tmp_path / "left", data_dir=data_dir, metrics=False), whole)


def test_how_many_rounds_are_played_at_a_time_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = short(find_recipe("pattern-1010"))
    one_by_one = train(recipe, tmp_path / "one-by-one")
    turns: list[int] = []
    play_to = Game.play_to

    def recorded(game: Game, round: int, every: int) -> list[Logged]:
        turns.append(round - game.round)
        return play_to(game, round, every)

    monkeypatch.setattr(sparring.training.trainer, "BEAT_SECONDS", 0.5)
    monkeypatch.setattr(Game, "play_to", recorded)
    assert_same(train(recipe, tmp_path / "turns"), one_by_one)
    assert sum(turns) == ROUNDS
    assert max(turns) > 1


@pytest.mark.parametrize("members", [pytest.param(1, marks=pytest.mark.slow), 3])
@pytest.mark.parametrize("what", PAIRS)
def test_a_users_own_networks_go_on_as_if_never_left(what: str, members: int, tmp_path: Path) -> None:
    """Running statistics, dropout masks and whatever else a module keeps or draws."""
    generator, discriminator = PAIRS[what]
    recipe = short(find_recipe("digits")).replace(
        generator=generator, discriminator=discriminator, batch=4, seeds=range(members)
    )
    whole = train(recipe, tmp_path / "whole", metrics=False)  # metrics do not ask whose networks they are
    interrupted(recipe, tmp_path / "left", tmp_path, metrics=False)
    assert_same(train(recipe, tmp_path / "left", metrics=False), whole)


def tear_the_last_line(run: RunFolder) -> None:
    with (run.path / "journal.jsonl").open("ab") as file:
        file.write(b'{"event":"log","round":3')


def truncate_the_newest_checkpoint(run: RunFolder) -> None:
    older, newest = run.checkpoints()
    os.truncate(newest, newest.stat().st_size // 2)
    assert (run.load() or (0,))[0] == int(older.stem.rpartition("-")[2])


def empty_the_newest_checkpoint(run: RunFolder) -> None:
    os.truncate(run.checkpoints()[-1], 0)


def lose_every_checkpoint(run: RunFolder) -> None:
    for path in run.checkpoints():
        path.unlink()


def leave_partial_files_about(run: RunFolder) -> None:
    for name in ("recipe.json", "about.json", "samples/round-000000025.png", "weights/round-000000025.safetensors"):
        path = run.path / name
        path.with_name(f".{path.name}.partial").write_bytes(b"half of it")


@pytest.mark.parametrize(
    "damage",
    [
        tear_the_last_line,
        truncate_the_newest_checkpoint,
        empty_the_newest_checkpoint,
        lose_every_checkpoint,
        leave_partial_files_about,
    ],
)
@pytest.mark.parametrize("which", ["pattern-1010", "digits"])
def test_what_a_crash_leaves_behind_changes_nothing(
    damage: Callable[[RunFolder], None], which: str, data_dir: Path, tmp_path: Path
) -> None:
    recipe = short(find_recipe(which))
    whole = train(recipe, tmp_path / "whole", data_dir=data_dir)
    run = interrupted(recipe, tmp_path / "left", data_dir)
    damage(run)
    assert_same(train(recipe, tmp_path / "left", data_dir=data_dir), whole)
    assert not list(run.path.glob("samples/.*.partial"))


def test_the_best_checkpoint_is_found_again_by_a_run_that_has_to_start_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparring.training.chores.evaluate, "EVALUATION_SHARE", 1e9)
    monkeypatch.setattr(sparring.training.chores.best, "BEST_SHARE", 1e9)
    recipe = short(find_recipe("digits"))
    whole = train(recipe, tmp_path / "whole")
    run = interrupted(recipe, tmp_path / "left", tmp_path)
    lose_every_checkpoint(run)
    train(recipe, run.path)
    events = [[e["round"] for e in each.story.events if e["event"] == "best"] for each in (run, whole)]
    assert events[0] == events[1] != []
    assert run.best is not None and whole.best is not None and run.best.name == whole.best.name


def test_a_run_whose_checkpoints_are_all_damaged_says_so_and_is_left_alone(tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010"))
    run = interrupted(recipe, tmp_path / "left", tmp_path)
    for path in run.checkpoints():
        os.truncate(path, 10)
    before = (run.path / "journal.jsonl").read_bytes()
    with pytest.raises(SparringError, match=r"no checkpoint in .* can be read .*: `sparring (sample|rewind)") as caught:
        train(recipe, run.path)
    assert len(str(caught.value).splitlines()) == 1
    assert (run.path / "journal.jsonl").read_bytes() == before


def test_where_the_newest_checkpoints_are_damaged_the_others_are_named(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.create("{}")
    for number in (3, 6, 9):
        run.save(number, {"G.w": np.zeros(2)})
    run.save_best(6, {"G.w": np.ones(2)})
    run.save_kept(3, {"G.w": np.zeros(2)})
    for path in run.checkpoints():
        os.truncate(path, 10)
    ways = r"`sparring sample \S+run --best` samples from best-round-000000006.safetensors, `sparring rewind \S+run 3`"
    with pytest.raises(SparringError, match=ways):
        run.load()
    assert run.load(best=True) is not None and run.load(round=3) is not None
    run.save(12, {"G.w": np.zeros(2)})
    with pytest.raises(SparringError, match=r"the newest, round-000000012.safetensors, can be read"):
        run.load(round=9)
    for path in (*run.kept(), *run.checkpoints(), *run.path.glob("weights/best-*")):
        os.truncate(path, 10)
    with pytest.raises(SparringError, match=r"restore the files, or delete them: training then starts again"):
        run.load()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_round_and_saves(number: signal.Signals, tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010"))
    whole = train(recipe, tmp_path / "whole")
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    def strike(trainer: Trainer) -> None:
        if trainer.game.round == 17:
            os.kill(os.getpid(), number)

    run = train(recipe, tmp_path / "left", watchers=[strike])
    assert run.story.status == "stopped"
    assert (run.load() or (0,))[0] == run.story.round
    assert 17 <= run.story.round <= 18
    assert handlers == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
    assert_same(train(recipe, run.path), whole)


def test_a_second_ctrl_c_interrupts_at_once_and_loses_no_more_than_a_crash(tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010"))
    whole = train(recipe, tmp_path / "whole")

    def strike_twice(trainer: Trainer) -> None:
        if trainer.game.round == 17:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "left", watchers=[strike_twice])
    assert RunFolder.open(tmp_path / "left").story.status == "unfinished"
    assert_same(train(recipe, tmp_path / "left"), whole)


def test_when_checkpoints_fall_changes_nothing(monkeypatch: pytest.MonkeyPatch, data_dir: Path, tmp_path: Path) -> None:
    recipe = short(find_recipe("digits"))
    seldom = train(recipe, tmp_path / "seldom")
    monkeypatch.setattr(sparring.training.chores.checkpoint, "CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr(sparring.training.chores.checkpoint, "CHECKPOINT_SHARE", 1e9)
    often = train(recipe, tmp_path / "often")
    saved = [[e["round"] for e in run.story.events if e["event"] == "checkpoint"] for run in (seldom, often)]
    assert len(saved[0]) < len(saved[1])
    assert_same(often, seldom)


def test_chores_change_nothing_of_what_is_computed(tmp_path: Path) -> None:
    recipe = short(find_recipe("digits"))
    whole = train(recipe, tmp_path / "whole")
    bare = RunFolder(tmp_path / "bare")
    bare.create(recipe.to_json())
    with threads_set(1):
        game = game_of(recipe, recipe.data.open(None, "cpu"))
        Trainer(recipe, game, bare).go()
    _, state = whole.load() or (0, {})
    assert state.keys() == state_of(game).keys()
    for name, array in state_of(game).items():
        np.testing.assert_array_equal(array, state[name], err_msg=name)


def test_training_a_finished_run_again_changes_no_file_of_results(tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010"))
    run = train(recipe, tmp_path / "run")
    before = contents(run)
    train(recipe, run.path)
    assert contents(run) == before


@pytest.mark.parametrize("saved", ["just before a kill", "as the best"])
def test_the_clock_goes_on_from_a_checkpoint_that_the_journal_says_nothing_of(saved: str, tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010"))
    run = train(recipe, tmp_path / "run", watchers=[leave_at(CUTS[1])], metrics=False, keep="none")
    events = [json.loads(line) for line in (run.path / "journal.jsonl").read_text().splitlines()]
    later = [{**e, "seconds": e["seconds"] + 100} if "seconds" in e else e for e in events]
    left = later if saved == "as the best" else [e for e in later if e["event"] == "log" or e["round"] == 0]
    run.write_text("journal.jsonl", "".join(f"{json.dumps(event)}\n" for event in left))
    if saved == "as the best":
        round = next(e["round"] for e in events if e["event"] == "log" and 0 < e["round"] < CUTS[1])
        state = (run.load() or (0, {}))[1]
        run.save_best(round, state)
        rewind_folder(run, round)
    train(recipe, run.path, metrics=False)
    seconds = [event["seconds"] for event in run.story.events if "seconds" in event]
    assert run.story.status == "finished" and seconds == sorted(seconds) and seconds[0] >= 100


def contents(run: RunFolder) -> dict[str, Any]:
    return {
        str(path.relative_to(run.path)): path.read_bytes()
        for path in run.path.rglob("*")
        if path.is_file() and path.name != "about.json"
    }


def test_a_turn_is_as_long_as_ctrl_c_may_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where rounds become slow after many quick ones between log points that lie close."""
    monkeypatch.setattr(sparring.training.trainer, "BEAT_SECONDS", 0.5)
    clock, seconds, longest = 0.0, 1e-4, 0.0

    def play_to(game: Game, round: int, every: int) -> list[Logged]:
        nonlocal clock, longest
        took = (round - game.round) * (seconds if game.round < 5_000 else 0.1)
        game.round, clock = round, clock + took
        longest = max(longest, took) if game.round > 5_100 else 0.0
        return []

    monkeypatch.setattr(Game, "play_to", play_to)
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    train(short(find_recipe("pattern-1010")).replace(rounds=10_000, log_points=100), tmp_path / "run", metrics=False)
    assert 0.1 <= longest <= 2 * sparring.training.trainer.TURN_SECONDS
