"""Numbers given in Python, of any size: what the networks get, and the units that samples come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparring
from sparring.datasets.in_memory import InMemory
from sparring.errors import SparringError, UsageError
from sparring.recipe import Recipe
from sparring.rng import RandomStreams

rng = np.random.default_rng(0)
UNIT = rng.random((60, 1, 8, 8))
BASE = sparring.recipe("digits").replace(rounds=6, log_points=1, batch=4)


def test_numbers_of_other_sizes_are_scaled_and_samples_are_in_their_own_units(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = (np.array([40, 50_000]) + np.array([5, 9_000]) * rng.normal(size=(200, 2))).astype(np.float32)
    data = InMemory.of(rows)
    assert data == InMemory.of(rows, scale="columns") and InMemory.of(rows / [40, 50_000]).scale == "none"
    seen = data.open().draw(RandomStreams((0,)), 200)[0].numpy()
    np.testing.assert_allclose([seen.mean(0), seen.std(0)], [[0, 0], [1, 1]], atol=1e-3)
    np.testing.assert_allclose(np.sort(data.in_own_units(seen), 0), np.sort(rows, 0), rtol=1e-4)
    run = sparring.train(BASE.replace(data=data, rounds=3), out=tmp_path / "run", threads=1, metrics=False)
    assert np.abs(run.sample(50)[..., 1]).mean() > 1_000  # incomes, not their scaled values
    assert Recipe.from_json((tmp_path / "run" / "recipe.json").read_text()).data == data
    assert "networks get each column with mean 0 and standard deviation 1" in " ".join(capsys.readouterr().err.split())
    as_they_are = BASE.replace(data=InMemory.of(rows, scale="none"), rounds=3)
    with pytest.raises(SparringError, match="its numbers have scale='columns', and those given now scale='none'"):
        sparring.train(as_they_are, out=tmp_path / "run", threads=1, metrics=False)

    sparring.train(as_they_are, out=tmp_path / "as they are", threads=1, metrics=False)
    assert "and networks get them as they are" in " ".join(capsys.readouterr().err.split())


def test_signals_of_other_sizes_are_scaled_alike() -> None:
    signals = InMemory.of(rng.normal(700, 30, (30, 1, 20)))
    assert signals.scale == "signals" and InMemory.of(rng.normal(7, 3, (30, 1, 20))).scale == "none"
    assert signals.found_center == pytest.approx((700,), abs=5) and signals.found_sd == pytest.approx((30,), abs=3)
    assert InMemory.of(rng.normal(700, 30, (30, 20))).scale == "signals", "more columns than a table usually has"
    chosen = InMemory.of(rng.normal(7, 3, (30, 1, 20)), scale="signals")
    assert chosen.found_center == pytest.approx((7,), abs=0.5) and chosen.found_sd == pytest.approx((3,), abs=0.3)


@pytest.mark.parametrize(
    ("given", "scale", "says"),
    [
        (UNIT, "columns", "images are not scaled"),
        (np.zeros((9, 2, 30)), "columns", "say 'signals'"),
        (np.zeros((9, 2)), "rows", "scale is none, columns or signals"),
    ],
)
def test_what_cannot_be_scaled_is_told_in_one_line(given: Any, scale: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        InMemory.of(given, scale=scale)
