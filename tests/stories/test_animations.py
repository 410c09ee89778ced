"""Loops through the latent space and films of training, as GIF, WebP, PNG and MP4."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring.cli.main import WRONG_USAGE
from tests.commands import sparring


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("animations") / "digits"
    few = ("--rounds", 20, "--log-points", 1, "--seeds", "5,3", "--samples-per-grid", 4)
    sparring("train", "digits", *few, "--out", out)
    return out


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_a_loop_is_an_animation(suffix: str, digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / f"loop.{suffix}"
    sparring("loop", digits, "--z-seeds", "0,3", "--frames", 6, "--out", out, "--json")
    given = json.loads(capsys.readouterr().out)
    assert given["shape"] == [2, 6, 1, 8, 8] and given["judge"] == "digits"
    with Image.open(out) as image:
        assert getattr(image, "n_frames", 1) > 1


def test_long_animations_say_how_long_they_take(
    digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparring.report.animation.MIN_SECONDS_LEFT", 0)
    sparring("loop", digits, "--frames", 30, "--out", tmp_path / "loop.gif", "--json")
    said = capsys.readouterr()
    assert json.loads(said.out)["shape"][1] == 30, "what is said goes to stderr"
    assert said.err.startswith("making 30 frames of 2 seeds\n")
    assert re.search(r"^writing loop\.gif: about \d+ s left$", said.err, re.MULTILINE)


def test_a_film_has_a_frame_for_every_sample_picture(
    digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "film.webp"
    sparring("film", digits, "--out", out, "--json")
    given = json.loads(capsys.readouterr().out)
    with Image.open(out) as image:
        assert getattr(image, "n_frames", 1) == given["frames"] == len(given["rounds"]) >= 2


def test_an_mp4_has_every_frame_for_as_long_as_it_stays(
    digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg")
    out = tmp_path / "film.mp4"
    sparring("film", digits, "--fps", 2, "--out", out, "--json")
    given = json.loads(capsys.readouterr().out)
    width, height = (side - side % 2 for side in given["size"])
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    decoded = subprocess.run(["ffmpeg", "-loglevel", "error", "-i", out, *raw], check=True, capture_output=True).stdout
    held = 4  # the last frame stays 2 seconds
    shown = np.frombuffer(decoded, np.uint8).reshape(-1, height, width, 3)
    assert len(shown) == given["frames"] - 1 + held
    assert shown[0].mean() > 50 and np.abs(shown[-1].astype(int) - shown[-held]).mean() < 2


def test_an_mp4_without_ffmpeg_is_refused_before_anything_is_computed(
    digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparring.report.animation.shutil.which", lambda name: None)
    for command in ("loop", "film"):
        sparring(command, digits, "--out", tmp_path / "a.mp4", expect=WRONG_USAGE)
        said = capsys.readouterr().err
        assert ".mp4 needs ffmpeg, which is not installed" in said and len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["loop", "--z-seeds", "4", "--out", "a.gif"], "at least 2 latent vectors"),
        (["loop", "--out", "a.jpg"], "must end in .gif"),
        (["film", "--fps", "0", "--out", "a.gif"], "--fps must lie between"),
        (["directions", "--dims", "99", "--out", "a.png"], "no dimension 99"),
    ],
)
def test_what_does_not_fit_a_film_is_told_in_one_line(
    arguments: list[str], words: str, digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *rest = arguments
    sparring(command, digits, *rest[:-1], tmp_path / rest[-1], expect=WRONG_USAGE)
    said = capsys.readouterr().err
    assert words in said and len(said.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
