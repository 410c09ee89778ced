"""A row for each of many runs, read from the ends of their files: how far it is, and what its verdict is. No torch."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from time import time as now

from sparring.analysis.followed import RECENT_SECONDS
from sparring.errors import SparringError
from sparring.record import RunFolder
from sparring.record.files import is_training
from sparring.record.journal import Event

TAIL, MAX_TAIL = 2**14, 2**24
"""Bytes of a journal's end in which its last events are looked for; a log event of many members is long."""
ENDS = {"finished": "finished", "plateau": "plateau", "stopped": "stopped", "diverged-all": "diverged"}


@dataclass(frozen=True)
class RunRow:
    """What a table says of a run."""

    key: str
    name: str
    """Of its recipe."""
    seeds: int
    round: int
    rounds: int
    status: str
    """As a story's, or `training`; `damaged` where its files cannot be read."""
    changed: float
    """When its journal last changed, in seconds since 1970."""
    problem: str = ""
    """What is wrong with its files."""


def row_of(key: str, run: RunFolder) -> RunRow:
    """The row of a run; one whose files cannot be read has a row too."""
    journal = run.path / "journal.jsonl"
    try:
        recipe = run.recipe
        changed = journal.stat().st_mtime if journal.is_file() else (run.path / "recipe.json").stat().st_mtime
        events = last_events(journal)
    except (SparringError, OSError) as error:
        return RunRow(key, run.path.name, 0, 0, 0, "damaged", 0.0, str(error))
    round = max((event["round"] for event in events if isinstance(event.get("round"), int)), default=0)
    status = next((ENDS[e["event"]] for e in reversed(events[-2:]) if e["event"] in ENDS), "unfinished")
    if is_training(run.path) or (status == "unfinished" and _is_watched(run) and now() - changed < RECENT_SECONDS):
        status = "training"
    return RunRow(key, str(recipe["name"]), len(recipe["seeds"]), round, recipe["rounds"], status, changed)


def _is_watched(run: RunFolder) -> bool:
    """Whether it is a loop of the user's own, which no lock shows to be training."""
    return (run.path / "generator.json").is_file()


def last_events(journal: Path) -> list[Event]:
    """The last whole events of a journal, as they stand there; only its end is read."""
    try:
        with journal.open("rb") as file:
            size, tail, events = file.seek(0, os.SEEK_END), TAIL, list[Event]()
            while not events and tail <= MAX_TAIL:
                at = max(0, size - tail)
                file.seek(at)
                events = _whole_events(file.read(tail).split(b"\n")[1 if at else 0 : -1])
                tail = 4 * tail if at else MAX_TAIL + 1
            return events
    except FileNotFoundError:
        return []


def _whole_events(lines: list[bytes]) -> list[Event]:
    events: list[Event] = []
    for line in lines:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            events.append(event)
    return events
