"""What decoded images take, of memory and of the disk: said before they are decoded, and limited."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparring.analysis.doctor import Examination
from sparring.datasets.files import cache, loading, memory
from sparring.datasets.files.loading import FolderImages, load_folder
from sparring.datasets.files.settings import ImageSettings
from sparring.errors import UsageError
from tests.stories.image_files import RGB, RNG, complaint, saved, sparring

GB = 10**9


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "mine")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setattr(cache, "cache_folder", lambda: folder)
    return folder


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are decoded from here on."""
    from sparring.datasets.files import survey

    names, plain = list[str](), survey.read_frames
    monkeypatch.setattr(survey, "read_frames", lambda f, name, *rest: names.append(name) or plain(f, name, *rest))
    return names


def folder_of(folder: Path, count: int = 10) -> Path:
    folder.mkdir()
    for index in range(count):
        saved(RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8))(folder / f"{index}.png")
    return folder


def load(path: Path, **settings: Any) -> FolderImages:
    return load_folder(path, ImageSettings(**settings))


def free(monkeypatch: pytest.MonkeyPatch, in_memory: float, on_disk: float) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: int(in_memory))
    monkeypatch.setattr(memory, "available_disk", lambda folder: int(on_disk))


def test_images_that_fit_nowhere_are_refused_before_any_is_decoded(
    home: Path, monkeypatch: pytest.MonkeyPatch, decoded: list[str]
) -> None:
    """Ten images at 4096x4096 take half a gigabyte."""
    free(monkeypatch, 0.3 * GB, 0.4 * GB)
    complaint(
        lambda: load(home, size=4096),
        f"{home} does not fit: 10 images at 4096x4096 need 503 MB decoded, 300 MB of memory is free; --size 2048 needs "
        "126 MB; the disk of ",
        "has 132 MB free, and SPARRING_CACHE_LIMIT allows 20 GB",
    )
    assert decoded == []
    assert load(home, size=8).pixels.shape == (10, 3, 8, 8)


def test_images_that_memory_cannot_hold_are_read_from_the_disk_and_that_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    free(monkeypatch, 2_000, GB)
    loaded = load(home)
    assert isinstance(loaded.pixels, np.memmap)
    said = capsys.readouterr().err
    assert "10 images at 16x16 need 8 kB decoded, 2 kB of memory is free" in said
    assert "they are read from the cache on disk while training, which is slower" in said


def test_the_doctor_says_what_images_need(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 6 * GB, 100 * GB)
    line = loading.memory_line(Examination.of(home, ImageSettings(size=16_384)).readable)
    assert line == ("10 images at 16384x16384 need 8.1 GB decoded, 6 GB of memory are free; --size 8192 needs 2 GB")
    summary = Examination.of(home).summary()
    assert (summary["training"]["bytes"], summary["training"]["bytes_free"]) == (7_680, 6 * GB)


def test_loaded_images_are_mapped_and_no_copy(home: Path) -> None:
    first = load(home)
    again = load(home)
    assert isinstance(again.pixels, np.memmap)
    np.testing.assert_array_equal(first.pixels, again.pixels)
    again.pixels[0] = 0  # torch wants memory that may be written; the file stays as it is
    np.testing.assert_array_equal(load(home).pixels, first.pixels)
    import torch

    assert torch.from_numpy(again.pixels).data_ptr() == again.pixels.ctypes.data


def test_broken_and_gray_images_are_moved_together_in_the_file(home: Path) -> None:
    content = (home / "3.png").read_bytes()
    for name in ("0.png", "3.png", "9.png"):
        (home / name).write_bytes(content[:-40])
    loaded = load(home)
    assert (loaded.info.images, len(loaded.info.broken)) == (7, 3)
    np.testing.assert_array_equal(load(home).pixels, loaded.pixels)
    gray = folder_of(home / "gray", 0)
    for index in range(4):
        saved(np.full((16, 16, 3), 40 * index, np.uint8))(gray / f"{index}.png")
    assert load(gray).pixels.shape == (4, 1, 16, 16)
    assert load(gray).pixels[:, 0, 0, 0].tolist() == [0, 40, 80, 120]


