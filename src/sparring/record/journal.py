"""The journal: one JSON object (an event) per line, only ever appended to. Replaying it gives the state of a run.

A process that is killed while it writes leaves an incomplete last line, which readers skip and the next writer cuts
off. A run that resumes from a checkpoint appends a `resumed` event, which supersedes the events of later rounds; one
that has no checkpoint yet starts again, and its `started` event supersedes everything before. What a person changed
while it trained (`steering.py`) counts in either case, so that the same is done again in the same rounds. Only a
`rewound` event undoes it, with everything else that came after its round, but for the events in LASTING.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sparring.errors import SparringError
from sparring.record import legacy, schema, steering
from sparring.record.files import disk_errors

Event = dict[str, Any]
LASTING = ("extended", "moved")
"""Events that hold for the whole run, from whichever checkpoint it is resumed or taken back to."""


def json_numbers(values: Any) -> Any:
    """Numbers as a JSON file has them: six significant digits, and None (null) for what is not finite.

    Args:
        values: A number, an array or a CPU tensor of any shape.

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
        _cut_incomplete_line(path)

    def append(self, event: str, **fields: Any) -> None:
        """Append one event, whole or not at all.

        Args:
            event: What happened: started, log, checkpoint, ...
            fields: The facts, as JSON has them; NaN and infinities are refused (see `json_numbers`).

        Raises:
            SparringError: The disk refuses; the journal is as it was before.
        """
        line = json.dumps(
            {"event": event, "at": round(time.time(), 3), **fields}, allow_nan=False, separators=(",", ":")
        )
        # Unbuffered: what a full disk refused must not be tried again when the file is closed.
        with disk_errors(self.path), self.path.open("ab", buffering=0) as file:
            end, rest = file.tell(), line.encode() + b"\n"
            try:
                while rest:
                    rest = rest[file.write(rest) :]
            except OSError:
                os.ftruncate(file.fileno(), end)
                raise

    def sync(self) -> None:
        """Return once everything appended is on the disk."""
        with disk_errors(self.path), self.path.open("ab") as file:
            os.fsync(file.fileno())


def replay(path: Path) -> list[Event]:
    """Read every event that still counts, in order and in today's names; superseded events are left out.

    Raises:
        SparringError: A line other than an incomplete last one is not JSON.
    """
    events: list[Event] = []
    for event in _read(path):
        events = kept(events, event)
        events.append(event)
    return events


def kept(events: list[Event], event: Event) -> list[Event]:
    """Of earlier events, those that still count after this one."""
    if event["event"] == "started":  # again: the run was killed before its first checkpoint
        return [e for e in events if steering.lasts(e)]
    if event["event"] == "resumed":
        return [e for e in events if e.get("round", 0) <= event["round"] or e["event"] in LASTING or steering.lasts(e)]
    if event["event"] == "rewound":
        return steering.after_rewinding(events, event["round"], LASTING)
    return steering.without_another_future(events, event) if steering.lasts(event) else events


def _read(path: Path) -> Iterator[Event]:
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    except OSError as error:
        raise SparringError(f"cannot read {path}: {error.strerror}") from error
    for number, line in enumerate(lines[:-1], 1):
        yield parsed(line, path, number)


def parsed(line: bytes, path: Path, number: int) -> Event:
    """One line of the journal at `path` as an event, in today's names. Raises SparringError for what is none."""
    try:
        event = schema.check(json.loads(line), {"event": schema.TEXT}, ("event",))
        return schema.check_event(legacy.event(event))
    except (ValueError, RecursionError) as error:
        what = "not JSON" if isinstance(error, json.JSONDecodeError | RecursionError) else "no event"
        raise SparringError(
            f"{path}, line {number}: {what} ({error}); the journal was edited or damaged: restore it, or delete it to "
            "go on from the checkpoint without the curves so far"
        ) from error


def _cut_incomplete_line(path: Path) -> None:
    if not path.exists():
        return
    data = path.read_bytes()
    complete = data.rfind(b"\n") + 1
    if complete < len(data):
        os.truncate(path, complete)
