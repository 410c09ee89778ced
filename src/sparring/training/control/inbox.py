"""Commands from other processes to one that trains: lines that are appended to a file in the run's folder.

A file works wherever the folder is shared, over NFS too, needs no port, and costs one `open` per turn of rounds. What
became of a command is in the journal, in an event whose `command` is the command's id.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from filelock import FileLock, Timeout

from sparring.errors import SparringError
from sparring.record.files import disk_errors

COMMANDS = "commands.jsonl"
LOCK = ".commands.lock"
LOCK_SECONDS = 5.0
MAX_LINE = 2**16
"""Bytes of a command; a longer line is none."""
MAX_READ = 2**20
"""Bytes that are read at a time, however much somebody wrote."""


@dataclass(frozen=True)
class Command:
    """Something that a training process is to do."""

    do: str
    """pause, go, round, step, slow, set, checkpoint, rewind, watch or stop."""
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    by: str = ""
    """Who asks for it."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    at: float = field(default_factory=lambda: round(time.time(), 3))

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"id": self.id, "at": self.at, "by": self.by, "do": self.do, **self.values}

    @classmethod
    def read(cls, line: bytes) -> Command | None:
        """From a line of the file; None for one that is no command."""
        if len(line) > MAX_LINE:
            return None
        try:
            plain = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(plain, dict):
            return None
        values = cast(dict[str, Any], plain)
        id, do, by = values.pop("id", None), values.pop("do", None), values.pop("by", "")
        values.pop("at", None)
        if not (isinstance(id, str) and 0 < len(id) <= 64 and isinstance(do, str) and isinstance(by, str)):
            return None
        return cls(do[:64], values, by[:64], id)


def send(folder: Path, command: Command) -> None:
    """Append a command to the file of the run in `folder`, whole or not at all. Raises SparringError."""
    line = json.dumps(command.plain(), allow_nan=False).encode() + b"\n"
    path = folder / COMMANDS
    with disk_errors(path):
        try:
            with FileLock(folder / LOCK, timeout=LOCK_SECONDS), path.open("ab", buffering=0) as file:
                end = file.tell()
                broken = end and not _ends_a_line(path)  # its writer was killed
                line = b"\n" + line if broken else line
                if file.write(line) < len(line):
                    os.ftruncate(file.fileno(), end)
                    raise SparringError(f"cannot write {path}: the disk is full")
        except Timeout as error:
            raise SparringError(f"cannot write {path}: another process has locked it") from error


class Inbox:
    """The commands that are written from now on."""

    def __init__(self, folder: Path):
        self._path = folder / COMMANDS
        self._offset = self._path.stat().st_size if self._path.exists() else 0

    def new(self) -> list[Command]:
        """Those that came since the last call."""
        try:
            # Opened anew each time: over NFS that is when the file's size is asked for.
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(MAX_READ)
        except OSError:
            return []
        end = data.rfind(b"\n") + 1
        if not end and len(data) == MAX_READ:  # one endless line
            end = len(data)
        self._offset += end
        return [command for line in data[:end].split(b"\n") if line and (command := Command.read(line))]


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
