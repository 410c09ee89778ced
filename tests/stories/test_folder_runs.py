"""A user's own folder of images: what is cached, and what a run remembers of it."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sparring.analysis.summary import summary
from sparring.datasets.files import survey
from sparring.datasets.folder import Folder
from sparring.errors import UsageError
from sparring.record import RunFolder
from sparring.record.image_files import as_picture, save_each
from tests.stories.image_files import GREY, RGB, RGBA, RNG, complaint, pixels_of, saved, sparring


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


# The cache


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are decoded from here on, beside the look at some of them that finds pixel art."""
    names: list[str] = []
    plain = survey.read_frames

    def counted(open_file: Any, name: str, *rest: Any) -> list[Any]:
        if rest[-1] is not None:  # the size that they are read for
            names.append(name.rpartition("/")[2])
        return plain(open_file, name, *rest)

    monkeypatch.setattr(survey, "read_frames", counted)
    return names


def test_images_are_decoded_once(home: Path, decoded: list[str]) -> None:
    (home / "x").mkdir()
    saved(RGB)(home / "a.png")
    saved(RGBA)(home / "x" / "b.png")
    first = pixels_of(home)
    assert sorted(decoded) == ["a.png", "b.png"]
    np.testing.assert_array_equal(pixels_of(home), first)
    resolved = Folder(str(home)).resolved()
    resolved.open(None, "cpu")
    assert len(decoded) == 2
    pixels_of(home, size=4)
    assert len(decoded) == 4
    pixels_of(home)
    assert len(decoded) == 4  # the other size is kept beside it


@pytest.mark.parametrize("change", ["added", "removed", "renamed", "written again", "moved to a class"])
def test_a_changed_folder_is_decoded_again(home: Path, decoded: list[str], change: str) -> None:
    saved(RGB)(home / "a.png")
    saved(RGBA)(home / "b.png")
    before = Folder(str(home)).resolved()
    if change == "added":
        saved(GREY)(home / "c.png")
    elif change == "removed":
        (home / "b.png").unlink()
    elif change == "renamed":
        (home / "a.png").rename(home / "z.png")
    elif change == "written again":
        saved(RGB[::-1])(home / "a.png")
        os.utime(home / "a.png", ns=(1, 1))
    else:
        (home / "x").mkdir()
        (home / "b.png").rename(home / "x" / "b.png")
    after = Folder(str(home)).resolved()
    assert len(decoded) > 2
    assert after.found_content != before.found_content
    complaint(lambda: before.open(None, "cpu"), home, "have changed since")


def test_a_touched_file_is_the_same_image(home: Path, decoded: list[str]) -> None:
    saved(RGB)(home / "a.png")
    before = Folder(str(home)).resolved()
    os.utime(home / "a.png", ns=(5, 5))
    assert Folder(str(home)).resolved() == before
    assert len(decoded) == 2


def test_a_damaged_cache_mends_itself(home: Path, own_cache: Path, decoded: list[str]) -> None:
    saved(RGB)(home / "a.png")
    before = set((own_cache / "sparring" / "folders").iterdir())
    pixels_of(home)
    made = {path.suffix: path for path in set((own_cache / "sparring" / "folders").iterdir()) - before}
    assert set(made) == {".pixels", ".json", ".lock"}
    for count, ending in enumerate((".pixels", ".json"), 2):
        made[ending].write_bytes(made[ending].read_bytes()[:50])
        np.testing.assert_array_equal(pixels_of(home)[0], RGB)
        np.testing.assert_array_equal(pixels_of(home)[0], RGB)
        assert len(decoded) == count


def test_a_cache_that_cannot_be_written_is_said_and_does_without(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import pooch

    (tmp_path / "blocked").touch()
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "blocked")
    saved(RGB)(home / "a.png")
    np.testing.assert_array_equal(pixels_of(home)[0], RGB)
    assert "cannot be cached in" in capsys.readouterr().err


