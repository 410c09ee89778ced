"""Tables and signals from a file: read, scaled for the networks, and given back in the units of the file."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

import sparring
from sparring.cli import main as cli
from sparring.datasets.files.tables import read_table
from sparring.datasets.table import Table
from sparring.errors import SparringError, UsageError
from sparring.record import RunFolder
from sparring.rng import RandomStreams

CSV = "name,age,income\nAnn,41,30000\nBob,,20000\nEve,35,n/a\nDan,28,25500.5\nMia,60,1e5\n"
SHORT = {"rounds": 4, "log_points": 1, "batch": 8, "seeds": 2}


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_text_is_read_and_what_is_left_out_is_said_with_a_count(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "people.csv", CSV))
    assert table.columns == ("age", "income")
    np.testing.assert_allclose(table.rows, [[41, 30000], [28, 25500.5], [60, 1e5]])
    assert table.lines()[:3] == [
        "3 rows of 2 numbers (age, income)",
        "left out: 1 column without numbers (name)",
        "left out: 2 rows with a missing number (row 2, row 3)",
    ]


@pytest.mark.parametrize(
    ("name", "text", "encoding"),
    [
        ("a.csv", "1,2\n3,4\n5,6\n", "utf-8"),
        ("b.tsv", "x\ty\n1\t2\n3\t4\n5\t6\n", "utf-8"),
        ("c.csv", "größe;y\r\n1;2\r\n3;4\r\n5;6\r\n", "latin-1"),
        ("d.csv", "\ufeffx,y\n1,2\n\n3,4\n5,6", "utf-8"),
        ("e.csv", 'x,"y, or so"\n1,"2"\n3,4\n5,6\n', "utf-8"),
    ],
)
def test_tables_come_in_many_forms(name: str, text: str, encoding: str, tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_table(written(tmp_path / name, text, encoding)).rows, [[1, 2], [3, 4], [5, 6]])


def test_some_columns_by_name_or_number(tmp_path: Path) -> None:
    file = written(tmp_path / "people.csv", CSV)
    np.testing.assert_allclose(read_table(file, "income").rows[:, 0], [30000, 20000, 25500.5, 1e5])
    np.testing.assert_allclose(read_table(file, "3, age").rows[0], [30000, 41])
    no_column = ("height", "has no column 'height'; it has age, income"), ("4", "has no column '4'; it has age, income")
    for wrong, said in (*no_column, *((name, "the column name of .* holds no numbers") for name in ("name", "1"))):
        with pytest.raises(UsageError, match=said):
            read_table(file, wrong)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "holds no rows"),
        ("head.csv", b"a,b\n", "names of columns, and no rows"),
        ("text.csv", b"a,b\nx,y\nz,w\n", "no column of numbers"),
        ("gaps.csv", b"a,b\n1,\n,2\n", "in every row a number is missing"),
        ("bytes.csv", bytes(range(256)) * 4, "no table that can be read|no column of numbers"),
    ],
)
def test_a_file_without_numbers_is_named(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SparringError, match=rf"{name}.*({said})"):
        read_table(tmp_path / name)


def test_networks_see_scaled_numbers_and_samples_are_in_the_units_of_the_file(table_file: Path) -> None:
    data = Table(str(table_file)).resolved()
    rng = RandomStreams((0,))
    rng.begin(0)
    drawn = data.open().draw(rng, 256)[0].numpy()
    np.testing.assert_allclose(drawn.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(drawn.std(0), 1, atol=1e-5)
    rows = read_table(table_file).rows
    order = np.lexsort(data.in_own_units(drawn).T)
    np.testing.assert_allclose(data.in_own_units(drawn)[order], rows[np.lexsort(rows.T)], rtol=1e-4, atol=1e-2)


def test_signals_share_one_scale_and_constant_columns_are_only_moved(tmp_path: Path) -> None:
    waves = 220 + 30 * np.sin(np.arange(40) / 3 + 6 * np.random.default_rng(0).random((50, 1)))
    np.save(tmp_path / "waves.npy", waves)
    assert len(Table(str(tmp_path / "waves.npy")).resolved().found_sd) == 1
    assert len(Table(str(tmp_path / "waves.npy"), scale="columns").resolved().found_sd) == 40
    np.save(tmp_path / "flat.npy", np.stack([np.full(50, 7.0), waves[:, 0]], 1))
    assert Table(str(tmp_path / "flat.npy"), columns="1,2").resolved().found_sd[0] == 1.0


def test_columns_of_one_number_are_left_out_unless_they_are_asked_for(tmp_path: Path) -> None:
    """D would tell by the last bit of such a column what is real."""
    file, rng = tmp_path / "flat.csv", np.random.default_rng(0)
    file.write_text("a,const,b\n" + "".join(f"{a},7,{b}\n" for a, b in rng.normal(size=(50, 2))))
    left, asked = Table(str(file)).resolved(), Table(str(file), columns="a,const,b").resolved()
    assert left.found_columns == ("a", "b") and asked.found_columns == ("a", "const", "b")
    table = read_table(file)
    assert "left out: 1 column of one number only (const)" in table.lines()
    assert table.summary()["constant"] == ["const"] and table.columns == ("a", "b")
    earlier = dataclasses.replace(asked, columns="all")  # a run of before, which has all of them, goes on
    assert earlier.open().draw(RandomStreams((0,)), 4).shape == (1, 4, 3)
    file.write_text("const,other\n" + "7,8\n" * 50)
    assert read_table(file).columns == ("const", "other"), "nothing would be left"


def test_a_run_of_before_that_has_a_column_of_one_number_says_how_it_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, rng, out = tmp_path / "flat.csv", np.random.default_rng(0), tmp_path / "run"
    file.write_text("a,const,b\n" + "".join(f"{a},7,{b}\n" for a, b in rng.normal(size=(50, 2))))
    asked = Table(str(file), columns="a,const,b").resolved()
    recipe = sparring.recipe("digits").replace(data=dataclasses.replace(asked, columns="all"), **SHORT)
    sparring.train(recipe, out=out, threads=1, metrics=False, compile=False)
    again = sparring.recipe("digits").replace(data=Table(str(file)), **SHORT)
    with pytest.raises(SparringError, match=r"it has columns of one number \(.*const.*\), which new runs leave out"):
        sparring.train(again, out=out, threads=1)
    assert cli.run(["train", "--from", str(out), "--out", str(out), "--rounds", "9", "--no-metrics"]) == 0
    file.write_text(file.read_text() + "1,7,2\n")
    with pytest.raises(SparringError, match=r"the numbers in .* have changed"):
        sparring.train(again, out=out, threads=1)


def test_one_trains_on_a_table_and_gets_a_table_back(table_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["train", "--data", str(table_file), "--out", str(out), "--no-compile"]
    settings = [f"--{name.replace('_', '-')}={value}" for name, value in SHORT.items()]
    assert cli.run([*arguments, *settings]) == 0
    run = RunFolder.open(out)
    assert run.recipe["data"]["is"] == "table" and run.recipe["data"]["found_columns"] == ["age", "income", "member"]
    assert cli.run(["sample", str(out), "--count", "5", "--out", str(tmp_path / "some.csv")]) == 0
    with (tmp_path / "some.csv").open() as file:
        head, *rows = csv.reader(file)
    assert head == ["seed", "age", "income", "member"] and [row[0] for row in rows] == ["0"] * 5 + ["1"] * 5
    samples = sparring.sample(out, 5)
    np.testing.assert_allclose(np.array(rows, float)[:, 1:], samples.reshape(10, 3), rtol=1e-5)
    assert samples[..., 1].max() > 1_000, "in the units of the file"
    assert cli.run([*arguments, *settings]) == 0, "a finished run is left alone"
    table_file_text = table_file.read_text()
    try:
        table_file.write_text(table_file_text + "1,2,3\n")
        with pytest.raises(SparringError, match="have changed since this run began"):
            sparring.train(sparring.recipe("auto", str(table_file)).replace(**SHORT), out=out)
    finally:
        table_file.write_text(table_file_text)


@pytest.mark.parametrize("flags", ["--trim 7", "--list no.txt --trim 0.1", "--size 16 --list no.txt", "--leave-out a"])
def test_the_doctor_refuses_flags_of_images_for_a_table(
    flags: str, table_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["doctor", str(table_file), *flags.split()]) == 2
    says = rf"sparring: --(trim|list|leave-out) is for images, and {table_file} is a table\n"
    assert re.fullmatch(says, capsys.readouterr().err)


def test_the_doctor_examines_a_table(table_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor", str(table_file), "--out", str(tmp_path / "sheet.png")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("256 rows of 3 numbers (age, income, member)\n")
    assert f"sparring train --data {table_file}" in said
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert cli.run(["doctor", str(table_file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["columns"] == ["age", "income", "member"]


def test_images_have_no_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = sparring.train(sparring.recipe("digits").replace(**SHORT), out=tmp_path / "run")
    assert cli.run(["sample", str(run.path), "--out", str(tmp_path / "some.csv")]) == 2
    assert "images have no columns" in capsys.readouterr().err


def test_walks_of_a_table_are_written_in_the_units_of_its_file(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).standard_normal((60, 2)) * [9, 1e5] + [41, 1.7e9]
    np.savetxt(tmp_path / "t.csv", rows, delimiter=",", header="age,when", comments="", fmt="%.17g")
    recipe = sparring.recipe("auto", tmp_path / "t.csv").replace(**SHORT)
    run = sparring.train(recipe, out=tmp_path / "run", threads=1, metrics=False)
    expected, out, folder = run.sample(z_seeds=[3, 7]), str(tmp_path / "walk.npy"), str(tmp_path / "run")
    for walk in (["blend", folder, "--steps", "2"], ["arithmetic", folder, "a - b"]):
        assert cli.run([*walk, "--z-seeds", "3,7", "--out", out]) == 0
        np.testing.assert_allclose(np.load(out)[:, :2], expected, rtol=1e-6)
    assert cli.run(["sweep", folder, "--out", out]) == 0
    assert np.load(out).dtype == np.float64 and (np.abs(np.load(out)[..., 1] - 1.7e9) < 1e7).all()
