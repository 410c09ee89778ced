"""A run is measured again, or where nothing can be written: what is kept in its folder, and shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sparring.training
from sparring.cli.main import FAILED
from sparring.cli.main import run as command
from sparring.recipe import find_recipe


def test_a_measurement_of_less_does_not_take_the_place_of_one_of_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = find_recipe("ring").replace(rounds=3, log_points=1, seeds=3)
    path = sparring.training.train(recipe, tmp_path / "run", threads=1, metrics=False).path
    file, measure = path / "measures.json", ["measure", str(path), "--count", "100"]
    assert command(measure) == 0
    whole = file.read_bytes()
    for less in (("--metrics", "precision"), ("--seeds", "1"), ("--seeds", "1", "--metrics", "precision")):
        assert command([*measure, *less]) == 0
        assert "stays as it is: it has more metrics, seeds or judges of round 3" in capsys.readouterr().err
        assert file.read_bytes() == whole
    both = json.dumps({**json.loads(whole), "independent": {"judge": None, "metrics": {}}})
    file.write_text(both)
    assert command(measure) == 0 and file.read_text() == both, "what the independent judge said stays"
    file.write_text(json.dumps({**json.loads(whole), "round": 2}))
    assert command([*measure, "--metrics", "precision"]) == 0
    assert list(json.loads(file.read_text())["metrics"]) == ["precision"], "what is older is replaced"
    assert command(measure) == 0
    assert file.read_bytes() == whole


def test_a_judge_that_is_named_is_kept_beside_what_the_independent_one_said(tmp_path: Path) -> None:
    recipe = find_recipe("digits").replace(rounds=3, log_points=1, seeds=2)
    path = sparring.training.train(recipe, tmp_path / "run", threads=1, metrics=False).path
    file, measure = path / "measures.json", ["measure", str(path), "--count", "100"]
    assert command(measure) == 0
    usual = json.loads(file.read_text())
    assert command([*measure, "--judge", "own"]) == 0
    named = json.loads(file.read_text())
    assert usual["judge"] == "digits"
    assert named["judge"].startswith("own:"), "what was asked for by name is kept"
    assert named["independent"] == usual["independent"], "of the same samples: it took as long to measure"
    assert command([*measure, "--judge", "own", "--metrics", "precision"]) == 0
    assert json.loads(file.read_text()) == named
    assert command([*measure, "--seeds", "1", "--judge", "digits"]) == 0
    assert "independent" not in json.loads(file.read_text()), "that was of other seeds"


@pytest.mark.parametrize("file", ["measures.json", "report.html"])
def test_a_measurement_that_cannot_be_written_is_shown_nevertheless(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = find_recipe("ring").replace(rounds=3, log_points=1, seeds=1)
    path = sparring.training.train(recipe, tmp_path / "run", threads=1, metrics=False).path
    (path / f".{file}.partial").mkdir()
    measure = ["measure", str(path), "--count", "100", "--metrics", "precision"]
    assert command(measure) == FAILED
    said = capsys.readouterr()
    assert "precision" in said.out and said.err.splitlines()[-1].startswith(f"sparring: cannot write {path / file}: ")
    assert command([*measure, "--json"]) == FAILED
    said = capsys.readouterr()
    assert list(json.loads(said.out)["metrics"]) == ["precision"]
    assert said.err.splitlines()[-1].startswith(f"sparring: cannot write {path / file}: ")
