"""`sparring doctor`: what it reports of a folder of images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring.analysis.doctor import Examination
from sparring.datasets.files.settings import ImageSettings
from sparring.datasets.folder import Folder
from tests.stories.image_files import RNG, pixels_of, saved, sparring


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


# The doctor


@pytest.fixture
def patient(home: Path) -> Path:
    """Seven good images of two classes, one of them a copy, one blank, one wide; two broken files, two stray."""
    for name in ("cats", "dogs"):
        (home / name).mkdir()
    photo = np.asarray(Image.fromarray(RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((32, 32)))
    for number in range(3):
        saved(np.roll(photo, 7 * number, axis=1))(home / "cats" / f"{number}.png")
    saved(photo, lossless=True)(home / "dogs" / "copy.webp")
    touched = photo.copy()
    touched[3, 3] = touched[3, 3] ^ 1
    saved(touched)(home / "dogs" / "touched.bmp")
    saved(np.full((32, 32, 3), 7, np.uint8))(home / "dogs" / "blank.png")
    saved(np.dstack([photo, photo[..., :1]]).repeat(2, axis=1))(home / "dogs" / "wide.png")
    (home / "dogs" / "broken.gif").write_text("no")
    (home / "dogs" / "cut.png").write_bytes((home / "cats" / "0.png").read_bytes()[:200])
    (home / "notes.txt").touch()
    (home / "dogs" / "list.csv").touch()
    return home


def test_the_doctor_tells_all_in_json(patient: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "contact.png"
    assert sparring("doctor", patient, "--json", "--out", sheet) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["images"] == 7
    assert report["formats"] == {"PNG": 5, "WEBP": 1, "BMP": 1}
    assert report["sizes"] == {"32x32": 6, "64x32": 1}
    assert report["colors"] == {"RGB": 6, "RGBA": 1}
    assert report["classes"] == {"dogs": 4, "cats": 3}
    assert report["imbalance"] == pytest.approx(4 / 3)
    assert [broken["file"] for broken in report["broken"]] == ["dogs/broken.gif", "dogs/cut.png"]
    assert report["stray"] == ["dogs/list.csv", "notes.txt"]
    assert report["duplicates"] == [["cats/0.png", "dogs/copy.webp"]]
    assert report["look_alike"] == [["cats/0.png", "dogs/touched.bmp"]]
    assert report["nearly_one_color"] == ["dogs/blank.png"]
    assert report["training"]["shape"] == [3, 32, 32]
    assert report["training"]["resized"] == 1
    assert report["training"]["command"].startswith(f"sparring train auto --data {patient} ")
    with Image.open(sheet) as picture:
        assert picture.width > 800 and picture.mode == "RGB"


def test_the_doctor_tells_a_person(patient: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sparring("doctor", patient, "--size", 16, "--fit", "pad", "--background", "white") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "broken 2: dogs/broken.gif (is no image); dogs/cut.png (is cut short)" in said
    assert "exact duplicates 1 redundant copy in 1 group: cats/0.png = dogs/copy.webp" in said
    few = "not by auto: class cats has only 3 images and 1 other too few (each needs 1,000)"
    assert f"classes 2 (subfolders; used with --conditional, {few}): dogs 4, cats 3" in said
    assert "training sees 16x16, red, green and blue (as asked); 7 scaled and padded" in said
    assert "transparency 1 transparent, seen on #ffffff: --alpha keeps the transparency" in said
    assert "few images few (6 different among 7): expect copies" in said
    assert "memory 7 images at 16x16 need 5 kB decoded" in said
    assert "of at most 20 GB in " in said and "(SPARRING_CACHE_LIMIT sets the limit)" in said
    assert f"sparring train auto --data {patient} --size=16 --fit=pad '--background=#ffffff'" in said


def test_the_doctor_tells_of_what_a_background_hides(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shadow = np.zeros((8, 8, 4), np.uint8)
    shadow[2:6, 2:6, 3] = 200
    saved(shadow)(home / "shadow.png")
    saved(np.full((8, 8, 3), 9, np.uint8))(home / "plain.png")
    saved(RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8))(home / "photo.png")
    hidden, shown = (
        Examination.of(home).summary(),
        Examination.of(home, ImageSettings(background=(255,) * 3)).summary(),
    )
    assert hidden["transparent"] == shown["transparent"] == 1
    assert (hidden["training"]["background"], shown["training"]["background"]) == ("#000000", "#ffffff")
    assert hidden["nearly_one_color"] == ["plain.png", "shadow.png"]
    assert shown["nearly_one_color"] == ["plain.png"]
    assert sparring("doctor", home) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "plain.png, shadow.png; 1 of them transparent: another --background may show them" in said
    assert sparring("doctor", home, "--background", "white") == 0
    assert "of them transparent" not in capsys.readouterr().out


def test_training_sees_what_the_doctor_said(patient: Path) -> None:
    report = Examination.of(patient).summary()
    resolved = Folder(str(patient)).resolved()
    assert list(resolved.shape) == report["training"]["shape"]
    assert len(pixels_of(patient)) == report["images"]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("no/where",), 1, "does not exist: name a folder of images"),
        ((), 2, "doctor --help"),
        ((".", "--out", "x.jpg"), 2, "--out must end in"),
        ((".", "--background", "mud"), 2, "background must be a color"),
        ((".",), 1, "and others): name a folder of images"),
    ],
)
def test_the_doctor_complains_in_one_line(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    status: int,
    says: str,
) -> None:
    monkeypatch.chdir(home)
    assert sparring("doctor", *arguments) == status
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_a_folder_of_broken_files_has_no_contact_sheet(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "a.png").touch()
    assert sparring("doctor", home) == 1
    assert "impossible" in capsys.readouterr().out
    assert sparring("doctor", home, "--json") == 1
    assert json.loads(capsys.readouterr().out)["training"] is None
    assert sparring("doctor", home, "--out", home / "c.png") == 1
