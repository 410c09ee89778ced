"""A person steers a run that trains in another process or thread: by the command, or in Python."""

from __future__ import annotations

import errno
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import sparring
import sparring.training
from sparring.analysis.diagnosis import story_of
from sparring.analysis.steered import refuse_departed
from sparring.cli.main import run as command
from sparring.errors import SparringError, UsageError
from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.report import run_text
from sparring.report.terminal.diagnosis import diagnosis_text
from sparring.study import Study
from sparring.study.collecting import collect
from sparring.study.folder import StudyFolder
from sparring.training.control import branching


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    """A run that trains in a thread, paused before its first round; it is stopped in the end."""
    folder = tmp_path / "run"
    recipe = find_recipe("pattern-1010").replace(rounds=1_000_000, log_points=4, seeds=2)
    arguments = {"threads": 1, "metrics": False, "compile": False, "paused": True}
    thread = threading.Thread(target=sparring.training.train, args=(recipe, folder), kwargs=arguments, daemon=True)
    thread.start()
    while not (folder / "journal.jsonl").exists():
        thread.join(0.02)
        assert thread.is_alive()
    yield folder
    steer = sparring.Run(folder).control
    if steer.is_training:
        steer.stop()
    thread.join(20)
    assert not thread.is_alive() and not steer.is_training


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    capsys.readouterr()
    assert command(["control", *arguments]) == status
    captured = capsys.readouterr()
    text = captured.err if status else captured.out
    assert status == 0 or len(text.splitlines()) == 1
    return json.loads(text) if "--json" in arguments and not status else text


