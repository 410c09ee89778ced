"""A run whose weights somebody deleted is trained again, and says so: it never claims to be done."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import sparring
from sparring.errors import SparringError
from sparring.recipe import find_recipe
from sparring.record import RunFolder


@pytest.mark.parametrize("rounds", [20, 30])
def test_it_begins_again_and_comes_to_the_same(rounds: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = find_recipe("pattern-1010").replace(rounds=20, log_points=2, seeds=1)
    run = sparring.train(recipe, tmp_path / "run", threads=1, judge=False)
    name = f"round-{20:09d}.safetensors"
    before = (run.path / "weights" / name).read_bytes()
    shutil.rmtree(run.path / "weights")
    with pytest.raises(SparringError, match="though it came to round 20: put its weights back, or train it again"):
        sparring.Run(run.path).sample(1)
    capsys.readouterr()
    again = sparring.train(recipe.replace(rounds=rounds), run.path, threads=1, judge=False)
    assert "has no checkpoint, though it came to round 20: it begins again" in capsys.readouterr().err
    assert (again.path / "weights" / f"round-{rounds:09d}.safetensors").is_file() and again.status == "finished"
    if rounds == 20:
        assert (again.path / "weights" / name).read_bytes() == before


def test_what_was_kept_is_gone_back_to_where_that_is_asked_for(tmp_path: Path) -> None:
    recipe = find_recipe("pattern-1010").replace(rounds=20, log_points=2, seeds=1)
    run = sparring.train(recipe, tmp_path / "run", threads=1, judge=False)
    newest = run.path / "weights" / f"round-{20:09d}.safetensors"
    before = newest.read_bytes()
    run.path.joinpath("weights", "kept").mkdir(exist_ok=True)
    (run.path / "weights" / "kept" / newest.name).write_bytes(before)
    for checkpoint in RunFolder(run.path).checkpoints():
        checkpoint.unlink()
    run.control.rewind(20)
    assert newest.read_bytes() == before


def test_a_finished_run_whose_last_checkpoint_is_gone_goes_on_from_the_one_before(tmp_path: Path) -> None:
    recipe = find_recipe("pattern-1010").replace(rounds=20, log_points=2, seeds=1)
    run = sparring.train(recipe, tmp_path / "run", threads=1, judge=False)
    newest = run.path / "weights" / f"round-{20:09d}.safetensors"
    before = newest.read_bytes()
    folder = RunFolder(run.path)
    earlier = max(round for round in folder.rounds_saved() if round < 20)
    folder.rounds_saved()[earlier].rename(newest.with_name(f"round-{earlier:09d}.safetensors"))
    newest.unlink()
    assert sparring.train(recipe, run.path, threads=1, judge=False).status == "finished"
    assert newest.read_bytes() == before
