"""Law 7: a steered run's journal gives the same bits again: pauses, changed settings, single moves, rewinds, branches.

Also where the run was stopped, or killed, at any moment.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import sparring.training
import sparring.training.control.session
import sparring.training.single
import sparring.training.trainer
from sparring.analysis.steered import branch_text
from sparring.datasets.digits import Digits
from sparring.errors import SparringError, UsageError
from sparring.game.assembly import game_of
from sparring.game.compile.plan import Plan
from sparring.game.game import Game, Logged
from sparring.game.moves import d_sees_both, g_fools_d
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder
from sparring.training.control import Steer, branch
from sparring.training.control.inbox import Command, send
from sparring.training.control.moves import MoveByMove
from sparring.training.trainer import Trainer
from sparring.tricks import label_smoothing, label_swapping, r1_r2
from tests.miniature import miniature

ROUNDS = 40
train = partial(sparring.training.train, threads=1, metrics=False, compile=False)
Act = tuple[int, str, dict[str, Any]]
"""After how many rounds which command is sent, with its values."""


@pytest.fixture(autouse=True)
def every_round_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparring.training.trainer, "BEAT_SECONDS", -1.0)


def short(name: str = "pattern-1010") -> Recipe:
    return miniature(find_recipe(name)).replace(rounds=ROUNDS, log_points=4, samples_per_grid=3, seeds=(3, 5))


def tricky() -> Recipe:
    tricks = (r1_r2.R1R2(gamma=0.5), label_smoothing.LabelSmoothing(), label_swapping.LabelSwapping(rate=0.2))
    return short("digits").replace(tricks=tricks, batch=4)


class Person:
    """Sends commands at given rounds, and goes on after what pauses. A watcher."""

    def __init__(self, acts: Sequence[Act]):
        self.acts = list(acts)

    def __call__(self, trainer: Trainer) -> None:
        round = trainer.game.round
        while self.acts and self.acts[0][0] <= round:
            _, do, values = self.acts.pop(0)
            send(trainer.run.path, Command(do, values, by="a test"))


def steered(recipe: Recipe, folder: Path, *acts: Act, paused: bool = False) -> RunFolder:
    person = Person(acts)
    run = train(recipe, folder, watchers=[person], paused=paused)
    assert not person.acts, "not everything was done"
    refused = [event for event in run.story.events if event["event"] == "refused"]
    assert not refused, refused
    return run


def bits(run: RunFolder) -> dict[str, np.ndarray]:
    round, state = run.load() or (0, {})
    story = run.story
    facts = {f"weights {name}": array for name, array in state.items()} | {"round": np.array(round)}
    facts["logged"] = story.logged_rounds
    facts |= {name: story.curve(name) for name in ("d_loss", "g_loss", "d_gradient")}
    return facts


def assert_same(one: RunFolder, other: RunFolder) -> None:
    mine, theirs = bits(one), bits(other)
    assert mine.keys() == theirs.keys()
    for name, array in theirs.items():
        np.testing.assert_array_equal(mine[name], array, err_msg=name)


def assert_other(one: RunFolder, other: RunFolder) -> None:
    assert any(not np.array_equal(a, b) for a, b in zip(bits(one).values(), bits(other).values(), strict=True))


def again(run: RunFolder, recipe: Recipe, folder: Path) -> RunFolder:
    """The run's journal replayed from the start, in a folder without checkpoints."""
    folder.mkdir()
    for name in ("recipe.json", "about.json"):
        shutil.copy(run.path / name, folder / name)
    lines = (run.path / "journal.jsonl").read_text().splitlines(keepends=True)
    (folder / "journal.jsonl").write_text("".join(line for line in lines if json.loads(line)["event"] != "finished"))
    return train(recipe, folder)


STEERED: dict[str, list[Act]] = {
    "pauses": [(7, "pause", {}), (7, "go", {})],
    "rates": [(7, "set", {"settings": {"lr": "5e-3"}}), (20, "set", {"settings": {"d_lr": 1e-3}})],
    "single moves": [
        (7, "step", {}),
        (7, "step", {"player": "D"}),
        (7, "step", {"player": "D"}),
        (7, "step", {"player": "D"}),
        (7, "step", {"player": "G"}),
        (7, "step", {"player": "G"}),
        (7, "round", {"rounds": 3}),
        (10, "step", {"player": "G"}),
        (10, "go", {}),
    ],
    "within a round": [
        (7, "step", {}),
        (7, "set", {"settings": {"lr": 1e-3}}),
        (7, "step", {"player": "D"}),
        (7, "checkpoint", {}),
        (7, "slow", {"moves_per_second": 900}),
        (12, "go", {}),
    ],
    "rewinds": [(7, "checkpoint", {}), (20, "set", {"settings": {"lr": 1e-3}}), (25, "rewind", {"round": 7})],
    "ratio": [(9, "set", {"settings": {"ratio": 3}}), (20, "set", {"settings": {"batch": 3}})],
}


