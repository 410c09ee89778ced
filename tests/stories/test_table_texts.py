"""Tables as spreadsheets of many countries write them: encodings, decimal commas, thousands, and numbers too large."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sparring.cli import main as cli
from sparring.datasets.files.tables import read_table
from sparring.datasets.table import Table
from tests.stories.image_files import complaint

THREE = [[1, 2], [3, 4], [5, 6]]


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("suffix", ["csv", "tsv", "txt"])
def test_a_byte_order_mark_says_the_encoding(suffix: str, encoding: str, tmp_path: Path) -> None:
    table = read_table(written(tmp_path / f"a.{suffix}", "größe\t年龄\r\n1\t2\r\n3\t4\r\n5\t6\r\n", encoding))
    assert table.columns == ("größe", "年龄") and not table.notes
    np.testing.assert_array_equal(table.rows, THREE)


def test_utf16_with_its_high_byte_first(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", "\ufeffa,b\n1,2\n3,4\n5,6\n", "utf-16-be")
    np.testing.assert_array_equal(read_table(file).rows, THREE)


@pytest.mark.parametrize(("encoding", "name"), [("cp1252", "Größe"), ("gbk", "年龄")])
def test_a_guess_at_an_encoding_is_said(encoding: str, name: str, tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "a.csv", f"{name};b\n1;2\n3;4\n5;6\n", encoding))
    assert table.columns == (name, "b")
    assert any("if they look wrong, save the file as UTF-8" in line for line in table.lines())


@pytest.mark.parametrize("encoding", ["utf-16-le", "cp1251", "shift_jis"])
def test_a_text_in_another_encoding_gets_one_clear_error(encoding: str, tmp_path: Path) -> None:
    name = "возраст" if encoding == "cp1251" else "なまえ"
    file = written(tmp_path / "people.csv", f"{name},b\n1,2\n3,4\n", encoding)
    complaint(lambda: read_table(file), "people.csv is no table that can be read", "save it as UTF-8")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("Größe;Gewicht\n1,5;2,25\n2,5;3\n", [[1.5, 2.25], [2.5, 3]]),
        ("x;a;b\nu;1,5;2\nv;-,5;1e3\n", [[1.5, 2], [-0.5, 1000]]),
        ("a\tb\n1,5\t2,25\n2,5\t3\n", [[1.5, 2.25], [2.5, 3]]),
        ('a,b\n"1,5","2,25"\n"2,5",3\n', [[1.5, 2.25], [2.5, 3]]),
        ("a;b\n1.234,5;2\n1,234;3\n", [[1234.5, 2], [1.234, 3]]),
        ("a;b\n1,5;1.100\n2,5;1.200\n", [[1.5, 1100], [2.5, 1200]]),
        ("a;b\n1\u202f234,5;1 200\n1\u00a0100;300\n", [[1234.5, 1200], [1100, 300]]),
        ("a;b\n1,5;2.5\n2,5;3.5\n", [[1.5, 2.5], [2.5, 3.5]]),
        ('a,b\n1,"1,234.50"\n2,"1,234"\n', [[1, 1234.5], [2, 1234]]),
        ('a,b\n0.5,"1,234"\n1.5,"12"\n', [[0.5, 1234], [1.5, 12]]),
        ('a,b\n1,"1,234,567"\n2,"12"\n', [[1, 1234567], [2, 12]]),
        ("a;b\n1'234.5;2\n\u22125;3\n", [[1234.5, 2], [-5, 3]]),
        ("a,b\n1.100,2\n1.200,3\n", [[1.1, 2], [1.2, 3]]),
    ],
)
def test_commas_and_points_are_read_where_they_are_clear(text: str, rows: list[list[float]], tmp_path: Path) -> None:
    np.testing.assert_allclose(read_table(written(tmp_path / "a.csv", text)).rows, rows, rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('a;b\nx;"1,100"\ny;"1,200"\n', "the column b holds 1,100"),
        ("a;b\n1,5;1\n2.5;2\n", "the column a holds 2.5 and 1,5"),
        ("a;b\n1,500;1\n2.500;2\n", "the column a holds 2.500 and 1,500"),
        ("a;b;c\n1,5;2.5;1,234\n2,5;3.5;1,345\n", "the column c holds 1,234"),
    ],
)
def test_commas_that_may_mean_either_are_named(text: str, found: str, tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", text)
    complaint(lambda: read_table(file), "a.csv", found, "write decimal points, and nothing between thousands")


def test_a_column_that_is_not_asked_for_may_be_unclear(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", 'a;b\n1;"1,100"\n2;"1,200"\n')
    np.testing.assert_array_equal(read_table(file, "a").rows, [[1], [2]])


@pytest.mark.parametrize("text", ["a\n1,5\n2,5\n3,25\n", "My export\nmade today\na,b\n1,2\n3,4\n5,6\n7,8\n"])
def test_fewer_names_than_values_are_an_error(text: str, tmp_path: Path) -> None:
    complaint(lambda: read_table(written(tmp_path / "a.csv", text)), "has fewer names in its first line (1)", "delete")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("sep=;\na;b\n1;2\n3;4\n5;6\n", ("a", "b")),
        ('"a, in cm";"b, in kg"\n1;2\n3;4\n5;6\n', ("a, in cm", "b, in kg")),
        ("year,2019\n1,2\n3,4\n5,6\n", ("year", "2019")),
        ("date,a,b\n2020-01-01,1,2\n2020-01-02,3,4\n2020-01-03,5,6\n", ("a", "b")),
        ("label,a,b\ncat,1,2\ndog,3,4\ncat,5,6\n", ("a", "b")),
        ("a,b,\n1,2,\n3,4,\n5,6,\n", ("a", "b")),
        ("id|a|b\nx|1|2\ny|3|4\nz|5|6\n", ("a", "b")),
    ],
)
def test_what_separates_columns_and_names_them(text: str, columns: tuple[str, ...], tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "a.csv", text))
    assert table.columns == columns
    np.testing.assert_array_equal(table.rows, THREE)


def test_an_index_that_pandas_writes_is_left_out(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "a.csv", ",a,b\n0,1,2\n1,3,4\n2,5,6\n"))
    assert table.columns == ("a", "b")
    assert "left out: the first column, which has no name and numbers the rows" in table.lines()
    for name, others in (
        ("shuffled", "7,1\n3,2\n-1,3\n"),
        ("one number twice", "7,1\n7,2\n3,2\n"),
        ("parts", "7.5,1\n3,2\n"),
    ):
        table = read_table(written(tmp_path / "b.csv", f",a\n{others}"))
        assert table.columns == (("a",) if name == "shuffled" else ("1", "a")), name
    assert read_table(written(tmp_path / "b.csv", ",a\n7,1\n3,2\n"), "1,a").columns == ("1", "a"), "asked for"


# Numbers that are not finite, or too large for float32


def test_infinite_missing_and_too_large_numbers_are_left_out_by_their_names(tmp_path: Path) -> None:
    text = "a,b\n1,2\ninf,3\n,5\n1e200,4\n5,-1e39\n1e400,7\n-Infinity,\n3e38,8\n"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = read_table(written(tmp_path / "a.csv", text))
    assert (table.incomplete, table.infinite, table.too_large) == ((3, 7), (2,), (4, 5, 6))
    np.testing.assert_allclose(table.rows, [[1, 2], [3e38, 8]], rtol=1e-6)
    said = "\n".join(table.lines())
    assert "left out: 2 rows with a missing number (row 3, row 7)" in said
    assert "left out: 1 row with an infinite number (row 2)" in said
    assert "left out: 3 rows with a number larger than 3.4e+38, which float32 cannot hold (row 4, row 5, row 6)" in said


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.int64, np.bool_])
def test_arrays_of_any_type_of_number_make_no_warning(dtype: type, tmp_path: Path) -> None:
    array = np.ones((4, 2), dtype)
    array[1, 0] = 0
    if np.issubdtype(dtype, np.floating):
        array[0, 0] = np.inf
    np.save(tmp_path / "a.npy", array)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = read_table(tmp_path / "a.npy")
    assert table.infinite == ((1,) if np.issubdtype(dtype, np.floating) else ())
    assert np.isfinite(table.rows).all()


@pytest.mark.parametrize(
    ("cell", "why"),
    [("inf", "infinite"), ("1e200", "larger than 3.4e+38"), ("", "missing"), ("-1e999", "larger than 3.4e+38")],
)
def test_a_column_of_which_no_number_can_be_used_is_named_for_what_it_is(cell: str, why: str, tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", f"a,b\n{cell},1\n{cell},2\n" + ("3,\n4,\n" if not cell else ""))
    complaint(lambda: read_table(file), "a.csv", f"in every row a number is {why}")


def test_rows_without_a_usable_number_for_several_reasons(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", "a,b\ninf,1\n1e200,2\n,3\n")
    complaint(lambda: read_table(file), "in every row a number is missing, infinite or larger than 3.4e+38")


def test_the_largest_numbers_are_scaled_without_overflow(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.linspace(-3.4e38, 3.4e38, 60).reshape(30, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = Table(str(tmp_path / "a.npy")).resolved()
        source = data.open()
    assert np.isfinite(data.found_sd).all() and np.isfinite(vars(source)["rows"].numpy()).all()


# What holds no rows, or nothing to learn


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_an_empty_array_of_numbers_is_called_empty(shape: tuple[int, int], tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.empty(shape))
    complaint(lambda: read_table(tmp_path / "a.npy"), f"holds an array of shape {shape}, which is empty")


def test_of_several_arrays_it_is_said_which_is_used(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((9, 2)), z=np.ones((3, 2)), y=np.arange(9))
    assert "numbers are those of the array x; not used: z, y" in read_table(tmp_path / "a.npz").lines()


def test_the_doctor_recommends_no_training_on_rows_that_are_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["doctor", str(written(tmp_path / "a.csv", "a,b\n" + "1,2\n" * 50))]) == 1
    said = capsys.readouterr().out
    assert "all 50 rows are copies of one: add others" in said and "sparring train" not in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("book.xlsx", "is an Excel workbook, which is not read: save its numbers as a CSV file"),
        ("rows.json", "is a JSON file, which is not read: save its numbers as a CSV file"),
        ("table.csv.gz", "is one compressed file, no archive of images: unpack it first"),
    ],
)
def test_files_that_are_not_read_are_named(
    name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:  # as an Excel workbook is
        archive.writestr("xl/media/picture.png", b"\x89PNG\r\n\x1a\n")
    if not name.endswith("xlsx"):
        (tmp_path / name).write_bytes(b"\x1f\x8b nothing")
    assert cli.run(["doctor", str(tmp_path / name)]) == 1
    assert said in capsys.readouterr().err


def test_a_folder_of_tables_names_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path / "a.csv", "1,2\n")
    assert cli.run(["doctor", str(tmp_path)]) == 1
    assert (
        f"holds no image itself, but a.csv: name one of these, such as {tmp_path / 'a.csv'}" in capsys.readouterr().err
    )
