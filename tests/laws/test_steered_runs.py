"""Law 7: a steered run's journal gives the same bits again: pauses, changed settings, single moves, rewinds, branches.

Also where the run was stopped, or killed, at any moment.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparring.training
import sparring.training.trainer
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder
from sparring.training.control.inbox import Command, send
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


def steered(recipe: Recipe, folder: Path, *acts: Act) -> RunFolder:
    person = Person(acts)
    run = train(recipe, folder, watchers=[person])
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
