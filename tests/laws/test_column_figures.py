"""What is said of each column of a table, and of a signal's lags, against data of known differences."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from sparring.analysis.columns import ColumnFigures
from sparring.analysis.diagnosis import diagnosis
from sparring.datasets.table import Table
from sparring.metrics import Metric, farthest_pair
from sparring.metrics.column_distance import ColumnDistance, distances
from sparring.metrics.correlation_distance import CorrelationDistance
from sparring.metrics.farthest_column import FarthestColumn, by_column
from sparring.metrics.farthest_pair import FarthestPair, by_pair
from sparring.record import Story
from sparring.record.members import selected
from sparring.report.measurement import column_rows
from sparring.rules._stories import story

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


def people(seed: int, count: int = 1_000) -> np.ndarray:
    """`(count, 6)`: 0 in most rows, a category, a heavy tail, a number, its square, and one that has its sign."""
    rng = np.random.default_rng(seed)
    spent = np.where(rng.random(count) < 0.7, 0, np.abs(rng.normal(size=count)))
    kind = rng.choice(4, size=count, p=(0.5, 0.3, 0.15, 0.05)).astype(float)
    income, number = np.exp(rng.normal(size=count)), rng.normal(size=count)
    signed = np.abs(rng.normal(size=count)) * np.sign(number)
    return np.stack([spent, kind, income, number, number**2, signed], 1)


def changed(column: int, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Samples of `people` of which one column is changed."""
    rows = people(2)
    rows[:, column] = change(rows[:, column])
    return rows


def above(metric: Metric, samples: np.ndarray) -> float:
    """By how much samples exceed the end of the healthy range beside held-out real rows."""
    real = people(0)
    return float(metric(real, samples[None])[0] - metric.healthy.ends(float(metric(real, people(1)[None])[0]))[1])


NOISE = np.random.default_rng(3).normal(size=1_000)


@pytest.mark.parametrize(
    ("column", "change"),
    [
        (0, lambda x: x + 0.15 * np.abs(NOISE)),
        (1, lambda x: x + np.clip(0.3 * NOISE, -0.5, 0.5)),
        (1, lambda x: np.minimum(x, 2)),
        (2, lambda x: np.minimum(x, 4)),
        (3, lambda x: np.sign(x) * np.abs(x) ** 3),
    ],
    ids=["never 0", "fractions", "a category is missing", "no tail", "another law"],
)
def test_one_wrong_column_is_out_of_range(column: int, change: Callable[[np.ndarray], np.ndarray]) -> None:
    samples = changed(column, change)
    assert above(FarthestColumn(), samples) > 0 > above(FarthestPair(), samples)
    assert by_column(people(0), samples[None])[0].argmax() == column


def test_what_is_nearly_right_is_in_range() -> None:
    """A G of continuous layers makes no number that recurs exactly, and no rows that real ones are never like."""
    assert above(FarthestColumn(), people(2)) < 0 > above(FarthestPair(), people(2))
    nearly = people(2) + 0.03 * people(0).std(0) * np.random.default_rng(4).normal(size=(1_000, 6))
    assert above(FarthestColumn(), nearly) < 0 > above(FarthestPair(), nearly)


