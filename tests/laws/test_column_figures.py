"""What is said of each column of a table, and of a signal's lags, against data of known differences."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from sparring.analysis.columns import ColumnFigures
from sparring.datasets.table import Table
from sparring.metrics.column_distance import ColumnDistance, distances
from sparring.metrics.correlation_distance import CorrelationDistance
from sparring.report.measurement import column_rows

RNG = np.random.default_rng(0)


def table(width: int, names: tuple[str, ...]) -> Table:
    """A table whose columns were divided by 10 and moved by 5."""
    found = {"found_shape": (width,), "found_content": "x", "found_columns": names}
    return dataclasses.replace(Table(path="x.csv"), **found, found_center=(5.0,), found_sd=(10.0,))


def test_the_distance_of_a_column_is_that_of_scipy() -> None:
    real, fake = RNG.normal(size=(2_000, 3)), RNG.normal(0.3, 1.5, (2, 2_000, 3))
    for member in range(2):
        for k in range(3):
            expected = wasserstein_distance(fake[member, :, k], real[:, k]) / real[:, k].std()
            assert distances(real, fake)[member, k] == pytest.approx(expected, abs=0.02)


def test_columns_are_told_in_their_own_units_and_the_farthest_first() -> None:
    real = RNG.normal(size=(4_000, 3))
    fake = np.stack([RNG.normal(size=(4_000, 3)) + np.array([0.0, 2.0, 0.5])] * 2)
    plain = ColumnFigures.of(table(3, ("age", "income", "rent")), real, fake).plain()
    assert "lags" not in plain
    income = plain["columns"][1]
    assert income["name"] == "income"
    assert income["real_mean"] == pytest.approx(5, abs=1) and income["real_sd"] == pytest.approx(10, abs=0.5)
    assert income["means"] == pytest.approx([25, 25], abs=1) and income["distances"] == pytest.approx([2, 2], abs=0.1)
    rows = column_rows(plain, 2)
    assert [row[0] for row in rows] == ["income", "rent"]


def test_lags_of_a_signal_are_its_correlations() -> None:
    phase = RNG.uniform(0, 2 * np.pi, (3_000, 1))
    sine = np.sin(2 * np.pi * np.arange(32) / 16 + phase)
    fake = np.stack([sine, RNG.normal(size=sine.shape)])
    figures = ColumnFigures.of(table(32, tuple(str(k + 1) for k in range(32))), sine, fake)
    assert figures.lags == (1, 2, 4, 8, 16)
    few = ColumnFigures.of(table(12, tuple(str(k + 1) for k in range(12))), sine[:, :12], fake[:, :, :12])
    assert few.lags == (), "so few columns are scaled one by one, so they are shown one by one"
    np.testing.assert_allclose(figures.real_lags, np.cos(2 * np.pi * np.array(figures.lags) / 16), atol=0.05)
    np.testing.assert_allclose(figures.member_lags[1], 0, atol=0.05)
    named = ColumnFigures.of(table(32, tuple(f"c{k}" for k in range(32))), sine, fake)
    assert named.lags == ()


def test_a_member_that_diverged_has_no_figures_and_the_others_keep_theirs() -> None:
    real = RNG.normal(size=(100, 2))
    fake = np.stack([real, real])
    fake[0, 3, 1] = np.nan
    both = ColumnFigures.of(table(2, ("a", "b")), real, fake)
    assert np.isnan(both.members[0]).all() and np.isfinite(both.members[1]).all()
    alone = ColumnFigures.of(table(2, ("a", "b")), real, fake[1:])
    np.testing.assert_array_equal(both.members[1:], alone.members)
    parts = [ColumnFigures.of(table(2, ("a", "b")), real, fake[k : k + 1]) for k in range(2)]
    assert ColumnFigures.together(parts).plain() == both.plain()


def test_each_of_the_two_distances_sees_what_the_other_does_not() -> None:
    """Columns that are right one by one and go together wrongly; and columns that go together rightly and are moved."""
    x = RNG.normal(size=2_000)
    real = np.stack([x, 0.9 * x + 0.4 * RNG.normal(size=2_000)], 1)
    apart = np.stack([RNG.permuted(real[:, k]) for k in range(2)], 1)[None]
    moved = real[None] + 1
    assert ColumnDistance()(real, apart)[0] < 1e-9 < 0.5 < CorrelationDistance()(real, apart)[0]
    assert CorrelationDistance()(real, moved)[0] < 1e-9 < 0.5 < ColumnDistance()(real, moved)[0]


def test_a_run_on_a_table_measures_its_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.stories.image_files import sparring

    rows = RNG.normal((40, 900), (5, 100), (400, 2))
    np.savetxt(tmp_path / "a.csv", rows, delimiter=",", header="age,income", comments="")
    assert sparring("train", "--data", tmp_path / "a.csv", "--rounds", 3, "--seeds", 2, "--out", tmp_path / "run") == 0
    capsys.readouterr()
    assert sparring("measure", tmp_path / "run") == 0
    said = capsys.readouterr().out
    assert "distance of columns" in said and "distance of correlations" in said
    assert sorted(line.split()[0] for line in said.splitlines() if line.startswith(("age", "income"))) == [
        "age",
        "income",
    ]
    assert "real mean ± SD" in said
