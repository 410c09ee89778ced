"""Following a journal while it grows: each reading costs what is new since the one before."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from sparring.errors import SparringError
from sparring.record.journal import Event, kept, parsed

AT_ONCE = 2**22
"""Bytes that are read at a time."""


class Following:
    """The journal at `path`, which need not exist yet.

    Attributes:
        events: The events that count so far, as `replay` gives them.
        generation: A number that changes when earlier events no longer count: what was made of them is out of date.
        bytes_read: By all readings together.
    """

    def __init__(self, path: Path):
        self.path = path
        self.events: list[Event] = []
        self.generation = 0
        self.bytes_read = 0
        self._file: tuple[int, int] | None = None
        self._begin_again()

    def read(self) -> list[Event]:
        """Read on, and return the new events that still count; an incomplete last line is left for the next time.

        Raises:
            SparringError: The file cannot be read, or a line is no event.
        """
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                if self._file != (status.st_dev, status.st_ino) or status.st_size < self._offset:
                    self._begin_again()
                    self._file = status.st_dev, status.st_ino
                file.seek(self._offset)
                return self._read_lines(iter(lambda: file.read(AT_ONCE), b""))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise SparringError(f"cannot read {self.path}: {error.strerror}") from error

    def _read_lines(self, chunks: Iterable[bytes]) -> list[Event]:
        new: list[Event] = []
        rest = b""
        for chunk in chunks:
            self.bytes_read += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                event = parsed(line, self.path, self._lines + 1)
                still = kept(self.events, event)
                if len(still) < len(self.events):
                    self.events, new = still, kept(new, event)
                    self.generation += 1
                self.events.append(event)
                new.append(event)
                self._offset += len(line) + 1
                self._lines += 1
        return new

    def _begin_again(self) -> None:
        """The file is another one than before, such as when a run was joined from its shards."""
        if self.events:
            self.generation += 1
        self.events = []
        self._offset, self._lines = 0, 0