def test_the_cache_says_what_it_takes_and_drops_what_was_used_longest_ago(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    homes = [folder_of(tmp_path / name) for name in "abc"]
    monkeypatch.setenv(cache.LIMIT, "20 kB")
    for age, home in enumerate(homes[:2]):
        load(home)
        for file in empty_cache.glob("*.json"):
            if file.stat().st_mtime > 1_000:
                os.utime(file, (age, age))
                os.utime(file.with_suffix(".pixels"), (age, age))
    said = capsys.readouterr().err
    assert f"{homes[0]}: decoded images are cached, 8 kB; " in said
    assert f"of at most 20 kB in {empty_cache} (SPARRING_CACHE_LIMIT sets the limit)" in said
    load(homes[0])  # used again: the second is the oldest now
    load(homes[2])
    assert len(list(empty_cache.glob("*.pixels"))) == 2
    assert cache.cached_bytes() <= 20_000
    capsys.readouterr()
    load(homes[0])
    assert "decoded images are cached" not in capsys.readouterr().err
    load(homes[1])
    assert "decoded images are cached" in capsys.readouterr().err


@pytest.mark.parametrize("limit", ["0", "5kB"])
def test_what_is_over_the_limit_stays_in_memory(
    home: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setenv(cache.LIMIT, limit)
    assert not isinstance(load(home).pixels, np.memmap)
    assert not list(empty_cache.glob("*.pixels"))
    free(monkeypatch, 2_000, GB)
    complaint(
        lambda: load(home), "does not fit", f"SPARRING_CACHE_LIMIT allows {'0 bytes' if limit == '0' else '5 kB'}"
    )


@pytest.mark.parametrize(
    ("text", "count"), [("20GB", 20 * GB), ("1.5 tb", 1.5e12), ("300m", 3e8), ("5", 5), ("2gb", 2 * GB)]
)
def test_limits_are_sizes(text: str, count: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.LIMIT, text)
    assert cache.cache_limit() == count


def test_a_limit_that_is_no_size_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(cache.LIMIT, "plenty")
    with pytest.raises(UsageError):
        load(home)
    assert sparring("doctor", home) == 2
    assert "SPARRING_CACHE_LIMIT must be a size such as 20GB or 500MB, not 'plenty'" in capsys.readouterr().err


def test_a_full_disk_is_said_and_done_without(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], empty_cache: Path
) -> None:
    plain = cache.PixelStore.put

    def full(self: cache.PixelStore, row: int, pixels: np.ndarray) -> None:
        if self._file is not None:  # pyright: ignore[reportPrivateUsage]
            raise OSError(28, "No space left on device")
        plain(self, row, pixels)

    monkeypatch.setattr(cache.PixelStore, "put", full)
    assert load(home).pixels.shape == (10, 3, 16, 16)
    assert "could not be cached and will be decoded again next time: [Errno 28]" in capsys.readouterr().err
    assert not list(empty_cache.glob("*.p*"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no resource limits")
def test_memory_that_is_free_heeds_the_process_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    everything = memory.available_memory()
    assert everything > 0
    used = 10**8
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (used + 12_345, used + 12_345))
    monkeypatch.setattr("psutil.Process.memory_info", lambda self: type("Info", (), {"vms": used})())
    assert memory.available_memory() == 12_345


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1 kB"), (2.04e9, "2 GB"), (9.96e9, "10 GB"), (1.5e12, "1,500 GB")],
)
def test_sizes_in_words(count: float, words: str) -> None:
    assert memory.as_size(count) == words


def test_a_single_image_is_counted_as_one(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    saved(RGB)(tmp_path / "one" / "a.png")
    assert loading.memory_line(Examination.of(tmp_path / "one").readable).startswith("1 image at 5x6 needs 90 bytes")


def test_samples_are_compared_with_as_many_images_as_fit(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sparring.analysis import samples
    from sparring.datasets.folder import Folder

    everything = samples.real_data(Folder(str(home)), 100)
    assert everything.training is not None and len(everything.training) == 10
    monkeypatch.setattr(samples, "MIN_EXAMPLES", 2)
    monkeypatch.setattr(samples, "available_memory", lambda: 7 * 2 * 2 * 4 * 768)
    some = samples.real_data(Folder(str(home)), 100)
    assert some.training is not None and some.training_without_held_out is not None and len(some.training) == 7
    assert "copies are searched for among 7 of 10 training images: more do not fit" in capsys.readouterr().err
    np.testing.assert_array_equal(some.held_out, everything.held_out)
    for image in some.held_out:
        assert not (some.training_without_held_out == image).all((1, 2, 3)).any()
