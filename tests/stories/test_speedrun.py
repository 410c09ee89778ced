"""The speedruns of benchmarks/speedrun.py, at a scale of seconds: what is finished is kept, and the table says it."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
SHORT = ("--minutes", "0.002", "--seeds", "1")


@pytest.fixture
def speedrun(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    for name in ("speedrun", "rounds", "plain", "plain.dcgan"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setenv("GOMP_SPINCOUNT", "0")
    module = importlib.import_module("speedrun")
    monkeypatch.setattr(module, "THREADS", 1)
    return module


@pytest.mark.parametrize("data", ["digits", "digits-classes"])
def test_both_contenders_are_trained_once_and_judged_by_the_same_judge(
    data: str, speedrun: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--out", str(tmp_path), "--only", data, *SHORT]
    speedrun.main(asked)
    rows = {row["contender"]: row for row in speedrun.rows_in(tmp_path)}
    assert set(rows) == set(speedrun.CONTENDERS)
    for row in rows.values():
        assert row["distance"] > 5 * row["real"] > 0 and row["rounds"] >= 1 and row["n"] == 898 and row["trained"] > 0
        assert (tmp_path / "sheets" / f"{data}-{row['contender']}-0.002min-0.png").is_file()
    monkeypatch.setattr(speedrun, "trained", lambda *cell: pytest.fail("trained again"))
    capsys.readouterr()
    speedrun.main(asked)
    table = capsys.readouterr().out
    auto = rows["auto"]
    assert f"| `{data}` | auto | 1 | {auto['distance']:.3g} ({auto['rounds']:,} rounds) | {auto['real']:.3g} |" in table
    assert "lightweight-gan 1.2.1 cannot take part on a CPU" in table


def test_a_table_states_seeds_spread_and_what_diverged(speedrun: Any) -> None:
    row = {"data": "tiles", "contender": "auto", "minutes": 10.0, "real": 0.7, "rounds": 4_000}
    rows = [{**row, "seed": seed, "distance": d} for seed, d in enumerate((4.0, 5.0, 6.0, float("nan")))]
    assert "| `tiles` | auto | 4 | 5 ± 1 (1 diverged) (4,000 rounds) | 0.7 |" in speedrun.table(rows)
    longer = {**row, "minutes": 60.0, "seed": 0, "distance": 2.0, "rounds": 9_000}
    assert "| 5 ± 1 (1 diverged) (4,000 rounds) | 2 (9,000 rounds, 1 seed) | 0.7 |" in speedrun.table([*rows, longer])
    assert len(json.dumps(rows)) and speedrun.table([]) == "Not run yet."


@pytest.mark.parametrize(("shape", "classes"), [((1, 28, 28), 10), ((3, 32, 32), 0), ((3, 64, 64), 7)])
def test_the_peer_makes_images_of_the_size_of_the_data(speedrun: Any, shape: tuple[int, ...], classes: int) -> None:
    images, labels = torch.rand(6, *shape) * 2 - 1, torch.arange(6) % max(classes, 1)
    generator, rounds = speedrun.dcgan.train(images, labels, classes, 0.05, seed=0, maps=2)
    samples = speedrun.dcgan.sample(generator, labels, 6, classes)
    assert rounds >= 1 and samples.shape == (6, *shape) and samples.min() >= 0 and samples.max() <= 1


@pytest.mark.parametrize("side", [32, 64])
def test_patches_are_the_same_every_time(speedrun: Any, side: int) -> None:
    first, again = (speedrun.patches(side, 5) for _ in range(2))
    assert first.shape == (5, side, side, 3) and (first == again).all() and first.std() > 10
