"""Decoded images in the user's cache: one uncompressed file for each folder and settings, mapped into memory.

Beside the pixels lies a JSON file that says what they are. It is written last, so that a process killed at any instant
leaves images that count or none. The whole has a limit, above which what was used longest ago is deleted.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

import numpy as np

from sparring.datasets.files.memory import as_size
from sparring.errors import UsageError

LIMIT = "SPARRING_CACHE_LIMIT"
"""The environment variable that says how much all decoded images may take: 20GB."""
DEFAULT_LIMIT = "20GB"
UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
PIXELS, ABOUT = ".pixels", ".json"
"""Endings of the two files."""
BLOCK = 2**24
"""Bytes moved at a time."""


def cache_folder() -> Path:
    """Where decoded images are kept."""
    import pooch

    return Path(pooch.os_cache("sparring")) / "folders"


def cache_limit() -> int:
    """Bytes that all decoded images may take. Raises UsageError for a limit that is no size."""
    given = os.environ.get(LIMIT, "").strip() or DEFAULT_LIMIT
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?B?)", given.upper())
    unit = None if found is None else found[2] if found[2] in UNITS else f"{found[2]}B"
    if found is None or unit not in UNITS:
        raise UsageError(f"{LIMIT} must be a size such as 20GB or 500MB, not {given!r}")
    return int(float(found[1]) * UNITS[unit])


def cached_bytes() -> int:
    """What all decoded images take now."""
    return sum(size for size, _, _ in _kept(cache_folder()).values())


def in_words() -> str:
    """What the cache takes, where, and how its limit is changed."""
    taken, limit = as_size(cached_bytes()), as_size(cache_limit())
    return f"{taken} of at most {limit} in {cache_folder()} ({LIMIT} sets the limit)"


def make_room(needed: int, keep: Path) -> int:
    """Delete what was used longest ago until so many bytes more fit. Returns how many bytes were freed.

    Args:
        needed: Bytes that are about to be written.
        keep: The place of what is written, which is not deleted.
    """
    kept, limit, freed = _kept(cache_folder()), cache_limit(), 0
    kept.pop(keep.name, None)
    total = sum(size for size, _, _ in kept.values())
    for size, _, files in sorted(kept.values(), key=lambda each: each[1]):
        if total + needed <= limit:
            break
        for file in files:
            with contextlib.suppress(OSError):  # in use, on Windows
                file.unlink()
        total, freed = total - size, freed + size
    return freed


def touch(place: Path) -> None:
    """Note that decoded images are in use."""
    with contextlib.suppress(OSError):
        os.utime(place.with_suffix(ABOUT))


class PixelStore:
    """Room for images while they are decoded, on the disk or in memory. It may be written from several threads.

    Args:
        shape: `(N, C, H, W)`, of which fewer may come.
        file: Where to store them; None for in memory.

    Raises:
        OSError: The disk is full, or refuses; the same from its methods.
    """

    def __init__(self, shape: tuple[int, int, int, int], file: Path | None):
        self._shape, self._path = shape, file
        self._each = int(np.prod(shape[1:]))
        self._memory = np.empty(shape, np.uint8) if file is None else None
        self._file = None if file is None else file.open("wb+")
        self._writing = Lock()

    def put(self, row: int, pixels: np.ndarray) -> None:
        """Store one image, uint8 `(C, H, W)`."""
        if self._memory is not None:
            self._memory[row] = pixels
        elif self._file is not None:
            with self._writing:
                self._file.seek(row * self._each)
                self._file.write(np.ascontiguousarray(pixels).data)

    def finish(self, rows: Sequence[int], reduce: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """The images of these rows, at least one, in increasing order.

        Each block of them is changed by `reduce`, which may drop channels. They are moved to the front of the same
        room, so that no more is needed.
        """
        everything = self._whole()
        flat, at, step = everything.reshape(-1), 0, max(1, BLOCK // self._each)
        shape = reduce(everything[[rows[0]]]).shape[1:]
        for start in range(0, len(rows), step):
            block = reduce(everything[rows[start : start + step]])  # a copy
            flat[at : at + block.size] = block.reshape(-1)
            at += block.size
        if self._path is None:
            return flat[:at].reshape(len(rows), *shape)
        del flat, everything
        with self._path.open("rb+") as file:
            file.truncate(at)
            os.fsync(file.fileno())
        return mapped(self._path, (len(rows), *shape))

    def close(self) -> None:
        """Give up the file."""
        if self._file is not None:
            self._file.close()

    def _whole(self) -> np.ndarray:
        if self._memory is not None or self._path is None or self._file is None:
            assert self._memory is not None
            return self._memory
        self._file.truncate(self._shape[0] * self._each)  # the last images may be broken ones
        self._file.close()
        return np.memmap(self._path, np.uint8, "r+", shape=self._shape)


def mapped(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Stored images, read from the disk as they are used. Raises OSError or ValueError where they are not all there.

    The array may be written to, which never reaches the file: torch warns of memory that may not be written.
    """
    if file.stat().st_size != np.prod(shape):
        raise ValueError(f"{file} is damaged")
    return np.memmap(file, np.uint8, "c", shape=shape)


def _kept(folder: Path) -> dict[str, tuple[int, float, list[Path]]]:
    """What is in the cache: name -> bytes, when it was used last, and files. Locks are no part of it."""
    found: dict[str, list[Path]] = defaultdict(list)
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            if file.suffix != ".lock":
                found[file.name.lstrip(".").partition(".")[0]].append(file)
    kept: dict[str, tuple[int, float, list[Path]]] = {}
    for name, files in found.items():
        with contextlib.suppress(OSError):
            states = [file.stat() for file in files]
            kept[name] = sum(s.st_size for s in states), max(s.st_mtime for s in states), files
    return kept