@pytest.mark.parametrize("which", STEERED)
def test_a_steered_run_replayed_gives_the_same_bits(which: str, tmp_path: Path) -> None:
    recipe = short()
    run = steered(recipe, tmp_path / "run", *STEERED[which])
    assert (run.story.status, run.story.round) == ("finished", ROUNDS)
    assert_same(again(run, recipe, tmp_path / "again"), run)
    whole = train(recipe, tmp_path / "whole")
    if run.story.steering.departs:
        assert_other(run, whole)
    else:
        assert_same(run, whole)
    assert run.story.steering.departs == (which not in ("pauses", "rewinds"))


def test_settings_of_tricks_replayed_give_the_same_bits(tmp_path: Path) -> None:
    recipe = tricky()
    settings = [{"gamma": 2}, {"smoothing": "0.8,0.9"}, {"swap_rate": 0.5, "g.lr": 1e-5}]
    acts = [(6 + 9 * k, "set", {"settings": each}) for k, each in enumerate(settings)]
    run = steered(recipe, tmp_path / "run", *acts)
    assert_same(again(run, recipe, tmp_path / "again"), run)
    now = run.story.recipe_now
    assert [trick.get("gamma", trick.get("rate", trick.get("real"))) for trick in now["tricks"]] == [2, [0.8, 0.9], 0.5]
    assert now["generator_optimizer"]["lr"] == 1e-5 != run.recipe["generator_optimizer"]["lr"]


@pytest.mark.parametrize("which", STEERED)
def test_a_steered_run_that_is_stopped_goes_on_as_if_it_had_not_been(which: str, tmp_path: Path) -> None:
    recipe, acts = short(), STEERED[which]
    whole = steered(recipe, tmp_path / "whole", *acts)
    for cut in range(1, len(acts) + 1):
        folder = tmp_path / f"cut-{cut}"
        left = train(recipe, folder, watchers=[Person([*acts[:cut], (acts[cut - 1][0], "stop", {})])])
        assert left.story.status == "stopped"
        is_paused = bool(acts[cut:]) and acts[cut][0] == acts[cut - 1][0]
        assert_same(steered(recipe, folder, *acts[cut:], paused=is_paused), whole)


def test_seconds_of_rounds_that_were_taken_back_are_not_the_run_s(tmp_path: Path) -> None:
    """As where it is killed and resumed from that checkpoint: `show` tells the pace of a run by them."""
    slept: list[float] = []

    def sleep_once(trainer: Trainer) -> None:
        if trainer.game.round >= 20 and not slept:
            slept.append(1.0)
            time.sleep(1.0)

    began = time.monotonic()
    run = train(short(), tmp_path / "run", watchers=[sleep_once, Person(STEERED["rewinds"])])
    assert slept and run.story.status == "finished"
    assert 0 < run.story.seconds < time.monotonic() - began - 0.9


class KilledError(Exception):
    """Ends a session where it is: nothing more is written, as when its process is killed."""


def killed_at(round: int) -> Callable[[Trainer], None]:
    def kill(trainer: Trainer) -> None:
        if trainer.game.round >= round:
            raise KilledError

    return kill


@pytest.mark.parametrize("loses", ["nothing", "the newest checkpoint", "every checkpoint"])
@pytest.mark.parametrize("which", ["rates", "single moves", "rewinds", "ratio"])
def test_a_steered_run_that_is_killed_goes_on_as_if_it_had_not_been(which: str, loses: str, tmp_path: Path) -> None:
    recipe, acts = short(), STEERED[which]
    whole = steered(recipe, tmp_path / "whole", *acts)
    with pytest.raises(KilledError):
        train(recipe, tmp_path / "run", watchers=[Person(acts), killed_at(27)])
    run = RunFolder(tmp_path / "run")
    lost = {"nothing": 0, "the newest checkpoint": 1, "every checkpoint": 9}[loses]
    for path in run.checkpoints()[::-1][:lost]:
        path.unlink()
    assert_same(train(recipe, run.path), whole)
    assert run.story.steering.changes == whole.story.steering.changes


