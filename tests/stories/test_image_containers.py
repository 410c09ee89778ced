"""Images of one's own in any container and under any name: the same content is the same pixels."""

from __future__ import annotations

import io
import os
import shutil
import socket
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sparring.analysis.doctor import Examination
from sparring.datasets.files.loading import FolderImages, load_folder
from sparring.datasets.files.settings import ImageSettings
from tests.stories.image_files import RNG, complaint, saved, sparring

PIXELS = RNG.integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
LABELS = [index % 3 for index in range(12)]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Twelve images in three subfolders."""
    folder = tmp_path / "album"
    for index, pixels in enumerate(PIXELS):
        place = folder / f"class {LABELS[index]}"
        place.mkdir(parents=True, exist_ok=True)
        saved(pixels)(place / f"{index:02}.png")
    return folder


def load(path: Path, **settings: Any) -> FolderImages:
    return load_folder(path, ImageSettings(**settings))


def zipped(folder: Path, out: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(out, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, f"{prefix}{file.relative_to(folder)}")
    return out


def tarred(folder: Path, out: Path, mode: str = "w") -> Path:
    with tarfile.open(out, mode) as archive:  # type: ignore[call-overload]
        archive.add(folder, "album")
    return out


def in_files_of(folder: Path, out: Path, format: str, ending: str) -> Path:
    """The same images in another format that loses nothing."""
    for file in folder.rglob("*.png"):
        place = out / file.parent.name / f"{file.stem}{ending}"
        place.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(file) as image:
            image.save(place, format, **HOW.get(format, {}))
    return out


HOW: dict[str, dict[str, Any]] = {"WEBP": {"lossless": True}, "ICO": {"sizes": [(8, 8)]}}
CONTAINERS: dict[str, Callable[[Path, Path], Path]] = {
    "zip": lambda album, out: zipped(album, out / "a.zip"),
    "zip of a folder": lambda album, out: zipped(album, out / "a.zip", "album/"),
    "zip without its ending": lambda album, out: zipped(album, out / "download"),
    "tar": lambda album, out: tarred(album, out / "a.tar"),
    "tar.gz": lambda album, out: tarred(album, out / "a.tar.gz", "w:gz"),
    "tar.xz": lambda album, out: tarred(album, out / "a.tar.xz", "w:xz"),
    "no endings": lambda album, out: in_files_of(album, out / "a", "PNG", ""),
    "wrong endings": lambda album, out: in_files_of(album, out / "a", "PNG", ".JPG"),
    "webp": lambda album, out: in_files_of(album, out / "a", "WEBP", ".webp"),
    "webp, unknown ending": lambda album, out: in_files_of(album, out / "a", "WEBP", ".img_large"),
    "tiff": lambda album, out: in_files_of(album, out / "a", "TIFF", ".tif"),
    "bmp": lambda album, out: in_files_of(album, out / "a", "BMP", ".bmp"),
    "ppm": lambda album, out: in_files_of(album, out / "a", "PPM", ".ppm"),
    "ppm without endings": lambda album, out: in_files_of(album, out / "a", "PPM", ""),
    "tga": lambda album, out: in_files_of(album, out / "a", "TGA", ".tga"),
    "pcx": lambda album, out: in_files_of(album, out / "a", "PCX", ".pcx"),
    "sgi": lambda album, out: in_files_of(album, out / "a", "SGI", ".sgi"),
    "qoi": lambda album, out: in_files_of(album, out / "a", "QOI", ".qoi"),
    "qoi without endings": lambda album, out: in_files_of(album, out / "a", "QOI", ""),
    "dds": lambda album, out: in_files_of(album, out / "a", "DDS", ".dds"),
    "ico": lambda album, out: in_files_of(album, out / "a", "ICO", ".ico"),
    "jpeg 2000": lambda album, out: in_files_of(album, out / "a", "JPEG2000", ".jp2"),
    "link to it": lambda album, out: (out / "link", (out / "link").symlink_to(album))[0],
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_same_content_is_the_same_in_every_container(album: Path, tmp_path: Path, container: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    expected, found = load(album), load(CONTAINERS[container](album, out))
    assert found.info.content == expected.info.content
    assert found.info.classes == expected.info.classes == ("class 0", "class 1", "class 2")
    np.testing.assert_array_equal(found.pixels, expected.pixels)


@pytest.mark.parametrize("order", ["NHWC", "NCHW"])
@pytest.mark.parametrize("values", ["uint8", "int64", "float 0 to 1", "float -1 to 1", "float 0 to 255", "uint16"])
def test_an_array_holds_the_same_pixels_in_any_type_and_order(tmp_path: Path, values: str, order: str) -> None:
    pixels = PIXELS.transpose(0, 3, 1, 2) if order == "NCHW" else PIXELS
    array = {
        "uint8": pixels,
        "int64": pixels.astype(np.int64),
        "float 0 to 1": (pixels / 255).astype(np.float32),
        "float -1 to 1": pixels / 127.5 - 1,
        "float 0 to 255": pixels.astype(np.float16),
        "uint16": pixels.astype(np.uint16) * 257,
    }[values]
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", images=array, labels=np.array(LABELS), other=np.zeros(3))
    plain, labeled = load(tmp_path / "a.npy"), load(tmp_path / "a.npz")
    np.testing.assert_array_equal(plain.pixels, PIXELS.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(labeled.pixels, plain.pixels)
    assert plain.labels is None
    assert labeled.info.classes == ("0", "1", "2") and labeled.labels is not None
    assert labeled.labels.tolist() == LABELS
    assert Examination.of(tmp_path / "a.npz").formats == {"array": 12}


def test_arrays_of_gray_of_one_image_and_of_switches(tmp_path: Path) -> None:
    gray = PIXELS[..., 0]
    for name, array, expected in (
        ("gray", gray, gray[:, None]),
        ("one", PIXELS[0], PIXELS[:1].transpose(0, 3, 1, 2)),
        ("switches", gray > 127, np.where(gray > 127, 255, 0)[:, None]),
        ("one-hot", gray, gray[:, None]),
    ):
        np.savez(tmp_path / f"{name}.npz", x=array, y=np.eye(3)[LABELS])
        np.testing.assert_array_equal(load(tmp_path / f"{name}.npz").pixels, expected)
    assert load(tmp_path / "gray.npz").info.classes == ("0", "1", "2")


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((3, 4)), "holds an array of shape (3, 4), not images"),
        (np.zeros((2, 3, 4, 5, 6)), "not images: (N, H, W)"),
        (np.linspace(-80, 0, 75).reshape(3, 5, 5), "levels from -80 to 0, which do not say what is black and white"),
        (np.array([["a"]]), "<U1 values, which are no levels"),
        (np.array([{}]), "holds Python objects, which are never read"),
    ],
)
def test_an_array_of_anything_else_is_refused_in_one_line(tmp_path: Path, array: Any, says: str) -> None:
    np.save(tmp_path / "a.npy", array)
    complaint(lambda: load(tmp_path / "a.npy"), tmp_path / "a.npy", says)


def test_levels_of_an_array_are_stretched_as_asked(tmp_path: Path) -> None:
    decibels = np.linspace(-80, 0, 75).reshape(3, 5, 5)
    np.save(tmp_path / "a.npy", decibels)
    used, given = load(tmp_path / "a.npy", levels="used"), load(tmp_path / "a.npy", levels="-160:0")
    assert (used.pixels.min(), used.pixels.max()) == (0, 255)
    assert (given.pixels.min(), given.pixels.max()) == (128, 255)


def test_values_that_are_no_numbers_make_one_broken_item(tmp_path: Path) -> None:
    array = PIXELS / 255
    array[3, 0, 0, 0] = np.nan
    np.save(tmp_path / "a.npy", array)
    info = load(tmp_path / "a.npy").info
    assert (info.images, info.broken) == (11, (("03", "has NaN or infinite values"),))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.zip", b"PK\3\4 and nothing more", "is no archive that can be read: copy or pack it again"),
        ("a.tar.gz", b"\x1f\x8b not gzip", "is no archive that can be read"),
        ("a.npz", b"PK\3\4 and nothing more", "is no array that can be read"),
        ("a.npy", b"\x93NUMPY", "is no array that can be read"),
        ("b.npy", b"hello", "is no array that can be read (it is not in NumPy's format): save it again, as numbers"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "is an HDF5 file, which is not read: save its images as files"),
        ("a.rar", b"Rar!", "is a RAR archive, which is not read"),
        ("a.csv", b"x,y\n1,2\n", "is a table, not images: as numbers it is table(path=...)"),
        ("a.txt", b"hello", "is a file: name a folder of images, a zip or tar archive"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "is one image: name the folder that it lies in"),
    ],
)
def test_files_that_hold_no_images_say_what_they_are(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    complaint(lambda: load(tmp_path / name), tmp_path / name, says)


def test_a_folder_of_archives_says_which_to_name(album: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    zipped(album, home / "album.zip")
    complaint(
        lambda: load(home), "holds no image itself, but album.zip: name one of these, such as", home / "album.zip"
    )
    shutil.rmtree(home)
    home.mkdir()
    for index in range(5):
        np.save(home / f"{index}.npy", PIXELS[index])
    complaint(lambda: load(home), "but 5 arrays (0.npy, 1.npy, 2.npy and 2 more): stack them into one array")


def test_members_of_an_archive_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    png = io.BytesIO()
    Image.fromarray(PIXELS[0]).save(png, "PNG")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("good.png", png.getvalue())
        archive.writestr("__MACOSX/._good.png", b"fork")
        archive.writestr("dir\\windows.png", png.getvalue())
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "good.png")
        archive.writestr("cut.png", png.getvalue()[:80])
        archive.writestr("图片.png", png.getvalue())
    info = load(tmp_path / "a.zip").info
    assert info.images == 3
    assert dict(info.broken) == {"cut.png": "is cut short", "link.png": "is a link inside an archive"}


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_members_that_lie_above_an_archive_are_read_like_any_other(album: Path, tmp_path: Path, kind: str) -> None:
    files = [(file, f"../{file.relative_to(album)}") for file in sorted(album.rglob("*.png"))]
    again = (files[0][0], files[0][1].removeprefix("../"))
    with tarfile.open(tmp_path / "a.tar", "w") as tar, zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        for file, name in files:
            tar.add(file, name)
            packed.write(file, name)
    expected = load(album)
    found = load(tmp_path / f"a.{kind}")
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    assert found.info.classes == expected.info.classes and not found.info.broken
    with tarfile.open(tmp_path / "a.tar", "a") as tar, zipfile.ZipFile(tmp_path / "a.zip", "a") as packed:
        tar.add(*again)
        packed.write(*again)
    assert load(tmp_path / f"a.{kind}").info.broken == ((again[1], "has the path of another file, but for `..`"),)


@pytest.mark.parametrize("system", [0, 3], ids=["windows", "unix"])
@pytest.mark.parametrize(("name", "encoding"), [("图片/猫.png", "gbk"), ("図/ねこ.png", "utf-8"), ("Ä/é.png", "cp437")])
def test_names_in_an_archive_are_legible_where_they_can_be(name: str, encoding: str, system: int) -> None:
    from sparring.datasets.files.archives import _zip_name  # pyright: ignore[reportPrivateUsage]

    member = zipfile.ZipInfo(name.encode(encoding).decode("cp437"))
    member.flag_bits, member.create_system = 0, system
    if encoding == "gbk" and system == 3:
        return  # these bytes are UTF-8 too
    assert _zip_name(member) == name


# What else may be in a folder


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_links_in_a_circle_pipes_and_sockets_are_one_broken_entry_each(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(album / "pipe.png")
    (album / "a.png").symlink_to(album / "b.png")
    (album / "b.png").symlink_to(album / "a.png")
    (album / "nothing").symlink_to(album / "gone")
    (album / "class 0" / "up").symlink_to(album)
    (album / "class 1" / "again").symlink_to(album / "class 0")
    monkeypatch.chdir(album)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")  # its path must be short
        info = load(album).info
    assert info.images == 12
    assert dict(info.broken) == {
        "pipe.png": "is a pipe",
        "a.png": "is a link in a circle",
        "b.png": "is a link in a circle",
        "nothing": "is a link to nothing",
        "socket": "is a socket",
        "class 0/up": "is a link to a folder that is read already",
        "class 1/again": "is a link to a folder that is read already",
    }


def test_a_locked_folder_or_file_is_one_broken_entry(album: Path) -> None:
    (album / "class 0").chmod(0)
    (album / "class 1" / "01.png").chmod(0)
    try:
        if os.access(album / "class 0", os.R_OK):
            pytest.skip("this user may read everything")
        info = load(album).info
        assert dict(info.broken) == {"class 0": "Permission denied", "class 1/01.png": "Permission denied"}
    finally:
        (album / "class 0").chmod(0o700)


def test_hidden_names_and_clutter_are_passed_over_in_silence(album: Path) -> None:
    for name in (".hidden.png", "__MACOSX/a.png", "@eaDir/a.png", ".git/a.png"):
        (album / name).parent.mkdir(exist_ok=True)
        shutil.copy(album / "class 0" / "00.png", album / name)
    info = load(album).info
    assert (info.images, info.broken, info.stray) == (12, (), ())
    assert len(info.classes) == 3


@pytest.mark.parametrize(
    "name", ["x" * 251 + ".png", "新" * 80, "new\nline.png", "-dash", "[a] 100% {x} $(y) 'z' \"\"", " "]
)
def test_any_name_is_read_and_shown_on_one_line(album: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(album / "class 0" / "00.png", album / name)
    (album / f"bad {name[:50]}.png").write_text("no image")
    assert sparring("doctor", album) == 0
    assert sparring("doctor", album, "--json") == 0
    info = load(album).info
    assert info.images == 13
    from sparring.datasets.files.summary import summary_lines

    for line in summary_lines(info, (3, 8, 8), ImageSettings()):
        assert "\n" not in line and len(line) < 400


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "~nobody/here", "loop"])
def test_a_path_that_nothing_can_have_is_refused_in_one_line(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    assert sparring("doctor", f"./{path}" if path[0] != "~" else path) == 1
    said = capsys.readouterr().err
    assert said.startswith("sparring: ") and said.count("\n") == 1 and "bug" not in said


@pytest.mark.parametrize("labels", [np.arange(5), np.array(3)])
def test_labels_that_are_not_those_of_the_images_are_told_of(
    labels: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "a.npz", images=RNG.integers(0, 256, (20, 8, 8), dtype=np.uint8), labels=labels)
    assert sparring("doctor", tmp_path / "a.npz") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"labels, {labels.shape}, has no label for each of 20 images" in said
