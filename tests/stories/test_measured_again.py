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