@pytest.mark.parametrize(
    ("column", "other", "change"),
    [(4, 3, RNG.permutation), (5, 3, lambda x: x * np.sign(NOISE))],
    ids=["not the square", "not the sign"],
)
def test_one_pair_that_goes_together_wrongly_is_out_of_range(
    column: int, other: int, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    samples = changed(column, change)
    assert above(FarthestPair(), samples) > 0 > above(FarthestColumn(), samples)
    assert {column, other} & set(by_pair(people(0), samples[None])[1][0].tolist())


def test_a_pair_of_many_columns_is_known_by_its_own_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(farthest_pair, "MANY", 5)
    rows = RNG.normal(size=(300, 9))
    rows[:, 8] = rows[:, 4]
    apart, which = by_pair(rows, RNG.normal(size=(2, 300, 9)))
    assert which.tolist() == [[4, 8]] * 2 and (apart > 0.5).all()


def test_noise_and_spikes_bend_a_signal() -> None:
    at, rng = np.linspace(0, 1, 32), np.random.default_rng(5)

    def signals() -> np.ndarray:
        return np.sin(2 * np.pi * (2 * at + rng.random((1_000, 1))))

    real, samples = signals(), signals()
    spiked = samples.copy()
    spiked[np.arange(150), rng.integers(32, size=150)] += 3
    sound, noisy, some = by_column(real, np.stack([samples, samples + 0.1 * rng.normal(size=real.shape), spiked]))
    limit = FarthestColumn.healthy.ends(float(sound.max()))[1]
    assert sound.shape == (34,) and noisy.max() > limit < some.max()
    assert min(noisy.argmax(), some.argmax()) >= 32 and some[:32].max() < limit, "and hardly any of its points"


def test_a_single_row_makes_no_columns_go_together() -> None:
    real = np.zeros((256, 4))
    real[np.arange(12), np.arange(12) % 4] = 1
    samples = real.copy()
    samples[0] = 1  # a single row, by which any two of them correlate by 0.3
    assert by_pair(real, samples[None])[0][0] < FarthestPair.healthy.max_above


def test_columns_of_a_wide_table_have_no_bends() -> None:
    rows = np.random.default_rng(6).random((2, 256, 32)) < 0.03
    real, nearly = rows + 0.0
    nearly = nearly + 0.03 * real.std(0) * np.random.default_rng(7).normal(size=nearly.shape)
    apart = by_column(real, nearly[None])
    assert apart.shape == (1, 32) and apart.max() < 0.12


@pytest.mark.parametrize("width", [2, 6, 20])
def test_members_are_compared_alike_one_at_a_time(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real, members = RNG.normal(size=(100, width)).round(1), RNG.normal(size=(5, 80, width)).round(1)
    at_once, which = by_pair(real, members)
    monkeypatch.setattr(farthest_pair, "AT_ONCE", 1)
    alone, named = by_pair(real, members)
    np.testing.assert_allclose(at_once, alone, atol=1e-12)
    assert (which == named).all()


def test_the_farthest_columns_are_named() -> None:
    table_of = table(6, ("spent", "kind", "income", "number", "square", "signed"))
    real, wrong = people(0), changed(0, lambda x: x + 0.15 * np.abs(NOISE))
    wrong[:, 5] *= np.sign(NOISE)
    both = ColumnFigures.of(table_of, real, np.stack([np.full_like(real, np.nan), wrong]))
    assert both.plain()["farthest"] == {"farthest-column": [[], ["spent"]], "farthest-pair": [[], ["number", "signed"]]}
    bent = real.repeat(4, 1)
    bends = ColumnFigures.of(table(24, tuple(map(str, range(24)))), bent, bent[None] + (np.arange(24) % 2))
    assert bends.farthest["farthest-column"][0][0] in ("mean bend", "largest bend")


def test_the_verdict_says_which_column_is_out_of_range() -> None:
    made, members = story(), 8
    scores = {"frechet-distance": (3.0, 0.8), "farthest-column": (0.35, 0.04), "farthest-pair": (0.9, 0.1)}
    farthest = {
        "farthest-column": [["spent"]] * 5 + [["rent"]] * 3,
        "farthest-pair": [["number", "square"]] * members,
    }
    measured = {
        "event": "measured",
        "round": made.round,
        "n": 1_000,
        "judge": "rows",
        "seeds": made.seeds,
        "metrics": {n: {"members": [v] * members, "real": real, "spread": 28.0} for n, (v, real) in scores.items()},
    }
    found = diagnosis(Story(made.recipe, [*made.events, {**measured, "farthest": farthest}]))
    assert found.verdict == "not-sure"
    assert "farthest column (spent, rent) is 0.35 (healthy" in found.line
    assert "farthest pair (number × square) is 0.90 (healthy" in found.line
    some = selected({**measured, "farthest": farthest}, [0, 6])
    assert some is not None and some["farthest"]["farthest-column"] == [["spent"], ["rent"]]
    older = diagnosis(Story(made.recipe, [*made.events, measured]))
    assert "farthest column is 0.35 (healthy" in older.line


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


@pytest.mark.parametrize(("share", "verdict"), [(0.95, "equilibrium"), (0.6, "not-sure")])
def test_impossible_rows_are_no_good_end(share: float, verdict: str) -> None:
    """Of images most samples must lie among real ones, of rows nearly all: the others are none that there could be."""
    for of_rows, expected in ((True, verdict), (False, "equilibrium")):
        real = {"precision": 0.9, **({"column-distance": 0.03} if of_rows else {})}
        made = story(metrics={**real, "precision": share * 0.9})
        told = {**real, **(made.real_baseline or {})["metrics"]}
        known = [{**e, "metrics": told} if e["event"] == "real-baseline" else e for e in made.events]
        assert diagnosis(Story(made.recipe, known)).verdict == expected
