"""MNIST files that are downloaded, from mirrors that fail in every way."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pooch
import pytest

from sparring.datasets._idx import images
from tests.stories.idx_files import (
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


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    mirror = Mirror()
    yield mirror
    mirror.server.shutdown()
    mirror.server.server_close()


def closed_port() -> str:
    with socket.socket() as evaluator:
        evaluator.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{evaluator.getsockname()[1]}/"


def test_a_download_happens_once_and_is_kept_uncompressed(mirror: Mirror, nowhere: Path) -> None:
    archive = tiny(mirror.serving(GOOD_IMAGES))
    assert np.array_equal(images(archive, "train", None)[:, 0], PIXELS)
    assert [p.relative_to(nowhere).as_posix() for p in nowhere.rglob("*") if p.is_file()] == [f"mnist/{IMAGES}"]
    assert (nowhere / "mnist" / IMAGES).read_bytes() == GOOD_IMAGES
    assert np.array_equal(images(archive, "train", None)[:, 0], PIXELS)
    assert len(mirror.asked) == 1


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param(gzip.compress(idx(PIXELS[:2])), id="another-file"),
        pytest.param(gzip.compress(GOOD_IMAGES)[:-99], id="cut-short"),
        pytest.param(b"\x1f\x8b" + NOISE, id="damaged"),
        pytest.param(b"<html>please log in</html>", id="a-login-page"),
    ],
)
def test_the_second_mirror_serves_where_the_first_is_spoilt(mirror: Mirror, nowhere: Path, spoilt: bytes) -> None:
    archive = tiny(mirror.serving(spoilt), mirror.serving(GOOD_IMAGES))
    assert np.array_equal(images(archive, "train", None)[:, 0], PIXELS)
    assert len(mirror.asked) == 2


def test_the_next_mirror_serves_where_others_are_silent(mirror: Mirror) -> None:
    missing = f"http://127.0.0.1:{mirror.server.server_port}/missing/"
    archive = tiny(closed_port(), missing, mirror.serving(GOOD_IMAGES))
    assert np.array_equal(images(archive, "train", None)[:, 0], PIXELS)


def test_a_server_that_has_the_file_unpacked_on_the_way_is_no_harm(mirror: Mirror) -> None:
    archive = tiny(mirror.serving(GOOD_IMAGES, Content_Encoding="gzip"))
    assert np.array_equal(images(archive, "train", None)[:, 0], PIXELS)


def test_nothing_reachable(nowhere: Path) -> None:
    message = complaint(lambda: images(tiny(closed_port(), closed_port()), "train", None))
    assert message == (
        "cannot download mnist (no network?): "
        "give --data-dir DIR or set SPARRING_DATA to a folder with train-images-idx3-ubyte[.gz]"
    )
    assert not [p for p in nowhere.rglob("*") if p.is_file()]


def test_only_spoilt_mirrors(mirror: Mirror, nowhere: Path) -> None:
    archive = tiny(closed_port(), mirror.serving(b"<html>please log in</html>"))
    complaint(
        lambda: images(archive, "train", None),
        "cannot download mnist (a mirror sent a file with another checksum): give",
    )
    assert not [p for p in nowhere.rglob("*") if p.is_file()]


def test_an_interrupted_download_leaves_nothing_behind(
    mirror: Mirror, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tiny(mirror.serving(GOOD_IMAGES))

    def interrupted(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupted)  # the last moment before the file is there
        with pytest.raises(KeyboardInterrupt):
            images(archive, "train", None)
    assert list((nowhere / "mnist").iterdir()) == []
    assert len(images(archive, "train", None)) == 5


def test_a_damaged_cache_file_is_downloaded_again(mirror: Mirror, nowhere: Path) -> None:
    archive = tiny(mirror.serving(GOOD_IMAGES))
    (nowhere / "mnist").mkdir(parents=True)
    (nowhere / "mnist" / IMAGES).write_bytes(GOOD_IMAGES[:-1])
    assert np.array_equal(images(archive, "train", None)[:, 0], PIXELS)
    assert (nowhere / "mnist" / IMAGES).read_bytes() == GOOD_IMAGES


def test_a_cache_that_cannot_be_written(mirror: Mirror, nowhere: Path) -> None:
    nowhere.parent.mkdir()
    nowhere.touch()
    archive = tiny(mirror.serving(GOOD_IMAGES))
    complaint(
        lambda: images(archive, "train", None), f"cannot save mnist in {nowhere / 'mnist'} (", "give --data-dir DIR or"
    )
    assert mirror.asked == []