@pytest.mark.parametrize("settings", [{}, {"lr": 1e-3, "batch": 3}])
def test_a_branch_is_its_trunk_changed_there(settings: dict[str, Any], tmp_path: Path) -> None:
    recipe = short()
    trunk = train(recipe, tmp_path / "trunk", watchers=[Person([(9, "checkpoint", {})])])
    acts = [(9, "checkpoint", {}), *([(9, "set", {"settings": settings})] if settings else [])]
    changed = steered(recipe, tmp_path / "changed", *acts)
    made = branch(trunk, 9, tmp_path / "branch", settings)
    assert (made.story.status, made.story.round, made.story.steering.departs) == ("unfinished", 9, bool(settings))
    assert_same(train(recipe, made.path), changed)
    assert made.about["origin"]["round"] == 9 and made.about["origin"]["run"] == str(trunk.path)
    assert branch_text(made.story).startswith("branch of trunk at round 9")
    assert trunk.story.status == "finished" and not trunk.story.steering.departs
    with pytest.raises(UsageError, match="has no checkpoint of round 10; there are"):
        branch(trunk, 10, tmp_path / "other")
    with pytest.raises(UsageError, match="exists; choose another folder"):
        branch(trunk, 9, made.path)


def test_a_branch_may_have_another_objective_and_other_tricks(tmp_path: Path) -> None:
    recipe = tricky().replace(tricks="ema, r1(gamma=0.5)")
    trunk = train(recipe, tmp_path / "trunk", watchers=[Person([(9, "checkpoint", {})])])
    changes = {"objective": "hinge", "tricks": "label-smoothing, ema", "generator_optimizer": "sgd(lr=0.01)"}
    shorter = recipe.replace(rounds=20)
    made = train(shorter, branch(trunk, 9, tmp_path / "branch", changes | {"rounds": 20}).path)
    again = train(shorter, branch(trunk, 9, tmp_path / "again", changes | {"rounds": "20"}).path)
    assert (made.story.status, made.story.round) == ("finished", 20)
    assert_same(again, made)
    now = made.story.recipe_now
    assert now["objective"] == {"is": "hinge"} and [each["is"] for each in now["tricks"]][1] != "r1"
    assert made.about["equilibrium"] != trunk.about["equilibrium"]
    averaged = (made.load("G.averaged.") or (0, {}))[1], (trunk.load("G.averaged.") or (0, {}))[1]
    assert averaged[0].keys() == averaged[1].keys() != set()
    for path in again.checkpoints():
        path.unlink()
    with pytest.raises(SparringError, match=r"has lost the checkpoint of round 9 with which it began: branch it off"):
        train(shorter, again.path)
    with pytest.raises(UsageError, match="seeds stays while a run trains"):
        branch(trunk, 9, tmp_path / "other", {"seeds": 3})


def test_a_finished_run_that_is_rewound_is_trained_on_from_there(tmp_path: Path) -> None:
    recipe = short()
    person = Person([(9, "checkpoint", {}), (12, "set", {"settings": {"lr": 1}})])
    run = train(recipe, tmp_path / "run", watchers=[person])
    assert run.story.steering.departs
    event = Steer(run, by="a test").rewind(9)
    assert (event["round"], event["from"], event["by"]) == (9, ROUNDS, "a test")
    assert (run.story.status, run.story.round, run.story.steering.departs) == ("stopped", 9, False)
    assert max(run.rounds_saved()) == 9
    assert_same(train(recipe, run.path), train(recipe, tmp_path / "whole"))


