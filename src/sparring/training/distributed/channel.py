"""How the process that trains a shard and the coordinator of the run reach each other."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from pathlib import Path

from filelock import FileLock

from sparring.record import legacy
from sparring.training.distributed.status import Status
from sparring.training.trainer import Trainer


class Channel(ABC):
    """A worker's side of the connection."""

    @abstractmethod
    def report(self, status: Status) -> int | None:
        """Send a status. Returns the round to stop after, once the coordinator has asked all workers to stop.

        A shard that is past that round already raises it to its own for all: only of a round that every shard has
        saved are there weights of the whole run. A request to stop at once, which is round 0, stays as it is.
        """

    @abstractmethod
    def evaluates(self, round: int, due: bool) -> bool:
        """Whether samples are evaluated in this round: the first shard to ask decides for all, so that all agree."""

    def send_files(self, trainer: Trainer) -> None:  # noqa: B027 - where folders are shared there is nothing to send
        """Called as often as `report`, so that checkpoints reach the coordinator."""


class SharedFolder(Channel):
    """Through files beside the shard's folder, which the coordinator sees too."""

    def __init__(self, folder: Path):
        self._status = folder.with_suffix(".json")
        self._stop = folder.with_name("stop")
        old = folder.with_name(legacy.EVALUATIONS)
        self._evaluations = old if old.is_dir() else folder.with_name("evaluations")

    def report(self, status: Status) -> int | None:
        self._write(self._status, json.dumps(status.plain()))
        stop_after = self._asked()
        if stop_after is not None and 0 < stop_after < status.round:
            with lock_of(self._stop):
                stop_after = self._asked()  # another may have raised it, or all are to stop at once by now
                if stop_after is not None and 0 < stop_after < status.round:
                    stop_after = status.round
                    self._write(self._stop, str(stop_after))
        return stop_after

    def _asked(self) -> int | None:
        try:
            return int(self._stop.read_text())
        except (OSError, ValueError):
            return None

    def _write(self, path: Path, text: str) -> None:
        """Whole or not at all, also where another shard writes to the same path."""
        partial = self._status.with_name(f".{self._status.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)

    def evaluates(self, round: int, due: bool) -> bool:
        self._evaluations.mkdir(exist_ok=True)
        decision = self._evaluations / f"round-{round:09d}"
        try:
            with decision.open("x") as file:
                file.write("yes" if due else "no")
        except FileExistsError:
            text = decision.read_text()
            return text == "yes" if text else due
        return due


def lock_of(stop: Path) -> FileLock:
    """Of the file that says after which round to stop: whoever writes it by what it says has it alone meanwhile."""
    return FileLock(stop.with_name(".stop.lock"))


def reported_status(folder: Path) -> Status | None:
    """What the process that trains in this folder last reported through a SharedFolder."""
    try:
        return Status(**json.loads(folder.with_suffix(".json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # TypeError: of an older version
        return None
