"""The benchmarks that are study files: each trains and gives its table, and the docs have the published ones."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sparring.cli.main import run as command
from sparring.datasets.digits import Digits
from sparring.recipe import Recipe
from sparring.study import Study
from sparring.study.folder import StudyFolder
from sparring.study.results import Results
from sparring.study.training import Machine, train_study
from tests.miniature import miniature

ROOT = Path(__file__).resolve().parents[2]
FILES = ("ablation", "ladder", "modes", "networks", "precision", "remedies")
MACHINE = Machine(device="cpu", threads=1, samples=32)
ROUNDS = 4


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """A file of benchmarks/, by its name."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    for name in (*FILES, "published", "study_files", "network_cost", "broken_cases", "broken_parts", "healthy_gans"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module


def tiny(study: Study, cells: int, rounds: Callable[[Recipe], int] = lambda recipe: ROUNDS, **fields: Any) -> Study:
    """Its first cells with two seeds, small networks and a few rounds."""
    some = study.cells[:cells]
    small = [miniature(c.recipe).replace(rounds=rounds(c.recipe), log_points=2, **fields) for c in some]
    return study.with_cells([replace(c, recipe=r) for c, r in zip(some, small, strict=True)]).replace(seeds=2)


def trained(study: Study, folder: Path) -> Results:
    """What it comes to."""
    return train_study(study, StudyFolder(folder), MACHINE).results


def test_every_function_is_a_study_of_different_recipes(load: Callable[[str], Any]) -> None:
    found = [(name, function, make()) for name, function, make in load("study_files").studies()]
    assert {name for name, _, _ in found} == set(FILES) and len(found) == 17
    for name, function, study in found:
        assert len({cell.recipe.id for cell in study.cells}) == len(study.cells), f"{name}:{function}"
        assert Study.from_json(study.to_json(), placeholders=True).cells[0].id == study.cells[0].id
        assert study.outcome and study.question, f"{name}:{function}"


@pytest.mark.sampled(every=2)
@pytest.mark.usefixtures("few_samples")
@pytest.mark.parametrize(
    ("name", "function", "cells", "shown"),
    [
        ("ablation", "ring", 8, ["| relativistic | R1 and R2 | 0 |", "*real data*"]),
        ("ladder", "pattern", 1, [f"| `pattern-1010` | 2 | {ROUNDS} of 10,000 |"]),
        ("modes", "ring", 1, ["| `ring` (8) | 2 | 32 |", f"{ROUNDS} rounds of 2 seeds"]),
        ("networks", "digits", 2, [f"| DCGAN | {ROUNDS} |", f"| fully connected | {ROUNDS} |"]),
    ],
)
def test_a_study_file_trains_and_gives_its_table(
    name: str,
    function: str,
    cells: int,
    shown: list[str],
    load: Callable[[str], Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module, published = load(name), load("published")
    results = trained(tiny(getattr(module, function)(), cells), tmp_path / "study")
    assert len(results.rows) == 2 * cells
    assert command(["study", str(tmp_path / "study"), "--json"]) == 0
    assert (tmp_path / "study" / "study.html").is_file()
    monkeypatch.setattr(published, "RESULTS", tmp_path)
    published.keep(name, module.records(results) if name == "modes" else published.records(results))
    table = module.table(results.name) if name in ("ablation", "networks") else module.table()
    assert all(text in table for text in shown), table
    kept = published.kept(name)
    assert len(kept) == cells and all(len(record.scores["frechet-distance"].found) == 2 for record in kept)


@pytest.mark.usefixtures("few_samples")
def test_precisions_are_trained_from_the_same_seeds_and_tabled(
    load: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On digits that every installation has."""
    module, published = load("precision"), load("published")
    results = trained(tiny(module.fashion_fc(), 2, data=Digits()), tmp_path / "study")
    monkeypatch.setattr(published, "RESULTS", tmp_path)
    published.keep("precision", published.records(results))
    table = module.table()
    assert f"| `fashion-fc` | 2 | {ROUNDS} | float32 |" in table and "| bfloat16 |" in table


@pytest.mark.usefixtures("few_samples")
def test_remedies_are_counted_over_the_seeds_that_had_the_finding(load: Callable[[str], Any], tmp_path: Path) -> None:
    module = load("remedies")
    study = module.ring()
    results = trained(tiny(study, len(study.cells), lambda recipe: 3 + recipe.rounds // 50), tmp_path / "study")
    outcomes = module.entries(as_if_whole(results, study))
    assert set(outcomes) == {name for name in module.REMEDIES if name.startswith("ring")}
    for entry in outcomes.values():
        assert 0 < entry["seeds"] <= 2 and entry["both"] <= min(entry["gone"], entry["nearer"]) <= entry["seeds"]


def as_if_whole(results: Results, study: Study) -> Results:
    """Cells by the ids of the recipes that they stand for."""
    ids = {cell.id: whole.id for cell, whole in zip(results.cells, study.cells, strict=True)}
    cells = tuple(replace(cell, id=ids[cell.id]) for cell in results.cells)
    return replace(results, cells=cells, rows=tuple(replace(row, cell=ids[row.cell]) for row in results.rows))


def test_a_published_table_is_what_the_docs_show(load: Callable[[str], Any]) -> None:
    shown = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md"))
    for name in ("ladder", "modes", "precision", "remedies"):
        assert load(name).table() in shown, name
    assert all(load("ablation").table(data) in shown for data in load("ablation").SHOWN)
    assert all(load("networks").table(data) in shown for data in load("networks").SECONDS)


def test_one_command_finds_a_study_file_and_what_lies_beside_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    assert command(["study", f"{ROOT / 'benchmarks' / 'modes.py'}:ring", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("ring: 1 cell x 32 seeds")
    assert command(["study", str(ROOT / "benchmarks" / "remedies.py"), "--dry-run"]) == 2
    said = capsys.readouterr().err
    assert "defines several studies; choose one" in said and said.count("\n") == 1
    assert sys.path == before
