"""Tables with stray cells, empty columns, blanks for commas, an index, and numbers that float32 makes equal."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from sparring.cli import main as cli
from sparring.datasets._scaling import scaled, scaling, unscaled
from sparring.datasets.files.tables import read_table
from sparring.datasets.table import Table
from sparring.record.plots import save_table
from tests.stories.image_files import complaint

SECONDS = 1_764_500_000.0


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# Numbers that need more digits than float32 has


def times(path: Path) -> Path:
    return written(path, ["t,v", *(f"{SECONDS + k:.0f},{k % 7}" for k in range(600))])


@pytest.mark.parametrize(
    ("lines", "factor"),
    [([f"{SECONDS + k:.0f}" for k in range(50)], 1), ([f"{k}e-296" for k in range(50)], 1e-296)],
)
def test_numbers_that_float32_makes_equal_stay_different(lines: list[str], factor: float, tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", ["t,v", *(f"{line},{k % 9}" for k, line in enumerate(lines))])
    table = read_table(file)
    assert len(np.unique(table.rows[:, 0])) == 50 and table.rows.dtype == np.float64
    assert not table.constant and not table.repeated
    center, sd = scaling(table.rows, table.by_column)
    assert sd[0] == pytest.approx(np.arange(50).std() * factor)
    seen = scaled(table.rows, center, sd)
    assert seen.dtype == np.float32
    np.testing.assert_allclose((seen.mean(0), seen.std(0)), ([0, 0], [1, 1]), atol=1e-5)
    assert (np.abs(unscaled(seen, center, sd) - table.rows) < 1e-4 * np.array(sd)).all()


def test_long_whole_numbers_have_their_own_mean(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "a.csv", ["id,v", *(f"{2**53 + 2 * k},{k % 9}" for k in range(200))]))
    assert scaling(table.rows, table.by_column)[1][0] == pytest.approx(2 * np.arange(200).std(), rel=1e-6)


def test_other_tables_are_float32_as_they_were(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", np.stack([rng.normal(170, 10, 90), rng.normal(0, 1, 90), np.full(90, 0.1)], 1))
    table = read_table(tmp_path / "a.npy", "1,2,3")
    rows = np.load(tmp_path / "a.npy").astype(np.float32)
    assert table.rows.dtype == np.float32 and (table.rows == rows).all()
    center, sd = scaling(table.rows, by_column=True)
    numbers = rows.astype(np.float64)
    assert center == tuple(numbers.mean(0)) and sd == (*numbers.std(0)[:2], 1.0)
    assert unscaled(table.rows[:, :2], center[:2], sd[:2]).dtype == np.float32


def test_without_scaling_it_is_said_what_float32_rounds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Table(str(times(tmp_path / "a.csv")), scale="none").resolved()
    assert "1 column whose numbers float32 rounds, as nothing scales them (t)" in capsys.readouterr().err


def test_a_file_of_samples_gives_the_same_numbers_back(tmp_path: Path) -> None:
    for examples in (np.array([[[SECONDS + 1 / 3, 0.1]]]), np.array([[[16_777_215, 0.1]]], np.float32)):
        save_table(examples, tmp_path / "a.csv", ["t", "v"], [0], [0])
        with (tmp_path / "a.csv").open() as file:
            read = np.array(list(csv.reader(file))[1][1:], float).astype(examples.dtype)
        assert (read == examples[0, 0]).all()


# Cells too many, and columns nearly empty


def test_rows_with_cells_beyond_the_names_are_left_out_alone(tmp_path: Path) -> None:
    lines = [f"{k},{k % 7},{k % 5}" + (",7" if k in (20, 40) else "") for k in range(1, 101)]
    table = read_table(written(tmp_path / "a.csv", ["a,b,c", *lines]))
    assert table.rows.shape == (98, 3)
    assert "left out: 2 rows with more cells than there are names of columns (row 20, row 40)" in table.lines()
    remarked = read_table(written(tmp_path / "b.csv", ["a,b,c", *(line.replace(",7", ",see") for line in lines)]))
    assert remarked.columns == ("a", "b", "c") and not remarked.longer, "a remark is no number out of place"


def test_a_column_with_few_numbers_is_left_out_and_named(tmp_path: Path) -> None:
    lines = [f"{k},{k % 7},{k if k > 90 else ''}" for k in range(1, 101)]
    table = read_table(written(tmp_path / "a.csv", ["t,v,new", *lines]))
    assert table.columns == ("t", "v") and len(table.rows) == 100
    assert "left out: 1 column in which most numbers are missing (new)" in table.lines()
    asked = read_table(tmp_path / "a.csv", "t,new")
    assert asked.columns == ("t", "new") and len(asked.rows) == 10
    array = np.random.default_rng(0).normal(size=(30, 20))
    array[:, 0] = np.nan
    np.save(tmp_path / "a.npy", array)
    signals = read_table(tmp_path / "a.npy")
    assert signals.rows.shape == (30, 19) and not signals.by_column


def test_most_rows_lost_is_nothing_to_train_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"{'' if k % 3 == 0 else k},{'' if k % 3 == 1 else k},{'' if k < 40 else k}" for k in range(1, 101)]
    assert cli.run(["doctor", str(written(tmp_path / "a.csv", ["a,b,c", *lines]))]) == 1
    said = capsys.readouterr().out
    assert "left out: 80 rows with a missing number (row 1, row 2, row 3 and 77 more)" in said
    assert "warning: 80 of 100 rows are left out: repair them, or choose columns" in said
    assert "sparring train" not in said


def test_the_column_that_costs_most_rows_is_named(tmp_path: Path) -> None:
    lines = [f"{k},{'' if k % 4 == 0 else k},{'' if k == 7 else k}" for k in range(1, 101)]
    table = read_table(written(tmp_path / "a.csv", ["a,b,c", *lines]))
    assert table.lines()[1].endswith("(row 4, row 7, row 8 and 23 more), mostly in the column b")
    assert read_table(tmp_path / "a.csv", "a,b").lines()[1].endswith("22 more), in the column b")


# Blanks between columns


@pytest.mark.parametrize("form", ["%d", "%.18e", "%9.3f"])
def test_text_as_numpy_writes_it_has_its_columns(form: str, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).integers(100, 256, (50, 3))
    np.savetxt(tmp_path / "a.txt", rows, fmt=form)
    table = read_table(tmp_path / "a.txt")
    assert table.columns == ("1", "2", "3")
    np.testing.assert_allclose(table.rows, rows)
    np.savetxt(tmp_path / "b.txt", rows, fmt=form, header="made today\nr g b")
    named = read_table(tmp_path / "b.txt")
    assert named.columns == ("r", "g", "b") and len(named.rows) == 50
    np.savetxt(tmp_path / "c.csv", rows, fmt=form, delimiter=",", header="made today\nr,g,b")
    assert read_table(tmp_path / "c.csv").columns == ("# r", "g", "b")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("# made by X, version 1\na,b\n0,0\n7,1\n", ("a", "b")),
        ("# made by X, version 1\n# a,b\n0,0\n7,1\n", ("# a", "b")),
        ("# two words\na b\n1 2\n3 5\n", ("a", "b")),
        ("# value of x\nvalue\n1\n2\n", ("value",)),
    ],
)
def test_a_remark_is_no_name_where_there_are_names(text: str, names: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    table = read_table(tmp_path / "t.csv")
    assert table.columns == names and len(table.rows) == 2


def test_numbers_that_blanks_may_part_or_group_are_an_error(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", ["a", "279 567", "114 428"])
    complaint(lambda: read_table(file), "the column a holds 279 567", "separate columns by commas")
    thousands = read_table(written(tmp_path / "b.csv", ["a", "1 234", "987"]))
    assert thousands.rows.tolist() == [[1234], [987]], "a number without a blank says what the others are"


# An index


def test_named_columns_are_scaled_one_by_one_beside_an_index(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = [f"{index},{','.join(map(str, rng.normal(size=20)))}" for index in rng.permutation(1_000)[:60]]
    file = written(tmp_path / "a.csv", ["," + ",".join(f"c{k}" for k in range(20)), *lines])
    assert len(Table(str(file)).resolved().found_sd) == 20
    twice = written(tmp_path / "b.csv", ["," + ",".join(f"c{k}" for k in range(20)), *lines, lines[0]])
    assert len(Table(str(twice)).resolved().found_sd) == 21, "its first column has no name, the others have"


def test_an_index_in_a_parquet_file_is_left_out(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {"a": [1.0, 2.0], "__index_level_0__": [7, 3]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet")
    assert table.columns == ("a",)
    assert "left out: 1 column in which pandas keeps the index (__index_level_0__)" in table.lines()
