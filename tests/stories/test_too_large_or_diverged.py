"""A batch that no memory holds is refused before it is drawn; a run without finite gradients has a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparring.analysis.facts import Facts
from sparring.cli.main import FAILED, WRONG_USAGE
from sparring.datasets.files import memory
from sparring.errors import UsageError
from sparring.game.assembly import game_of
from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.report.page.run import write_report
from tests.commands import sparring as command


def test_a_batch_that_no_memory_holds_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command("train", "ring", "--seeds", 2, "--batch", 10**9, "--out", tmp_path / "run", expect=WRONG_USAGE)
    said = " ".join(capsys.readouterr().err.split())
    assert "a batch of 1,000,000,000 takes at least" in said and "take a smaller batch, or fewer seeds" in said
    assert not (tmp_path / "run").exists()
    recipe = find_recipe("ring")
    game = game_of(recipe, recipe.data.open(None, "cpu"))
    with pytest.raises(UsageError, match=r"of memory, of which .* are free"):
        game.set_number("batch", 10**9)
    game.play()
    assert (game.batch, game.round) == (recipe.batch, 1)


@pytest.mark.parametrize("name", ["inactive_file", "total_inactive_file"])
def test_what_a_container_keeps_of_files_is_free_memory(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit, used = tmp_path / "memory.max", tmp_path / "memory.current"
    limit.write_text("8000000\n")
    used.write_text("7900000\n")
    monkeypatch.setattr(memory, "CGROUPS", [(str(limit), str(used))])
    assert memory.available_memory() == 100_000
    (tmp_path / "memory.stat").write_text(f"anon 400000\n{name} 7000000\n")
    assert memory.available_memory() == 7_100_000


def test_a_run_of_which_no_gradient_was_finite_has_a_page(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    more = ("--objective", "wasserstein", "--rounds", 40, "--seeds", 1, "--no-judge", "--out", run.path)
    command("train", "digits", "--lr", 1e30, *more, expect=FAILED)
    assert len(Facts.of(run).gradients) < 2
    assert "gradient" in write_report(run).read_text()