@pytest.mark.slow
def test_fifty_thousand_images_open_in_five_seconds_the_second_time(home: Path) -> None:
    for number in range(50_000):
        place = home / f"{number % 10}"
        place.mkdir(exist_ok=True)
        Image.fromarray(RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(
            place / f"{number}.png", compress_level=1
        )
    Folder(str(home)).resolved()
    start = time.process_time()
    source: Any = Folder(str(home)).resolved().open(None, "cpu")
    assert time.process_time() - start < 5
    assert source.pixels.shape == (50_000, 3, 32, 32)


QUICK = ("--rounds", 6, "--log-points", 2, "--batch", 4, "--samples-per-grid", 4, "--threads", 1)


@pytest.fixture
def album(home: Path) -> Path:
    for number in range(8):
        Image.fromarray(RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(home / f"{number}.png")
    return home


def test_train_takes_a_folder_and_keeps_the_recipes_span(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert sparring("train", "digits", "--data", album, "--out", out, *QUICK) == 0
    recorded = json.loads((out / "recipe.json").read_text())["data"]
    assert recorded["is"] == "folder"
    assert recorded["path"] == str(album)
    assert recorded["found_shape"] == [3, 8, 8]
    assert recorded["span"] == [-1.0, 1.0]
    with Image.open(out / "samples" / "round-000000006.png") as picture:
        assert picture.mode == "RGB"
    shutil.rmtree(album)  # the run knows its shape, and needs the images no more
    assert sparring("sample", out, "--count", 2, "--out", tmp_path / "s.npy") == 0
    assert np.load(tmp_path / "s.npy").shape == (1, 2, 3, 8, 8)


def test_a_run_goes_on_with_the_same_images_or_not_at_all(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("train", "digits", "--data", album, "--out", tmp_path / "run", *QUICK)
    assert sparring(*command) == 0
    os.utime(album / "0.png")
    assert sparring(*command) == 0
    saved(RGB)(album / "new.png")
    capsys.readouterr()
    assert sparring(*command) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert (
        f"{tmp_path / 'run'} cannot be resumed: the images in {album} have changed since this run began: restore them"
        in said
    )
    (album / "new.png").unlink()
    assert sparring(*command) == 0


def test_a_run_goes_on_with_the_same_images_in_another_place(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, moved = tmp_path / "run", tmp_path / "moved here"

    def train(data: Path, *flags: Any) -> int:
        return sparring("train", "digits", "--data", data, "--out", out, *QUICK, *flags)

    assert train(album) == 0
    whole = tmp_path / "whole"
    longer = ("--rounds", 9, "--log-points", 2)
    assert sparring("train", "digits", "--data", album, "--out", whole, *QUICK, *longer) == 0
    album.rename(moved)
    capsys.readouterr()
    assert train(album) == 1
    assert f"{album} does not exist" in capsys.readouterr().err
    assert train(moved, *longer) == 0
    said = capsys.readouterr().err
    assert f"{out}: the same data as before, which are now in {moved} (they were in {album})" in said
    runs = [RunFolder.open(each) for each in (out, whole)]
    assert runs[0].checkpoints()[-1].read_bytes() == runs[1].checkpoints()[-1].read_bytes()
    assert runs[0].recipe["data"]["path"] == str(moved)
    (event,) = [event for event in runs[0].story.events if event["event"] == "moved"]
    assert event["data"] == [str(album), str(moved)]
    assert any(f"its data were in {moved}, before that in {album}" in line for line in summary(runs[0])["history"])


def test_other_images_in_another_place_are_another_run(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, other = tmp_path / "run", tmp_path / "other"
    assert sparring("train", "digits", "--data", album, "--out", out, *QUICK) == 0
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    shutil.copytree(album, other)
    saved(RGB)(other / "0.png")
    larger = tmp_path / "larger"
    larger.mkdir()
    Image.new("RGB", (16, 16)).save(larger / "one.png")
    for folder, why in (
        (other, "as many numbers in each, but other values"),
        (larger, "shape is [3, 8, 8] there, [1, 16"),
    ):
        capsys.readouterr()
        assert sparring("train", "digits", "--data", folder, "--out", out, *QUICK) == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert f"{out} cannot go on with {folder}: its examples are not those of {album}" in said
        assert why in said and "choose another --out" in said
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before


def test_settings_of_a_folder_on_the_command_line(album: Path, tmp_path: Path) -> None:
    data = f"folder({album}, size=4, colors=gray, fit=pad)"
    assert sparring("train", "digits", "--data", data, "--out", tmp_path / "run", *QUICK) == 0
    assert json.loads((tmp_path / "run" / "recipe.json").read_text())["data"]["found_shape"] == [1, 4, 4]


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sparring("train", "digits", "--data", tmp_path / "no", "--out", tmp_path / "run") == 1
    assert capsys.readouterr().err.startswith(f"sparring: {tmp_path / 'no'} does not exist: name a folder of images,")
    assert not (tmp_path / "run").exists()


def test_a_name_without_a_slash_may_be_a_folder(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sparring.recipe import find_recipe
    from sparring.recipe.reading import read_data

    previous = find_recipe("digits").data
    monkeypatch.chdir(album.parent)
    assert read_data("mine", previous) == Folder("mine", span=(-1.0, 1.0))
    (album.parent / "mnist").mkdir()
    assert type(read_data("mnist", previous)).__name__ == "MNIST"
    assert read_data("./mnist", previous) == Folder("./mnist", span=(-1.0, 1.0))
    assert read_data("mnist(span=(0.0, 1.0))", previous).span == (0.0, 1.0)
    with pytest.raises(UsageError, match="no dataset called 'yours'"):
        read_data("yours", previous)
    for name in ("folder", "table"):
        write = rf"{name} lacks its path: write {name}\(path=...\)"
        with pytest.raises(UsageError, match=f"{write}$"):
            read_data(name, previous)
        (album.parent / name).mkdir()
        with pytest.raises(UsageError, match=f"{write}, or ./{name} for what is called so here"):
            read_data(name, previous)


def test_samples_are_written_one_by_one_with_their_transparency(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for index in range(8):
        saved(RNG.integers(0, 256, (8, 8, 4), dtype=np.uint8))(home / f"{index}.png")
    quick = ("--rounds", 1, "--log-points", 1, "--batch", 4, "--threads", 1, "--no-judge", "--no-compile")
    assert sparring("train", "--data", home, "--alpha", "--seeds", 2, "--out", tmp_path / "run", *quick) == 0
    assert sparring("sample", tmp_path / "run", "--z-seeds", "3,12", "--out", tmp_path / "some") == 0
    assert sparring("sample", tmp_path / "run", "--z-seeds", "3,12", "--out", tmp_path / "some.npy") == 0
    numbers = np.load(tmp_path / "some.npy")
    for member in (0, 1):
        for place, name in enumerate(("03.png", "12.png")):
            with Image.open(tmp_path / "some" / f"seed-{member}" / name) as picture:
                assert picture.mode == "RGBA"
                shown = np.asarray(picture).transpose(2, 0, 1) / 255
            np.testing.assert_allclose(shown, numbers[member, place], atol=0.5 / 255 + 1e-6)
    assert sparring("sample", tmp_path / "run", "--seeds", 1, "--count", 2, "--out", tmp_path / "one") == 0
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["0.png", "1.png"]
    capsys.readouterr()
    assert sparring("sample", tmp_path / "run", "--out", tmp_path / "one") == 2
    assert "one is there and not empty: name a new folder for the images" in capsys.readouterr().err
    (empty := tmp_path / "empty").mkdir()
    assert sparring("sample", tmp_path / "run", "--seeds", 1, "--count", 2, "--out", empty) == 0
    assert sorted(path.name for path in empty.iterdir()) == ["0.png", "1.png"]
    assert not list(tmp_path.glob(".*.partial"))


def test_a_folder_of_samples_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = list[Any]()

    def interrupted(image: Any) -> Any:
        drawn.append(image)
        if len(drawn) == 3:
            raise KeyboardInterrupt
        return as_picture(image)

    monkeypatch.setattr("sparring.record.image_files.as_picture", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_each(np.zeros((2, 2, 1, 8, 8)), tmp_path / "some", ["0", "1"], np.array([[0, 1], [0, 1]]))
    assert not list(tmp_path.iterdir())
    save_each(np.zeros((2, 2, 1, 8, 8)), tmp_path / "some", ["0", "1"], np.array([[0, 1], [0, 1]]))
    assert len(list((tmp_path / "some").glob("*/*.png"))) == 4