def test_a_run_is_steered_from_the_command_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = str(run)
    assert "paused after round 0" in said(capsys, at, "pause")
    assert said(capsys, at, "step", "d") == "D has moved (d_sees_real) in round 1\n"
    assert "an extra one" not in said(capsys, at, "step")
    assert "an extra one: the run is not its recipe's any more" in said(capsys, at, "step", "D")
    assert "paused after round 1" in said(capsys, at, "round")
    assert "paused after round 4" in said(capsys, at, "round", "3")
    assert said(capsys, at, "set", "lr=1e-3", "ratio=2").startswith("from round 5 on: steps d_sees_real 1 → 2")
    assert "1,000 moves a second" in said(capsys, at, "slow", "1000").replace("1000", "1,000")
    assert "a checkpoint of round" in said(capsys, at, "checkpoint")
    assert said(capsys, at, "resume", "--json")["event"] == "continued"
    status = said(capsys, at, "--json")
    assert (status["training"], status["mode"], status["is_recipe"]) == (True, "running", False)
    assert status["settings"]["generator_optimizer.lr"] == 1e-3 and status["settings"]["round.d_sees_fake"] == 2
    report = json.loads((run / "moves.jsonl").read_text().splitlines()[0])
    assert (report["player"], report["move"], report["round"], len(report["means"])) == ("D", "d_sees_real", 0, 2)
    assert sum(report["real"][0][0]) == sum(report["fake"][1][1]) == 64
    assert command(["rewind", at, "4", "--json"]) == 0
    assert "stops after round" in said(capsys, at, "stop")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fly",), "no command called 'fly'"),
        (("step", "x"), "step takes d, g, or nothing"),
        (("pause", "now"), "pause takes no 'now'"),
        (("slow", "fast"), "slow takes a number, not 'fast'"),
        (("slow", "0"), "slow motion takes up to 1,000 moves a second"),
        (("round", "0"), "must be at least 1"),
        (("round", "nan"), "must be a whole number, not 'nan'"),
        (("round", "2.5"), "must be a whole number, not '2.5'"),
        (("set",), "say what to change"),
        (("set", "lr"), "say what to set as NAME=VALUE"),
        (("set", "lr=x"), "takes a number, not 'x'"),
        (("set", "lr=-1"), "lr"),
        (("set", "lr=0.01"), "nothing changes"),
        (("set", "gamma=1"), "no setting called 'gamma'"),
        (("set", "batch=0"), "batch takes a whole number from 1 to 2,147,483,647"),
        (("set", "objective=hinge"), "objective stays while a run trains"),
        (("set", "ratio=0"), "takes a whole number from 1"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    run: Path, arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in said(capsys, str(run), *arguments, status=2)


def test_a_run_that_does_not_train_says_how_it_would(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = find_recipe("pattern-1010").replace(rounds=20, log_points=2, seeds=1)
    run = sparring.training.train(recipe, tmp_path / "run", threads=1, metrics=False)
    assert "is finished, at round 20: `sparring branch` makes a run" in said(capsys, str(run.path), "pause", status=1)
    assert "finished at round 20 of 20 (no process trains it)" in said(capsys, str(run.path))
    assert command(["rewind", str(run.path), "21"]) == 2
    assert "has no checkpoint of round 21; there are: " in capsys.readouterr().err
    before = (run.path / "journal.jsonl").read_bytes()
    assert command(["rewind", str(run.path), "20"]) == 2
    assert "is at round 20: there is nothing to take back" in capsys.readouterr().err
    assert (run.path / "journal.jsonl").read_bytes() == before
    (run.path / "shards").mkdir()
    assert "several processes, which cannot be steered" in said(capsys, str(run.path), "pause", status=1)


@pytest.mark.parametrize(("measured", "stays"), [(20, False), (0, True)])
def test_a_rewound_run_is_not_diagnosed_by_samples_that_it_gave_up(
    measured: int, stays: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = find_recipe("pattern-1010").replace(rounds=20, log_points=2, seeds=1)
    path = sparring.training.train(recipe, tmp_path / "run", threads=1).path
    assert command(["measure", str(path), "--count", "50"]) == 0
    told = json.loads((path / "measures.json").read_text())
    assert told["round"] == 20
    (path / "measures.json").write_text(json.dumps({**told, "round": measured}))
    assert command(["rewind", str(path), "0"]) == 0
    assert (path / "measures.json").exists() == stays
    assert any(event["event"] == "measured" for event in story_of(RunFolder(path)).events) == stays


def test_a_changed_run_says_so_everywhere(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steer = sparring.Run(run).control
    steer.rounds(5)
    steer.checkpoint()
    assert refuse_departed(RunFolder(run), "it is in a study") is None
    steer.set(lr=1e-3)
    steer.rounds(5)
    event = steer.stop()
    assert event["by"] and event["command"]
    other = sparring.Run(run).branch(5, tmp_path / "other", lr=5e-2)
    made = sparring.Run(run)
    summary = made.summary()
    assert summary["recipe"] == "pattern-1010 (changed)" and summary["id"] is None
    assert summary["steered"] == "lr 0.01 → 0.001 after round 5" and summary["verdict"] is None
    assert summary["history"] == ["After round 5 its settings were changed: lr 0.01 → 0.001."]
    assert made.diagnose().plain()["steered"] == summary["steered"]
    console = Console(width=200, file=io.StringIO())
    console.print(run_text(made.folder), diagnosis_text(made.folder, made.diagnose()))
    assert console.file.getvalue().count("lr 0.01 → 0.001") >= 2  # pyright: ignore[reportAttributeAccessIssue]
    assert "no run of its recipe any more: lr 0.01 → 0.001 after round 5" in made.report().read_text()
    assert command(["compare", str(run), str(other.path), "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert any("Changed while training" in note for note in compared["notes"])
    steps = compared["runs"][1]["changes_from_previous"]
    assert steps[0].startswith("branch of pattern-1010 (changed)") and steps[0].endswith("at round 5")
    assert steps[1] == "both optimizers: lr 0.001 → 0.05"
    with pytest.raises(UsageError, match=r"was changed while it trained .* so that it is no run of its recipe"):
        refuse_departed(made.folder, "it is in a study")


def test_a_branch_is_made_and_trained_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = find_recipe("pattern-1010").replace(rounds=20, log_points=2, seeds=1)
    run = sparring.training.train(recipe, "a", threads=1, metrics=False)
    saved = next(iter(run.rounds_saved()))
    assert command(["branch", "a", str(saved), "--set", "lr=1e-3", "rounds=25", "--out", "b", "--no-train"]) == 0
    assert "`sparring train --from b --out b` trains it" in capsys.readouterr().out
    assert command(["branch", "a", str(saved), "--set", "lr=1e-3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rounds"] == 20
    made = RunFolder.open(f"a-at-{saved}")
    assert made.story.status == "finished" and made.story.recipe_now["generator_optimizer"]["lr"] == 1e-3
    assert command(["branch", "a", str(saved), "--set", "seeds=3", "--out", "c"]) == 2
    assert "seeds stays while a run trains" in capsys.readouterr().err and not (tmp_path / "c").exists()
    monkeypatch.setattr(branching, "link_or_copy", full_disk)
    assert command(["branch", "a", str(saved), "--set", "lr=1e-3", "--out", "d"]) == 1
    assert "sparring: cannot write d: the disk is full" in capsys.readouterr().err.splitlines()
    assert not list(tmp_path.glob(".d*")), "nothing half made is left"


def full_disk(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "")


def test_when_training_ends_before_a_command_is_taken_that_is_said(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steer = sparring.Run(run).control
    steer.stop()
    monkeypatch.setattr(type(steer), "is_training", property(lambda self: len(asked) < 3 and not asked.append(0)))
    asked: list[int] = []
    with pytest.raises(SparringError, match="training ended before it took the command 'pause'"):
        steer.pause()


def test_a_study_does_not_take_a_run_that_was_changed_for_its_cell(tmp_path: Path) -> None:
    base = find_recipe("pattern-1010").replace(log_points=2, samples_per_grid=1)
    study = Study(base, {"lr": [0.01, 0.1]}, seeds=2, rounds=20)
    folder = StudyFolder(tmp_path / "study")
    folder.begin(study)
    for cell in study.cells:
        run = sparring.training.train(cell.recipe, folder.new_run(cell, study.seeds).path, threads=1, metrics=False)
    assert collect(folder, study).rows
    run.journal.append("changed", round=10, settings={"batch": [1, 2]})
    with pytest.raises(
        UsageError, match=r"was changed while it trained \(batch 1 → 2 after round 10\).*move its folder"
    ):
        collect(folder, study)
