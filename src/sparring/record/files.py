"""How files are written so that killing the process at any instant does no harm: a file appears whole, or not at all.

Locks keep two processes from training in one folder, or from making the same cached file twice.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
from filelock import FileLock, Timeout

from sparring.errors import SparringError, reason_of


@contextmanager
def disk_errors(path: Path) -> Generator[None]:
    """Turn an OSError while `path` is written into a SparringError that gives the reason in one line."""
    try:
        yield
    except OSError as error:
        why = reason_of(error)
        if error.errno in (errno.EEXIST, errno.ENOTDIR):
            why = next((f"{each} is a file, not a folder" for each in path.parents if each.is_file()), why)
        raise SparringError(f"cannot write {path}: {why}") from error


def write_atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` make a temporary file beside `path`, then rename it to `path` once it is on the disk.

    Args:
        path: Where the file should be; its folder is made if needed.
        write: Writes to the path that it is given.

    Returns:
        `path`.

    Raises:
        SparringError: The file cannot be written; one that was there before stays.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if partial.is_symlink():  # put there by somebody else: what it names would be written over
                partial.unlink()
            write(partial)
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            partial.replace(path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return path


def link_or_copy(source: Path, path: Path) -> Path:
    """Give a file that is never changed in place a second name, or make a copy where the disk knows no such names.

    Raises SparringError when the disk refuses.
    """

    def make(partial: Path) -> None:
        partial.unlink(missing_ok=True)
        try:
            os.link(source, partial)
        except OSError:
            shutil.copyfile(source, partial)

    return write_atomically(path, make)


def save_arrays(arrays: Mapping[str, np.ndarray], path: Path, metadata: dict[str, str]) -> None:
    """Write arrays as a safetensors file. Raises OSError, with the system's number, when the disk refuses."""
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    try:
        safetensors.numpy.save_file(contiguous, path, metadata=metadata)
    except safetensors.SafetensorError as error:
        # safetensors reports the disk's refusals in its own error; the number in it is the operating system's.
        code = next((int(w.rstrip(")")) for w in str(error).split() if w.rstrip(")").isdigit()), 0)
        raise OSError(code, os.strerror(code) if code else str(error)) from error


@contextmanager
def one_process_at_a_time(path: Path, what: str, say: Callable[[str], object]) -> Generator[bool]:
    """Hold a lock while the cached file `path` is made; other processes wait for it.

    Args:
        path: The cached file.
        what: What it is, for the message when its folder cannot be written.
        say: Shows that message.

    Yields:
        Whether the file can be cached there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_suffix(".lock"))
        lock.acquire()
    except OSError as error:
        say(f"{what} cannot be cached in {path.parent} ({error.strerror})")
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


LOCK_SECONDS = 0.2
"""For how long a lock is tried that another process has: whoever asks `is_training` has it for a moment."""


def is_training(folder: Path) -> bool:
    """Whether a process trains in this folder now."""
    path = _lock_of(folder)
    if not path.exists():
        return False
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return True
    lock.release()
    return False


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


@contextmanager
def training_lock(folder: Path) -> Generator[None]:
    """Let only one process train in a folder. The lock is released when its process ends, however that happens.

    Raises:
        SparringError: Another process has the lock.
    """
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(_lock_of(folder), timeout=LOCK_SECONDS)
        try:
            lock.acquire()
        except Timeout as error:
            if not Path(lock.lock_file).exists():  # it could not be made, which filelock takes for a lock
                raise SparringError(f"cannot write {folder}: no file can be made in its folder") from error
            raise SparringError(
                f"another process is training in {folder}: wait for it, stop it, or choose another folder"
            ) from error
    try:
        yield
    finally:
        lock.release()
