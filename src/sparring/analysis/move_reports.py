"""Reports of single moves, and of D's outputs as somebody watches, from the end of a run's moves.jsonl. No torch."""

from __future__ import annotations

import json
import os
from typing import Any, cast

from sparring.record import RunFolder
from sparring.record.schema import COUNT

REPORTS = "moves.jsonl"
TAIL = 2**18
"""Bytes of the file's end that are read: about sixty reports."""
Report = dict[str, Any]


def new_reports(run: RunFolder, since: int = 0) -> list[Report]:
    """The newest reports whose `number` is larger than `since`, oldest first; damaged lines are left out."""
    try:
        with (run.path / REPORTS).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            at = max(0, size - TAIL)
            file.seek(at)
            lines = file.read(TAIL).split(b"\n")[1 if at else 0 : -1]
    except OSError:
        return []
    found: list[Report] = []
    for line in reversed(lines):
        report = _report(line)
        if report is not None and report["number"] <= since:
            break
        if report is not None:
            found.append(report)
    return found[::-1]


def _report(line: bytes) -> Report | None:
    try:
        report = json.loads(line)
    except (ValueError, RecursionError):
        return None
    fits = isinstance(report, dict) and all(COUNT.holds(report.get(name)) for name in ("number", "round"))
    return cast(Report, report) if fits else None