def test_compiled_rounds_and_those_played_move_by_move_stay_what_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled code rounds otherwise: here it is far off, so that one round played otherwise shows."""

    def planned(game: Game, *rest: Any) -> Plan:
        def play_to(round: int, every: int) -> list[Logged]:
            logged = game.play_to(round, every)
            with torch.no_grad():
                game.G.parameters[0].mul_(1.001 ** (len(played) + 1))
            played.append(round)
            return logged

        return Plan(play_to, compiled=True)

    played: list[int] = []
    monkeypatch.setattr(sparring.training.single, "plan", planned)
    monkeypatch.setattr(sparring.training.trainer, "TURN_SECONDS", 0.0)  # one round at a time
    acts = [(5, "step", {}), (5, "step", {}), (5, "slow", {"moves_per_second": 900}), (9, "go", {}), (20, "slow", {})]
    recipe, slow = short(), partial(sparring.training.train, threads=1, metrics=False)
    monkeypatch.setattr(sparring.training.control.session, "MAX_SPEED", 1e6)
    acts[-1][2]["moves_per_second"] = 1e5
    run = slow(recipe, tmp_path / "run", watchers=[Person([*acts, (25, "go", {})])])
    by_hand = [round for round in range(ROUNDS) if run.story.steering.is_by_hand(round)]
    compiled = [round - 1 for round in played]
    assert sorted([*by_hand, *compiled]) == list(range(ROUNDS))
    assert 5 in by_hand and 20 in by_hand and len(by_hand) < 20
    played.clear()
    folder = tmp_path / "again"
    folder.mkdir()
    for name in ("recipe.json", "about.json"):
        shutil.copy(run.path / name, folder / name)
    lines = (run.path / "journal.jsonl").read_text().splitlines(keepends=True)
    (folder / "journal.jsonl").write_text("".join(line for line in lines if json.loads(line)["event"] != "finished"))
    assert_same(slow(recipe, folder), run)


def looks_at_real_examples(game: Game) -> None:
    """A move of one's own that compares real examples with nothing."""
    game.real()


def test_each_round_by_hand_draws_what_it_draws_otherwise() -> None:
    recipe = find_recipe("auto", sized_by=Digits(), conditional=True).replace(batch=4, seeds=(3, 5))
    recipe = recipe.replace(objective=RelativisticPaired())
    recipe = recipe.replace(round=(g_fools_d, d_sees_both, looks_at_real_examples))
    played, by_hand = (game_of(recipe, Digits().open()) for _ in range(2))
    moves = MoveByMove(by_hand)
    for _ in range(3):
        played.play()
        while not moves.is_within or not moves.has_ended:
            moves.play(*moves.choose(None))
        moves.end(2**62)
    for mine, theirs in zip(by_hand.tensors, played.tensors, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0)


NONSENSE: dict[str, Sequence[Any]] = {
    "player": ["x", 3, [], {}, True, "d"],
    "settings": ["x", None, [], {}, {"x": 1}, {"lr": []}, {"lr": {"a": 1}}, {"lr": "9" * 500}, {"../..": 1}, {"": ""}],
    "moves_per_second": [None, -1, 0, 1e400, float("nan"), "x", [], {}, True],
    "rounds": [None, -1, 0, "x", [], {}, True, 1.5],
    "round": [None, -1, "x", [], {}, 10**30, 11, True],
    "seconds": [None, -1, "x", [], float("nan")],
}


def test_what_is_no_command_disturbs_nothing(tmp_path: Path) -> None:
    recipe, rng = short(), np.random.default_rng(0)
    whole = train(recipe, tmp_path / "whole")
    verbs = ["step", "set", "slow", "round", "rewind", "watch", "fly", "", None, 3, [], {}, "x" * 10_000, "__class__"]

    def line(number: int) -> bytes:
        if number % 5 == 0:
            return rng.bytes(int(rng.integers(1, 200))).replace(b"\n", b"")
        if number % 5 == 1:
            return b"[" * int(rng.integers(1, 20_000))
        values = {name: some[int(rng.integers(len(some)))] for name, some in NONSENSE.items()}
        text = json.dumps({"id": f"c{number}", "do": verbs[int(rng.integers(len(verbs)))], "by": "x", **values})
        return text.encode()[: int(rng.integers(len(text)))] if number % 5 == 2 else text.encode()

    def disturb(trainer: Trainer) -> None:
        if trainer.game.round == 7:
            with (trainer.run.path / "commands.jsonl").open("ab") as file:
                file.write(b"".join(line(number) + b"\n" for number in range(1_000)))

    run = train(recipe, tmp_path / "run", watchers=[disturb])
    assert_same(run, whole)
    assert not run.story.steering.departs
    refused = [event for event in run.story.events if event["event"] == "refused"]
    assert len(refused) > 100 and all(len(event["why"].splitlines()) == 1 for event in refused)
