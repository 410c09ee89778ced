"""A study that is asked about again: what its answer takes into account, and what is refused rather than ignored."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sparring.analysis import evaluator
from sparring.cli.main import run as command
from sparring.record import RunFolder
from sparring.study.folder import StudyFolder

TRAIN = ("pattern-1010", "--vary", "lr=0.1,0.01", "--rounds", "20", "--log-points", "2", "--samples", "32")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete study of two cells with two seeds each, called `s` where it was trained."""
    home = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr(evaluator, "COUNT", evaluator.MIN_COUNT)
        patch.setattr(evaluator, "MAX_TRAINING", 4 * evaluator.MIN_COUNT)
        assert command(["study", *TRAIN, "--seeds", "2", "--out", "s", "--threads", "1"]) == 0
    return home / "s"


@pytest.fixture
def folder(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_samples: None) -> Path:
    """A copy of it."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(trained, tmp_path / "s"))


REFUSED = {
    "vary": ("s --vary lr=0.5,1", "the cells of a study that was begun are those in its folder, s: leave out --vary"),
    "rounds": ("s --rounds 7 --log-points 3", "s: leave out --rounds, --log-points"),
    "shown": ("s --show --data ring --design one-at-a-time", "s: leave out --data, --design"),
    "seeds": ("s --show --seeds 3 --until 1", "--show trains nothing: leave out --seeds, --until"),
    "samples": ("s --show --samples 64", "--show trains nothing: leave out --samples"),
    "out": ("pattern-1010 --show --out s --rounds 7", "--show trains nothing: leave out --rounds"),
    "cells": ("pattern-1010 --vary lr=0.1,3 --show --out s", "s has other cells: leave out --show to train these"),
    "precision": ("s --precision 0", "precision is a difference above 0, not 0.0"),
    "curve": ("pattern-1010 --vary lr=0.1,0.01 --race --outcome d_loss --out new", "a race cannot compare cells by d_"),
    "late": ("pattern-1010 --vary lr=0.1,0.01 --race --outcome kernel-distance", "cells by kernel-distance while they"),
}


def test_a_study_is_shown_as_it_is_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = StudyFolder(folder).events
    capsys.readouterr()
    answers = [
        ("s",), ("s", "--show", "--precision", "0.04321"), ("s", "--precision", "0.04321"),
        ("pattern-1010", "--show", "--out", "s", "--precision", "0.04321"),
        (*TRAIN, "--show", "--out", "s", "--precision", "0.04321"),
    ]  # fmt: skip
    said: list[object] = []
    for arguments in answers:
        assert command(["study", *arguments, "--json"]) == 0
        said.append(json.loads(capsys.readouterr().out))
    plain, stated, *others = said
    assert plain != stated and all(other == stated for other in others)
    assert "0.04321" in json.dumps(stated) and "0.04321" not in json.dumps(plain)
    for arguments, says in REFUSED.values():
        assert command(["study", *arguments.split()]) == 2, arguments
        error = capsys.readouterr().err
        assert says in error.splitlines()[-1], arguments
    assert StudyFolder(folder).events == before
    assert not Path("new/cells").exists() and not list(Path().glob("studies/*/cells"))


def test_what_another_process_measured_is_in_the_journal_too(folder: Path) -> None:
    """A worker measures what it trains, and only the study's own process writes the study's journal."""
    journal = folder / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(line for line in lines if '"measured"' not in line))
    for _ in range(2):
        assert command(["study", "s", "--seeds", "2", "--samples", "32", "--threads", "1"]) == 0
        assert [event["event"] for event in StudyFolder(folder).events].count("measured") == 2


def test_a_folder_called_as_its_recipe_is_gone_on_with_and_measured_with_the_samples_that_are_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where something is varied WHAT is a recipe, also where a folder is called the same."""
    home = StudyFolder(folder.rename(folder.with_name("pattern-1010")).relative_to(folder.parent))
    same = ("study", *TRAIN, "--seeds", "2", "--out", "pattern-1010", "--threads", "1")
    measured = [RunFolder.open(path) for path in sorted(home.path.glob("cells/*"))]
    assert command([*same]) == 0 and not capsys.readouterr().err.count("again")
    before = [event["event"] for event in home.events]
    assert [run.measures["n"] for run in measured if run.measures] == [32, 32] and before.count("session") == 1
    whole = ("study", "pattern-1010", "--samples", "64", "--threads", "1")
    for arguments in (whole, whole, (*whole, "--seeds", "2")):
        assert command([*arguments]) == 0
        assert [run.measures["n"] for run in measured if run.measures] == [64, 64]
    assert [event["event"] for event in home.events][len(before) :] == ["measured"] * 2  # once, and nothing trained
    assert command([*same[:-2]]) == 0 and command(["study", "pattern-1010"]) == 0
    shutil.rmtree(home.path / "cells")
    assert command([*whole]) == 2 and "none can be measured" in capsys.readouterr().err
