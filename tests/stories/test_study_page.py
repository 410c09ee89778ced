"""The page of a study: self-contained, with figures, tables and samples; also of a table without its runs."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

pytest.importorskip("statsmodels")

from sparring import report
from sparring.report.page.study_notebook import study_html
from sparring.study.answer import Answer
from sparring.study.plain import answer_plain
from sparring.study.results import Results
from tests.made_studies import FRECHET, factorial

WIDTH = 80


def made() -> Results:
    """2 x 2 with one diverged and two collapsed members, and a course over training."""
    draw = np.random.default_rng(0)
    ends = np.array([20.0, 11, 19, 13])[:, None] + draw.normal(0, 1, (4, 6))
    curves = ends[..., None] * np.linspace(3, 1, 5)
    return factorial(ends, diverged=[(0, 2)], collapsed=[(0, 1), (2, 4)], curves=curves, real=2.0)


def written(results: Results, folder: Path) -> str:
    return report.write_study(Answer.of(results), folder).read_text(encoding="utf-8")


def test_the_page_answers_and_loads_nothing(tmp_path: Path) -> None:
    page = written(made(), tmp_path)
    assert "Optimizer adam in place of sgd: Fréchet distance lower by" in page
    for title in ("What each change does", "Every cell", "Quality over training", "Time to a target", "How many seeds"):
        assert title in page
    assert "1 of 24 members diverged" in page and "2 of 24 members collapsed" in page
    assert not re.search(r"""(?:src|srcset|href)="(?!data:)""", page) and "@import" not in page


@pytest.mark.parametrize("cells", [(1,), (0, 1)], ids=["one cell", "every cell"])
def test_the_page_is_written_where_every_seed_diverged(cells: tuple[int, ...], tmp_path: Path) -> None:
    """Of as many seeds as a band is drawn of."""
    curves = np.random.default_rng(0).normal(10, 1, (2, 4, 5))
    curves[list(cells)] = np.nan
    lost = [(cell, seed) for cell in cells for seed in range(4)]
    page = written(factorial(curves[..., -1], {"lr": ["1e-3", "1e30"]}, curves=curves, diverged=lost), tmp_path)
    assert f"{len(lost)} of 8 members diverged" in page and (tmp_path / "figures" / "courses.png").is_file()


@pytest.mark.parametrize("seeds", [1, 6])
@pytest.mark.parametrize("begun", [True, False], ids=["one has begun", "none has begun"])
@pytest.mark.parametrize("trained", [0, 1, 2, 3])
def test_a_study_that_was_interrupted_has_a_page(trained: int, begun: bool, seeds: int, tmp_path: Path) -> None:
    """Of four cells the first ones are trained; of the next one there may be members without an evaluation."""
    whole = made()
    cells = [cell.id for cell in whole.cells]
    rows = [row for row in whole.rows if row.cell in cells[:trained] and row.seed < seeds]
    if begun:
        next_one = [row for row in whole.rows if row.cell == cells[trained] and row.seed < seeds]
        rows += [replace(row, outcome=None, series={}, values={}, rounds=0, status="stopped") for row in next_one]
    some = replace(whole, rows=tuple(rows))
    page, answer = written(some, tmp_path), Answer.of(some)
    assert "Every cell" in page and json.loads(json.dumps(answer_plain(answer), allow_nan=False))
    console = Console(width=WIDTH, record=True, file=io.StringIO())
    console.print(report.study_text(answer))
    assert console.export_text().strip()


def test_who_reached_a_target_is_in_every_table(tmp_path: Path) -> None:
    times = np.array([[100.0, 200, 300, 300], [300.0, 400, 400, 400]])
    title = replace(FRECHET, name="rounds-to(frechet-distance, 2)", title="rounds until it is at most 2")
    made = factorial(times, {"lr": ["1e-3", "1e-9"]}, outcome=title, censored=times == 400)
    page, short = written(made, tmp_path), study_html(Answer.of(made))
    assert "≥ 150 [" in page
    for shown in (page, short):
        assert ">reached<" in shown and ">4 of 4<" in shown and ">1 of 4<" in shown
    console = Console(width=WIDTH, record=True, file=None, quiet=False)
    with console.capture() as terminal:
        console.print(report.study_text(Answer.of(made)))
    assert "reached" in terminal.get() and "1 of 4" in terminal.get() and "≥ 150 [" in terminal.get()


def test_figures_and_tables_lie_beside_it(tmp_path: Path) -> None:
    written(made(), tmp_path)
    names = {path.stem for path in (tmp_path / "figures").glob("*.png")}
    assert names == {"effects", "members", "interactions", "courses", "reached"}
    with (tmp_path / "members.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24 and rows[2]["diverged"] == "True" and rows[2]["outcome"] == ""
    with (tmp_path / "effects.csv").open(newline="") as file:
        assert {row["kind"] for row in csv.DictReader(file)} == {"main", "interaction", "cell"}


def test_samples_that_are_kept_are_shown_without_the_runs(tmp_path: Path) -> None:
    results = replace(made(), folder=str(tmp_path))
    assert "Samples of the median seed" not in written(results, tmp_path)
    (tmp_path / "samples").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "samples" / f"{results.cells[1].id}.png")
    assert written(results, tmp_path).count("<figcaption><strong>") == 1


def test_text_of_cells_is_escaped(tmp_path: Path) -> None:
    results = made()
    cells = (replace(results.cells[0], label="<script>alert(1)</script> $x$"), *results.cells[1:])
    assert "<script>alert" not in written(replace(results, cells=cells), tmp_path)


@pytest.mark.parametrize("width", [WIDTH, 50])
def test_the_terminal_has_the_answer_in_its_width(width: int) -> None:
    console = Console(width=width, record=True, file=None, quiet=False)
    with console.capture() as shown:
        console.print(report.study_text(Answer.of(made())))
    lines = shown.get().splitlines()
    assert all(len(line) <= width for line in lines)
    text = " ".join(" ".join(lines).split())
    assert "Optimizer adam in place of sgd" in text and "Holm" in text
    assert ("top finding" in text.partition("effect")[0]) or "A wider terminal also shows: IQM, n, top finding." in text


@pytest.mark.drawn
def test_real_figures_are_drawn_for_every_screen(tmp_path: Path) -> None:
    """Drawn whole: labels, legends and limits of a table that has gaps."""
    report.write_study(Answer.of(made()), tmp_path)
    for path in (tmp_path / "figures").glob("*.png"):
        with Image.open(path) as picture:
            assert picture.width > 600 and len(picture.getcolors(10**6) or []) > 5
