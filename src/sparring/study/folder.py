"""The folder of a study: study.json, its own journal, and a run folder for each cell. Loads no torch.

A cell's run is found by the cell's id, which is its recipe's, so that what was trained is found again whatever else the
study compares by now. Seeds that were added later have a run of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from sparring.errors import SparringError, UsageError
from sparring.record import RunFolder, write_atomically
from sparring.record.journal import Event, Journal, replay
from sparring.study.definition import PlannedCell, Study

STUDY, JOURNAL, RESULTS, CELLS = "study.json", "journal.jsonl", "results.json", "cells"
SEEDS_SUFFIX = re.compile(r"-seeds-(\d+)$")


class StudyFolder:
    """The study at `path`, which may not exist yet."""

    def __init__(self, path: str | PathLike[str]):
        self.path = Path(path)

    @property
    def exists(self) -> bool:
        """Whether the folder is a study."""
        return (self.path / STUDY).is_file()

    @property
    def has_results_only(self) -> bool:
        """Whether the results are kept without the runs that they are from: there is nothing to go on with."""
        return self.exists and (self.path / RESULTS).is_file() and not (self.path / CELLS).is_dir()

    @property
    def is_complete(self) -> bool:
        """Whether all that was asked last is trained and measured."""
        if not self.exists:
            return False
        kinds = [event["event"] for event in self.events if event["event"] in ("asked", "complete")]
        return self.has_results_only or kinds[-1:] == ["complete"]

    @classmethod
    def open(cls, path: str | PathLike[str]) -> StudyFolder:
        """An existing study. Raises SparringError where there is none."""
        folder = cls(path)
        if not folder.exists:
            what = f"is not a study: it has no {STUDY}" if folder.path.exists() else "does not exist"
            raise SparringError(f"{path} {what}; `sparring study RECIPE --vary ... --out {path}` would make it")
        return folder

    @property
    def study(self) -> Study:
        """What is asked. A user's own parts are placeholders. Raises SparringError when the file is damaged."""
        try:
            text = (self.path / STUDY).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SparringError(f"cannot read {self.path / STUDY}: {error}") from error
        try:
            return Study.from_json(text)
        except SparringError as error:
            raise SparringError(f"{self.path / STUDY} is damaged: {error}") from error

    def begin(self, study: Study) -> None:
        """Keep what is asked, before anything is trained.

        Raises UsageError where the folder holds something else, or a study that shares no cell with this one.
        """
        if self.exists:
            before = self.study
            if not {cell.id for cell in before.cells} & {cell.id for cell in study.cells}:
                raise UsageError(
                    f"{self.path} holds another study, {before.name}, and none of its {len(before.cells)} cells is in "
                    "this one; choose another --out"
                )
        elif self.path.exists() and (not self.path.is_dir() or any(self._visible())):
            raise UsageError(f"{self.path} exists and is not a study; choose another --out")
        asked = {"cells": [cell.id for cell in study.cells], "seeds": list(study.seeds), "outcome": study.outcome}
        if not self.exists or self.study.to_dict() != study.to_dict():
            self.write_text(STUDY, study.to_json())
        last = [event for event in self.events if event["event"] == "asked"][-1:]
        if not last or any(last[0][name] != value for name, value in asked.items()):
            self.append("asked", **asked)

    def _visible(self) -> list[Path]:
        return [path for path in self.path.iterdir() if not path.name.startswith(".")]

    def write_text(self, name: str, text: str) -> Path:
        """Write a file of the study whole, or not at all."""
        return write_atomically(self.path / name, lambda path: path.write_text(text, encoding="utf-8"))

    def append(self, event: str, **fields: Any) -> None:
        """Append an event to the study's own journal."""
        Journal(self.path / JOURNAL).append(event, **fields)

    @property
    def events(self) -> list[Event]:
        """The study's own journal, oldest first."""
        return replay(self.path / JOURNAL)

    def runs(self, cell: PlannedCell) -> list[RunFolder]:
        """What was trained of a cell so far: its first run, then those of added seeds."""
        home = self.path / CELLS
        found = [
            path for path in sorted(home.glob(f"*-{cell.id}*")) if SEEDS_SUFFIX.sub("", path.name).endswith(cell.id)
        ]
        runs = [RunFolder(path) for path in found]
        return sorted((run for run in runs if run.exists), key=lambda run: run.recipe["seeds"][0])

    def missing_seeds(self, study: Study, cell: PlannedCell) -> tuple[int, ...]:
        """The seeds of the study that no run of this cell has, finished or not."""
        there = {seed for run in self.runs(cell) for seed in run.recipe["seeds"]}
        return tuple(seed for seed in study.seeds if seed not in there)

    def new_run(self, cell: PlannedCell, seeds: Sequence[int]) -> RunFolder:
        """Where to train these seeds of a cell."""
        home = self.path / CELLS
        first = home / cell.slug
        if not first.exists() or (not RunFolder(first).exists and RunFolder(first).is_blank):
            return RunFolder(first)
        return RunFolder(home / f"{cell.slug}-seeds-{seeds[0]}")

    def relative(self, run: RunFolder) -> str:
        """A run's path within the study."""
        return run.path.relative_to(self.path).as_posix()

    def members_together(self) -> dict[str, int]:
        """Runs that were trained with others as one population, and then split off -> how many members that had."""
        found: dict[str, int] = {}
        for event in self.events:
            if event["event"] == "split":
                found |= dict.fromkeys(event["runs"], event["together"])
        return found

    def stopped(self) -> dict[str, int]:
        """Cells that a race has stopped: id -> after which round."""
        found: dict[str, int] = {}
        for event in self.events:
            if event["event"] == "look":
                found |= event["stopped"]
        return found
