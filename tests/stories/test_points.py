"""Points in the plane and stacks of images: how they are drawn, from the ticks of a run to the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from sparring.cli.main import run
from sparring.datasets.grid import Grid
from sparring.datasets.ring import Ring
from sparring.record.grid import excerpts, grid, in_color, save_grid
from sparring.record.scatter import BACKGROUND, INSIDE, OUTSIDE, SIDE, scatter

QUICK = ("--rounds", 4, "--log-points", 1, "--batch", 4, "--threads", 1)


def sparring(*arguments: object) -> int:
    return run([str(a) for a in arguments])


def at(picture: Image.Image, x: float, y: float, reach: float) -> tuple[int, ...]:
    """The color at a point of the plane."""
    found = picture.getpixel((round((x / reach + 1) * SIDE / 2 - 0.5), round((1 - y / reach) * SIDE / 2 - 0.5)))
    assert isinstance(found, tuple)
    return found


def test_a_scatter_shows_points_where_they_are_and_strays_on_the_rim() -> None:
    modes = Grid.modes
    assert modes is not None
    points = np.array([[1.0, 3.0], [-3.0, -1.0], [50.0, 1.0], [np.nan, 0.0]])
    picture = scatter(points, modes)
    assert picture.size == (SIDE, SIDE)
    assert at(picture, 1, 3, modes.reach) == ImageColor.getrgb(INSIDE)
    assert at(picture, -3, -1, modes.reach) == ImageColor.getrgb(INSIDE)
    assert at(picture, 3, 1, modes.reach) == ImageColor.getrgb(BACKGROUND)
    colors = {pixel for _, pixel in picture.crop((SIDE - 6, 0, SIDE, SIDE)).getcolors(999) or []}
    assert ImageColor.getrgb(OUTSIDE) in colors
    assert scatter(np.full((3, 2), np.nan), modes).size == (SIDE, SIDE)


def test_every_mode_has_its_ring() -> None:
    modes = Ring.modes
    assert modes is not None
    empty = scatter(np.zeros((0, 2)), modes)
    for x, y in modes.centers:
        column, row = round((x / modes.reach + 1) * SIDE / 2), round((1 - y / modes.reach) * SIDE / 2)
        around = np.asarray(empty.crop((column - 6, row - 6, column + 7, row + 7)).convert("L"))
        assert around.min() < 140


def test_a_saved_scatter_says_where_its_members_lie(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(3, 20, 2))
    save_grid(points, tmp_path / "s.png", (4, 5, 6), modes=Ring.modes)
    with Image.open(tmp_path / "s.png") as picture:
        blocks = excerpts(picture, 3, 9)
    assert blocks is not None
    assert [block.size for block in blocks] == [(SIDE, SIDE)] * 3


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_any_number_of_channels_is_drawn(channels: int) -> None:
    images = np.random.default_rng(0).random((2, 4, channels, 6, 6))
    assert grid(images, (0, 1)).mode == "RGB"
    shown = in_color(images)
    assert shown.shape == (2, 4, 3, 6, 6)
    if channels == 2:
        assert not shown[..., 2, :, :].any()
        np.testing.assert_array_equal(shown[..., :2, :, :], images)


def test_a_run_on_the_ring_from_training_to_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    network = "fully-connected(hidden=(8,))"
    assert sparring("train", "digits", "--data", "ring", "--generator", network, "--out", out, *QUICK) == 0
    log_points = [e for e in map(json.loads, (out / "journal.jsonl").read_text().splitlines()) if e["event"] == "log"]
    assert all("picture" in log_point and "outputs" not in log_point for log_point in log_points)
    assert (out / "report.html").is_file()
    assert sparring("sample", out, "--count", 30, "--out", tmp_path / "s.png") == 0
    assert sparring("sample", out, "--count", 30, "--out", tmp_path / "s.npy") == 0
    assert np.load(tmp_path / "s.npy").shape == (1, 30, 2)
    with Image.open(tmp_path / "s.png") as picture:
        assert picture.width > SIDE


def test_a_run_on_two_stacks_from_training_to_a_sweep(tmp_path: Path, data_dir: Path) -> None:
    out = tmp_path / "run"
    data = ("--data", "stacked-mnist(2)", "--data-dir", data_dir, "--samples-per-grid", 4)
    assert sparring("train", "digits", *data, "--out", out, *QUICK) == 0
    told = json.loads((out / "recipe.json").read_text())["data"]
    assert told == {"is": "stacked-mnist", "digits_stacked": 2, "span": [-1.0, 1.0]}
    assert sparring("sweep", out, "--out", tmp_path / "sweep.png") == 0


def test_no_stack_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sparring("train", "digits", "--data", "stacked-mnist(0)", "--out", tmp_path / "run") == 2
    said = capsys.readouterr().err
    assert "digits_stacked must be at least 1, not 0" in said and said.count("\n") == 1
