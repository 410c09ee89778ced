"""Images that nothing can be learned from: the doctor and training name them, and say what to do first."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring.datasets.folder import Folder
from sparring.datasets.in_memory import InMemory
from tests.stories.image_files import RNG, complaint, saved, sparring

COUNT = 12


def noise(height: int, width: int) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


SAME = noise(16, 16)
UNFIT: dict[str, tuple[Callable[[int], np.ndarray], str, str]] = {
    "strips": (
        lambda number: noise(2, 400),
        "cut off 12, of which a crop to 2x2 leaves less than a tenth: 00.png, 01.png, 02.png and 9 more",
        "all 12 images are cropped by more than 90%: cut them into nearly square pieces, or keep all of each with "
        "--fit pad --size 64",
    ),
    "pixels": (
        lambda number: noise(1, 1),
        "tiny 12: 00.png, 01.png, 02.png and 9 more",
        "all 12 images are of fewer than 4 pixels: check the files, or train on numbers (CSV)",
    ),
    "blank": (
        lambda number: np.full((16, 16, 3), 20 * number, np.uint8),
        "nearly one color 12: 00.png, 01.png, 02.png and 9 more",
        "all 12 images are of nearly one color: check the files, or try --levels used or another --background",
    ),
    "copies": (
        lambda number: SAME,
        "exact duplicates 11 redundant copies in 1 group: 00.png = 01.png",
        "all 12 images are copies of one: add others",
    ),
}


@pytest.fixture(params=UNFIT)
def unfit(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str, str]:
    """A folder, the line that names what is wrong with it, and the line that says what to do."""
    make, problem, first = UNFIT[request.param]
    folder = tmp_path / request.param
    folder.mkdir()
    for number in range(COUNT):
        saved(make(number))(folder / f"{number:02}.png")
    return folder, problem, first


def test_the_doctor_says_what_to_do_before_training(
    unfit: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, problem, first = unfit
    assert sparring("doctor", folder) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert problem in said
    assert f"do first {first}" in said
    assert "sparring train" not in said
    assert sparring("doctor", folder, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["do_first"] == [first] and report["training"]["command"] is None


def test_training_warns_of_it(unfit: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    folder, _, first = unfit
    for how in ("decoded", "from the cache"):
        Folder(str(folder)).resolved()
        assert f"{folder}: warning: {first}" in capsys.readouterr().err, how


def test_a_few_such_images_among_others_are_named_and_nothing_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(COUNT):
        saved(noise(32, 32))(tmp_path / f"{number:02}.png")
    saved(noise(2, 400))(tmp_path / "strip.png")
    saved(noise(1, 1))(tmp_path / "pixel.png")
    assert sparring("doctor", tmp_path) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "cut off 1, of which a crop to 32x32 leaves less than a tenth: strip.png" in said
    assert "tiny 1: pixel.png" in said
    assert "do first" not in said and "sparring train auto" in said


def test_padding_keeps_what_a_crop_cuts_off(tmp_path: Path) -> None:
    for number in range(COUNT):
        saved(noise(4, 400))(tmp_path / f"{number:02}.png")
    assert sparring("doctor", tmp_path) == 1
    assert sparring("doctor", tmp_path, "--fit", "pad", "--size", 64) == 0


def test_copies_are_not_counted_as_images_to_learn_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = [noise(8, 8) for _ in range(3)]
    np.save(tmp_path / "a.npy", np.stack(images * 50))
    assert sparring("doctor", tmp_path / "a.npy") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "few (3 different among 150): expect copies of them" in said
    Folder(str(tmp_path / "a.npy")).resolved()
    assert "few (3 different among 150): expect copies of them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("examples", "first"),
    [
        (np.stack([SAME] * COUNT), "all 12 images are copies of one: add others"),
        (np.zeros((COUNT, 8, 8), np.uint8), "all 12 images are of nearly one color: check their range"),
        (
            np.arange(COUNT, dtype=np.uint8).reshape(COUNT, 1, 1, 1),
            "all 12 images are of fewer than 4 pixels: for plain numbers say kind='numbers'",
        ),
        (np.full((COUNT, 5), 2.5), "all 12 examples are copies of one: add others"),
        (np.zeros((1, 5)), "there is only one example: add others"),
    ],
    ids=["copies", "blank", "pixels", "rows", "one"],
)
def test_examples_given_in_python_are_looked_at_too(
    examples: np.ndarray, first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    InMemory.of(examples).with_opener(None, "cpu")
    assert f"warning: {first}" in capsys.readouterr().err


def test_sound_examples_given_in_python_are_not_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    InMemory.of(np.stack([noise(8, 8) for _ in range(COUNT)])).with_opener(None, "cpu")
    InMemory.of(RNG.normal(size=(COUNT, 5))).with_opener(None, "cpu")
    assert "warning" not in capsys.readouterr().err


def test_frames_that_differ_are_no_copies(tmp_path: Path) -> None:
    saved(noise(8, 8), save_all=True, append_images=[])(tmp_path / "one.gif")
    assert sparring("doctor", tmp_path, "--frames", "all") == 1
    frames = [Image.fromarray(noise(8, 8)) for _ in range(4)]
    frames[0].save(tmp_path / "one.gif", save_all=True, append_images=frames[1:])
    assert sparring("doctor", tmp_path, "--frames", "all") == 0


@pytest.mark.parametrize("shape", [(0, 8, 8), (8, 0, 8), (0, 8, 8, 3)])
def test_an_empty_array_is_called_empty(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.empty(shape, np.uint8))
    complaint(Folder(str(tmp_path / "a.npy")).resolved, f"holds an array of shape {shape}, which is empty")
