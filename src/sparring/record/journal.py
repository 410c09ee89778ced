"""The journal: one JSON object a line, only ever appended to. Replaying it gives the state.

A process killed while it writes leaves a torn last line, which readers pass over and the next writer cuts off. A run
that goes on from a checkpoint says so in a `resumed` line; what had been told of later rounds is then superseded. One
that has no checkpoint yet starts again, and a `started` line supersedes everything.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from sparring.errors import SparringError
from sparring.record import legacy

Event = dict[str, Any]


def json_numbers(values: Any) -> Any:
    """Numbers as a JSON file holds them: six significant digits, and None (null) for what is not finite.

    Args:
        values: a number, an array or a CPU tensor of any shape.

    Returns:
        A float or None for one number, else nested lists of them.
    """
    array = np.asarray(values)
    if array.ndim == 0:
        return float(f"{array:.6g}") if np.isfinite(array) else None
    return [json_numbers(each) for each in array]


class Journal:
    """The journal at `path`, for appending."""

    def __init__(self, path: Path):
        self.path = path
        _cut_torn_line(path)

    def append(self, event: str, **facts: Any) -> None:
        """Add one line, whole or not at all. NaN and infinities become null, which JSON can say."""
        line = json.dumps(
            {"event": event, "at": round(time.time(), 3), **facts}, allow_nan=False, separators=(",", ":")
        )
        # Unbuffered: what a full disk refused must not be tried again when the file is closed.
        with saving(self.path), self.path.open("ab", buffering=0) as file:
            end, rest = file.tell(), line.encode() + b"\n"
            try:
                while rest:
                    rest = rest[file.write(rest) :]
            except OSError:
                os.ftruncate(file.fileno(), end)
                raise

    def sync(self) -> None:
        """Return once everything appended is on the disk."""
        with saving(self.path), self.path.open("ab") as file:
            os.fsync(file.fileno())


def replay(path: Path) -> list[Event]:
    """Every event that still holds, in order: what a `resumed` or `started` line superseded is left out.

    Raises SparringError when a line other than a torn last one is not JSON.
    """
    held: list[Event] = []
    for event in _read(path):
        if event["event"] == "started":  # again: the run was killed before its first checkpoint
            held = []
        elif event["event"] == "resumed":
            held = [e for e in held if e.get("round", 0) <= event["round"]]
        held.append(event)
    return held


@contextmanager
def saving(path: Path) -> Generator[None]:
    """Turns what the disk refuses into one line that says why."""
    try:
        yield
    except OSError as error:
        why = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)
        raise SparringError(f"cannot write {path}: {why}") from error


def _read(path: Path) -> Iterator[Event]:
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    for number, line in enumerate(lines[:-1], 1):
        try:
            yield legacy.event(json.loads(line))
        except ValueError as error:
            raise SparringError(
                f"{path}, line {number}: not JSON ({error}); the journal was edited or damaged"
            ) from error


def _cut_torn_line(path: Path) -> None:
    if not path.exists():
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
