"""SQL over runs whose members differ in numbers, and over folders in which a run is damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("duckdb", reason="queries need DuckDB: pip install 'sparring[query]'")

import sparring
from sparring.cli.main import OK, run
from sparring.record import RunFolder
from sparring.record.members import names_of
from tests.made_runs import made_run

SEEDS = [0, 1, 2, 3] * 2
RATES = {"generator_optimizer.lr": [1e-4] * 4 + [1e-3] * 4}
COLLAPSED = {"modes": (3.0, 1.0), "diversity": (0.3, 0.05)}


def score(values: list[float | None], **fields: object) -> dict[str, object]:
    """As measures.json has it."""
    made = {"title": "Fréchet distance", "better": "lower", "real": 1.0, "members": values, **fields}
    return {"frechet-distance": made}


def measured(folder: RunFolder, seeds: list[int], values: list[float | None], **fields: object) -> None:
    """Write what `sparring measure` found of these members."""
    told = {"seeds": seeds, "n": 100, "round": 5_000, "held_out": "its test split", "judge": "digits"}
    folder.write_text("measures.json", json.dumps({**told, "metrics": score(values, **fields)}))


@pytest.fixture
def varied(tmp_path: Path) -> RunFolder:
    """Four seeds, each with two learning rates."""
    numbers = {"seeds": SEEDS, "per_member": RATES}
    return made_run(tmp_path / "rates", samples=False, scores=False, metrics=COLLAPSED, recipe=numbers)


def test_findings_of_members_that_differ_in_numbers_name_seed_and_member(varied: RunFolder) -> None:
    names = names_of(varied.recipe)
    found = sparring.query(
        "select distinct seed, member from findings where rule = 'mode-collapse'", varied.path.parent
    )
    assert sorted(found.rows) == sorted(zip(SEEDS, names, strict=True)) and len(found) == 8
    assert names[5] == "1 (generator lr 0.001)"


@pytest.mark.parametrize("table", ["curves", "evaluations"])
def test_every_table_of_members_has_their_names(varied: RunFolder, table: str) -> None:
    each = sparring.query(f"select member, any_value(seed), count(*) from {table} group by member", varied.path.parent)
    assert {row[0]: row[1] for row in each} == dict(zip(names_of(varied.recipe), SEEDS, strict=True))
    assert len({row[2] for row in each}) == 1


def test_where_members_differ_in_nothing_else_their_names_are_their_seeds(tmp_path: Path) -> None:
    made_run(tmp_path / "plain", members=2, samples=False, scores=False, metrics=COLLAPSED)
    for table in ("curves", "evaluations", "findings"):
        pairs = sparring.query(f"select distinct seed, member from {table} order by seed", tmp_path)
        assert pairs.rows == ((0, "0"), (1, "1"))


def test_what_was_measured_of_some_members_has_their_names(varied: RunFolder) -> None:
    names, sql = names_of(varied.recipe), "select seed, member, value, error from evaluations where source = 'measure'"
    measured(varied, SEEDS, [float(m) for m in range(8)], errors=None)
    assert sparring.query(sql, varied.path.parent).rows == tuple(
        (seed, name, float(m), None) for m, (seed, name) in enumerate(zip(SEEDS, names, strict=True))
    )
    measured(varied, [3, 3, 1, 1], [0.0, 1.0, 2.0, 3.0], errors=[0.1] * 4)
    some = [(3, names[3]), (3, names[7]), (1, names[1]), (1, names[5])]
    assert [row[:2] for row in sparring.query(sql, varied.path.parent)] == some


def test_a_damaged_run_is_named_in_one_line_and_left_out(
    varied: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of scores that are too few, of a recipe that is no JSON, of a journal that is cut in the middle."""
    measured(varied, SEEDS, [1.0] * 8)
    wrong = made_run(tmp_path / "scores", samples=False, scores=False)
    measured(wrong, list(range(8)), [1.0] * 7)
    (made_run(tmp_path / "recipe", samples=False, scores=False).path / "recipe.json").write_text("{")
    journal = made_run(tmp_path / "journal", samples=False, scores=False).path / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([*lines[:3], "{\n", *lines[3:]]))
    count = "select count(distinct run) from evaluations where source = 'measure'"
    assert run(["query", count, "--under", str(tmp_path), "--json"]) == OK
    told = capsys.readouterr()
    assert json.loads(told.out)["rows"] == [[1]]
    said = told.err.strip().splitlines()
    assert len(said) == 3 and all(line.startswith("left out: ") for line in said)
    assert [next(name for name in ("journal", "recipe", "scores") if f"/{name}/" in line) for line in said] == [
        "journal",
        "recipe",
        "scores",
    ]
    whole = sparring.query("select run from runs order by run", tmp_path).rows
    assert whole == (("rates",), ("scores",)), "what it measured is no part of this table"


def test_columns_that_do_not_fit_the_terminal_are_lines(
    varied: RunFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(sql: str, width: int) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        assert run(["query", sql, "--under", str(varied.path.parent)]) == OK
        return capsys.readouterr().out.splitlines()

    assert [line.split() for line in said("select run, status from runs", 80)][1] == ["rates", "finished"]
    narrow = said("select * from runs", 80)
    assert [line.split()[0] for line in narrow][:2] == ["run", "recipe"] and "status" in "".join(narrow)
    assert "no rows of run, recipe" in said("select * from runs where round < 0", 80)[0]
    two = said("select * from findings limit 2", 30)
    assert [line.split()[0] for line in two if line.strip()].count("seed") == 2 and "" in [line.strip() for line in two]
