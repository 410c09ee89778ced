"""The display while a run trains: in a terminal, where there is none, and its previews of samples."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from sparring.recipe import find_recipe
from sparring.report import Live
from sparring.report.live.preview import ImagePreview, preview, sparkline
from sparring.training import train
from tests.printed import text_of


@pytest.mark.parametrize("width", [80, 120])
def test_live_in_a_terminal(tmp_path: Path, width: int) -> None:
    console = Console(force_terminal=True, color_system="truecolor", width=width, height=40, file=io.StringIO())
    with Live(console) as live:
        train(find_recipe("pattern-1010").replace(seeds=4, rounds=200), tmp_path / "run", watchers=[live])
    assert isinstance(console.file, io.StringIO)
    seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue()).splitlines()
    assert all(len(line.strip("\r")) <= width for line in seen)
    last = "\n".join(seen[-24:])
    assert "pattern-1010" in last and "200 of 200" in last and "D(fake)" in last and "±" in last
    assert "1 thread. Ctrl-C saves a checkpoint; rerun to resume" in last and "seed 3" in last


def test_live_where_there_is_no_terminal(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), force_terminal=False, width=60)
    with Live(console) as live:
        train(find_recipe("pattern-1010").replace(seeds=2, rounds=100), tmp_path / "run", watchers=[live])
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "\x1b" not in text
    first, last = text.splitlines()
    assert first.startswith("pattern-1010: 2 seeds, 100 rounds, 1 thread.")
    assert last.startswith("round 100 of 100 (100%), D's loss ") and "rounds/s" in last


def test_live_that_watched_nothing_says_nothing() -> None:
    console = Console(file=io.StringIO(), force_terminal=True)
    with Live(console):
        pass
    assert isinstance(console.file, io.StringIO) and console.file.getvalue() == ""


@pytest.mark.parametrize(("shape", "lines"), [((1, 8, 8), 8), ((1, 28, 28), 7), ((3, 64, 64), 8), ((1, 7, 5), 8)])
@pytest.mark.parametrize("color", [True, False])
def test_preview_fits(shape: tuple[int, int, int], lines: int, color: bool) -> None:
    examples = np.random.default_rng(0).random((6, 16, *shape)).astype(np.float32)
    console = Console(width=80, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(ImagePreview(examples, range(6), 80, color))
    drawn = console.export_text().splitlines()
    assert "seed 0" in drawn[0] and len(drawn) == 1 + lines
    assert all(len(line.rstrip()) <= 80 for line in drawn)
    assert any(("▀" if color else "▒") in line for line in drawn)


def test_preview_of_numbers_marks_the_lost() -> None:
    text = text_of(preview(np.array([[[0.9, 0.1, np.nan, 1.0]]]), [7], 80))
    assert "seed 7" in text and "0.90" in text and "NaN" in text


def test_sparkline_spans_its_values() -> None:
    assert sparkline([0, 1]) == "▁█" and sparkline([2.0, 2.0]) == "▁▁" and sparkline([np.nan]) == ""
    assert len(sparkline(range(1000), width=30)) == 30
