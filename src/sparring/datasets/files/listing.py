"""The files in a folder and its subfolders, whatever else is in there: links in a circle, pipes, locked folders."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from sparring.datasets.files.contents import Contents, Entry, is_hidden, sorted_out
from sparring.errors import SparringError

KINDS_OF_ENTRY = (
    (stat.S_ISFIFO, "is a pipe"),
    (stat.S_ISSOCK, "is a socket"),
    (stat.S_ISCHR, "is a device"),
    (stat.S_ISBLK, "is a device"),
)
Found = tuple[str, os.stat_result | str]
"""Path inside, and the file's state, or why it cannot be read."""


def folder_contents(folder: Path) -> Contents:
    """The files in a folder. Raises SparringError when it may not be read."""
    entries, broken = list[Entry](), dict[str, str]()
    try:
        found = list(_below(folder, "", set()))
    except OSError as error:
        raise SparringError(f"cannot open {folder} ({error.strerror}): make it a folder that you may read") from error
    for name, state in found:
        if isinstance(state, str):
            broken[name] = state
        else:
            entries.append(Entry(name, state.st_size, state.st_mtime_ns))

    def open_file(name: str) -> AbstractContextManager[IO[bytes]]:
        return (folder / name).open("rb")

    return sorted_out(folder, "folder", entries, broken, open_file)


def _below(folder: Path, inside: str, seen: set[tuple[int, int]]) -> Iterator[Found]:
    """Every file below; symbolic links are followed, and a folder that occurs twice is read once.

    Raises OSError if the folder cannot be read.
    """
    here = folder.stat()
    seen.add((here.st_dev, here.st_ino))
    with os.scandir(folder) as entries:
        # Links come last, so that what they lead to is found where it is.
        listed = sorted(entries, key=lambda entry: (entry.is_symlink(), entry.name))
    for entry in listed:
        if is_hidden(entry.name):
            continue
        name = f"{inside}{entry.name}"
        try:
            state = entry.stat()
            if not stat.S_ISDIR(state.st_mode):
                yield name, _why_no_file(state) or state
            elif (state.st_dev, state.st_ino) in seen:
                yield name, "is a link to a folder that is read already"
            else:
                yield from _below(Path(entry.path), f"{name}/", seen)
        except OSError as error:
            yield name, _reason(error)


def _why_no_file(state: os.stat_result) -> str:
    if stat.S_ISREG(state.st_mode):
        return ""
    return next((reason for is_kind, reason in KINDS_OF_ENTRY if is_kind(state.st_mode)), "is no file")


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "is a link to nothing"
    if error.errno == errno.ELOOP:
        return "is a link in a circle"
    return error.strerror or str(error)
