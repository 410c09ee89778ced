"""MNIST files that are damaged, missing or of another kind, and folders that do not have them."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pooch
import pytest

from sparring.datasets._idx import FASHION_MNIST, MNIST, Archive, images, labels, read_idx
from sparring.errors import UsageError
from tests.stories.idx_files import (
    CLASSES,
    GOOD_IMAGES,
    GOOD_LABELS,
    IMAGES,
    LABELS,
    NOISE,
    PIXELS,
    Mirror,
    complaint,
    idx,
    tiny,
)

# The published originals, where this machine has them.
SHARED = Path(os.environ.get("SPARRING_DATA") or Path(__file__).parents[2].parent / "shared" / "data")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No folder named by the environment, no proxy in the way, and an empty cache of our own, which is returned."""

    def os_cache(project: str) -> Path:
        return tmp_path / "cache" / project

    monkeypatch.delenv("SPARRING_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(pooch, "os_cache", os_cache)
    return os_cache("sparring")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a good pair of training files."""
    home = tmp_path / "data"
    home.mkdir()
    (home / IMAGES).write_bytes(GOOD_IMAGES)
    (home / LABELS).write_bytes(GOOD_LABELS)
    return home


# Good files, however they are kept


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("mark", ["-idx", ".idx"])
def test_both_spellings_plain_and_gzipped_give_the_same(tmp_path: Path, mark: str, end: str) -> None:
    for name, content in {IMAGES: GOOD_IMAGES, LABELS: GOOD_LABELS}.items():
        spelt = name.replace("-idx", mark) + end
        (tmp_path / spelt).write_bytes(gzip.compress(content) if end else content)
    found = images(MNIST, "train", tmp_path)
    assert found.shape == (5, 1, 28, 28)
    assert found.dtype == np.uint8
    assert found.flags.writeable, "torch warns of memory that it may not write"
    assert np.array_equal(found[:, 0], PIXELS)
    assert np.array_equal(labels(MNIST, "train", tmp_path), CLASSES)


def test_content_tells_gzip_from_plain_whatever_the_name_says(tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain.gz", tmp_path / "packed"
    plain.write_bytes(GOOD_IMAGES)
    packed.write_bytes(gzip.compress(GOOD_IMAGES))
    assert np.array_equal(read_idx(plain, 3), PIXELS)
    assert np.array_equal(read_idx(packed, 3), PIXELS)


def test_each_split_has_its_own_file(folder: Path) -> None:
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(PIXELS[:2]))
    assert len(images(MNIST, "train", folder)) == 5
    assert len(images(MNIST, "test", folder)) == 2
    with pytest.raises(UsageError, match="mnist has no split 'validation'; there are: train, test"):
        images(MNIST, "validation", folder)


def test_a_subfolder_named_after_the_data_set_is_preferred(folder: Path) -> None:
    inside = folder / "mnist"
    inside.mkdir()
    (inside / "unrelated.txt").touch()
    assert len(images(MNIST, "train", folder)) == 5
    (inside / IMAGES).write_bytes(idx(PIXELS[:3]))
    assert len(images(MNIST, "train", folder)) == 3
    assert len(images(FASHION_MNIST, "train", folder)) == 5
    # One folder serves all files: these labels, in the folder above, would belong to other images.
    complaint(lambda: labels(MNIST, "train", folder), inside, LABELS)


def test_a_folder_that_is_called_like_the_file_is_passed_over(folder: Path) -> None:
    (folder / IMAGES).rename(folder / "train-images.idx3-ubyte")
    (folder / IMAGES).mkdir()
    assert len(images(MNIST, "train", folder)) == 5


def test_sparring_data_names_the_folder_unless_an_argument_does(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARRING_DATA", str(folder))
    assert len(images(MNIST, "train", None)) == 5
    other = tmp_path / "other"
    other.mkdir()
    (other / IMAGES).write_bytes(idx(PIXELS[:1]))
    assert len(images(MNIST, "train", other)) == 1
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SPARRING_DATA", "~/data")
    assert len(images(MNIST, "train", None)) == 5


# Bad files


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "is empty: copy or download it again", id="empty"),
        pytest.param(gzip.compress(b""), "is empty: copy or download it again", id="empty-gzip"),
        pytest.param(gzip.compress(GOOD_IMAGES)[:-99], "is a gzip file cut short: copy or", id="cut-gzip"),
        pytest.param(b"\x1f\x8b", "is a gzip file cut short: copy or", id="cut-gzip-header"),
        pytest.param(b"\x1f\x8b" + NOISE, "is a damaged gzip file: copy or", id="gzip-magic-then-noise"),
        pytest.param(
            gzip.compress(NOISE)[:500] + bytes(20) + gzip.compress(NOISE)[520:],
            "is a damaged gzip file: copy or",
            id="gzip-with-a-hole",
        ),
        pytest.param(gzip.compress(NOISE), "is no IDX file (it starts with b'", id="gzip-of-noise"),
        pytest.param(gzip.compress(gzip.compress(GOOD_IMAGES)), "a gzip file compressed twice", id="gzip-twice"),
        pytest.param(GOOD_IMAGES[:9], "is cut short inside its header: copy or", id="cut-header"),
        pytest.param(
            idx(np.zeros((60_000, 1, 1), np.uint8))[: 16 + 123],
            "is cut short, it declares 60000 images and holds 123: copy or",
            id="cut-plain",
        ),
        pytest.param(
            gzip.compress(GOOD_IMAGES[: 16 + 2 * 784 + 5]),
            "is cut short, it declares 5 images and holds 2: copy or",
            id="gzip-of-a-cut-file",
        ),
        pytest.param(
            struct.pack(">2xBB3I", 8, 3, *[2**32 - 1] * 3), "declares 4294967295 images and holds 0", id="absurd-sizes"
        ),
        pytest.param(GOOD_IMAGES + b"more", "goes on for 4 bytes after its 5 images: copy or", id="too-long"),
        pytest.param(idx(PIXELS[:0]), "holds no images: copy or", id="none"),
        pytest.param(GOOD_LABELS, "is a label file, images expected: put an IDX file of images", id="labels"),
        pytest.param(
            b"\0\0\x0d\x02" + bytes(16), "is an IDX file of float32 in 2 dimensions, images expected", id="floats"
        ),
        pytest.param(b"\x89PNG\r\n\x1a\n" + NOISE, "looks like a PNG picture, images expected: put an IDX", id="png"),
        pytest.param(b"\n<!DOCTYPE html>\n<html>404", "looks like a web page, images expected: put an", id="html"),
        pytest.param(b"PK\x03\x04" + NOISE, "looks like a zip archive, images expected: put an", id="zip"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer (git lfs pull", id="lfs"),
        pytest.param(b"label,1x1\n5,0\n", "is no IDX file (it starts with b'label,1x'), images expected", id="csv"),
        pytest.param(b"\0\0", "is no IDX file (it starts with b'\\x00\\x00'), images expected", id="two-bytes"),
    ],
)
def test_a_bad_image_file_is_named_with_its_fault_and_a_remedy(folder: Path, content: bytes, says: str) -> None:
    (folder / IMAGES).write_bytes(content)
    complaint(lambda: read_idx(folder / IMAGES, 3), folder / IMAGES, says)
    complaint(lambda: images(MNIST, "train", folder), folder / IMAGES, says)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(GOOD_IMAGES, "is an image file, labels expected: put an IDX file of labels", id="images"),
        pytest.param(GOOD_LABELS[:-2], "is cut short, it declares 5 labels and holds 3: copy or", id="cut"),
        pytest.param(idx(CLASSES + 17), "has label 26, 0 to 9 expected: point --data-dir", id="other-classes"),
    ],
)
def test_a_bad_label_file_is_named_with_its_fault_and_a_remedy(folder: Path, content: bytes, says: str) -> None:
    (folder / LABELS).write_bytes(content)
    complaint(lambda: labels(MNIST, "train", folder), folder / LABELS, says)


def test_images_of_another_size(folder: Path) -> None:
    (folder / IMAGES).write_bytes(idx(np.zeros((2, 32, 30), np.uint8)))
    assert read_idx(folder / IMAGES, 3).shape == (2, 32, 30)
    complaint(
        lambda: images(MNIST, "train", folder),
        folder / IMAGES,
        "has images of 32x30 pixels, 28x28 expected: point --data-dir",
    )


# Bad folders


def unreadable(path: Path) -> None:
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")


def test_an_unreadable_file(folder: Path) -> None:
    unreadable(folder / IMAGES)
    complaint(lambda: images(MNIST, "train", folder), f"cannot read {folder / IMAGES} (Permission denied)", "you may")


def test_a_link_to_nothing(folder: Path) -> None:
    (folder / IMAGES).unlink()
    (folder / IMAGES).symlink_to(folder / "gone")
    complaint(lambda: images(MNIST, "train", folder), f"cannot read {folder / IMAGES} (No such file", "make it a file")


def test_an_unreadable_folder(folder: Path) -> None:
    unreadable(folder)
    try:
        complaint(lambda: images(MNIST, "train", folder), f"cannot open {folder} (Permission denied)", "--data-dir")
    finally:
        folder.chmod(0o700)


def no_folder(path: Path) -> str:
    return f"there is no folder {path}: point --data-dir or SPARRING_DATA at the folder"


def a_file(path: Path) -> str:
    path.touch()
    return f"{path} is a file: point --data-dir or SPARRING_DATA at the folder"


def empty_folder(path: Path) -> str:
    path.mkdir()
    return f"{path} holds no {IMAGES}[.gz]: put it there, or point --data-dir or SPARRING_DATA at"


@pytest.mark.parametrize("fault", [no_folder, a_file, empty_folder])
@pytest.mark.parametrize("named_by", ["argument", "environment"])
def test_a_wrong_folder_is_named_and_never_passed_over_for_a_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: Mirror, fault: Callable[[Path], str], named_by: str
) -> None:
    wrong = tmp_path / "wrong"
    says = fault(wrong)
    monkeypatch.setenv("SPARRING_DATA", str(wrong))
    archive = tiny(mirror.serving(GOOD_IMAGES))
    complaint(lambda: images(archive, "train", wrong if named_by == "argument" else None), says)
    assert mirror.asked == []


def test_a_data_set_under_another_ones_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sparring.datasets import _idx

    monkeypatch.setitem(_idx._OWNER, hashlib.sha256(GOOD_IMAGES).hexdigest(), "fashion-mnist")  # pyright: ignore[reportPrivateUsage]
    assert len(images(FASHION_MNIST, "train", folder)) == 5
    complaint(
        lambda: images(MNIST, "train", folder),
        f"{folder} holds fashion-mnist, not mnist: point --data-dir or SPARRING_DATA at mnist's files, or ask for",
    )


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    mirror = Mirror()
    yield mirror
    mirror.server.shutdown()
    mirror.server.server_close()


# Size and speed


def test_sixty_thousand_images_are_read_in_half_a_second(tmp_path: Path) -> None:
    (tmp_path / IMAGES).write_bytes(idx(np.zeros((60_000, 28, 28), np.uint8)))
    assert min(seconds(lambda: images(MNIST, "train", tmp_path)) for _ in range(3)) < 0.5


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def test_reading_loads_no_torch() -> None:
    code = "import sys, sparring.datasets._idx; sys.exit(bool({'torch', 'pooch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("archive", [MNIST, FASHION_MNIST], ids=["mnist", "fashion-mnist"])
class TestOriginals:
    """The published files themselves."""

    @pytest.fixture(autouse=True)
    def present(self, archive: Archive) -> None:
        if not (SHARED / archive.name).is_dir():
            pytest.skip(f"no {archive.name} in SPARRING_DATA")

    def test_they_are_what_their_checksums_say(self, archive: Archive) -> None:
        for name, checksum in archive.files.items():
            files = [SHARED / archive.name / (name + end) for end in ("", ".gz")]
            content = next(f for f in files if f.is_file()).read_bytes()
            plain = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
            assert hashlib.sha256(plain).hexdigest() == checksum

    def test_they_read_whole(self, archive: Archive) -> None:
        for split, count in {"train": 60_000, "test": 10_000}.items():
            assert images(archive, split, SHARED).shape == (count, 1, 28, 28)
            assert np.array_equal(np.unique(labels(archive, split, SHARED)), np.arange(10))

    def test_one_is_not_taken_for_the_other(self, archive: Archive) -> None:
        other = FASHION_MNIST if archive is MNIST else MNIST
        for read in (images, labels):
            complaint(
                lambda read=read: read(other, "test", SHARED / archive.name),
                f"{SHARED / archive.name} holds {archive.name}, not {other.name}: point --data-dir",
            )
