"""A run whose weights somebody deleted is trained again, and says so: it never claims to be done."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import sparring
from sparring.recipe import find_recipe


@pytest.mark.parametrize("rounds", [20, 30])
def test_it_begins_again_and_comes_to_the_same(rounds: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = find_recipe("pattern-1010").replace(rounds=20, log_points=2, seeds=1)
    run = sparring.train(recipe, tmp_path / "run", threads=1, judge=False)
    name = f"round-{20:09d}.safetensors"
    before = (run.path / "weights" / name).read_bytes()
    shutil.rmtree(run.path / "weights")
    capsys.readouterr()
    again = sparring.train(recipe.replace(rounds=rounds), run.path, threads=1, judge=False)
    assert "has no checkpoint, though it came to round 20: it begins again" in capsys.readouterr().err
    assert (again.path / "weights" / f"round-{rounds:09d}.safetensors").is_file() and again.status == "finished"
    if rounds == 20:
        assert (again.path / "weights" / name).read_bytes() == before
