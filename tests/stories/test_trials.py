"""The trials of benchmarks/trials.py, at a scale of seconds: equal time, both judges, and nothing trained twice."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    for name in ("trials", "speedrun", "rounds", "plain", "plain.dcgan"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setenv("GOMP_SPINCOUNT", "0")
    return importlib.import_module("trials")


def test_a_change_whose_rounds_cost_twice_as_much_plays_half_of_them(
    trials: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "costs.json").write_text(json.dumps({"digits": {"none": 1.0, "beta2": 2.0}}))
    asked = ["--out", str(tmp_path), "--only", "digits", "--changes", "none", "beta2", "--rounds", "8", "--seeds", "1"]
    trials.main(asked)
    rows = {row["change"]: row for row in trials.rows_in(tmp_path)}
    assert {change: row["played"] for change, row in rows.items()} == {"none": 8, "beta2": 4}
    for row in rows.values():
        assert row["n"] == 898 and (tmp_path / "sheets" / f"digits-{row['change']}-8-0.png").is_file()
        for judge in ("chosen_by", "independent"):
            assert row["scores"][judge] > 5 * row["real"][judge] > 0
    monkeypatch.setattr(trials.sparring, "train", lambda *cell, **settings: pytest.fail("trained again"))
    capsys.readouterr()
    trials.main(asked)
    table = capsys.readouterr().out
    assert f"| `digits` | Adam's second beta 0.9 | 1 | 4 | {rows['beta2']['scores']['chosen_by']:.3g} |" in table


def test_a_change_is_made_to_the_recipe_that_auto_chooses(trials: Any) -> None:
    data = trials.data_of("digits", None, Path())
    plain, changed = (trials.changed(data, "digits", change) for change in ("none", "beta2"))
    assert plain.generator_optimizer.betas == (0.0, 0.99) and changed.discriminator_optimizer.betas == (0.0, 0.9)
    assert (
        plain.replace(
            generator_optimizer=changed.generator_optimizer, discriminator_optimizer=changed.discriminator_optimizer
        )
        == changed
    )


def test_fewer_than_three_seeds_are_listed_and_three_have_a_spread(trials: Any) -> None:
    real = {"chosen_by": 0.27, "independent": 0.39, "checkerboard": 1.0}
    scores = [{"chosen_by": d, "independent": d + 4, "checkerboard": 2.0} for d in (4.0, 5.0, 6.0)]
    shared = {"data": "tiles", "rounds": 9, "played": 9, "real": real}
    rows = [{**shared, "change": "none", "seed": seed, "scores": each} for seed, each in enumerate(scores)]
    assert "| `tiles` | none | 3 | 9 | 5 ± 1 | 9 ± 1 | 2 ± 0 |" in trials.table(rows)
    assert "| `tiles` | none | 2 | 9 | 4, 5 | 8, 9 | 2, 2 |" in trials.table(rows[:2])
    assert "| `tiles` | *real data* | | | 0.27 | 0.39 | 1 |" in trials.table(rows)
    assert trials.table([]) == "Not run yet."
