"""What a process does that trains one part of a run: `python -m sparring.training.distributed.worker ORDER FOLDER`."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

from sparring.errors import SparringError
from sparring.training.distributed.shards import Job
from sparring.training.distributed.status import Status
from sparring.training.trainer import Trainer, Watcher, Whole, train

TOLD_SECONDS = 0.4
"""How often a part tells how far it is."""


class Channel(ABC):
    """How a part's process reaches whoever leads."""

    @abstractmethod
    def tell(self, status: Status) -> int | None:
        """How far the part is; the answer is the round to stop after, if it is to stop."""

    @abstractmethod
    def agree(self, round: int, due: bool) -> bool:
        """Whether samples are looked at in this round: the first part to ask decides for all, so that all look."""

    def saved(self, trainer: Trainer) -> None:  # noqa: B027 - where folders are shared there is nothing to do
        """Called as often as `tell`: checkpoints may be sent."""


class SharedFolder(Channel):
    """Through files beside the part's folder."""

    def __init__(self, folder: Path):
        self._told = folder.with_suffix(".json")
        self._stop = folder.with_name("stop")
        self._evaluations = folder.with_name("looks")

    def tell(self, status: Status) -> int | None:
        partial = self._told.with_name(f".{self._told.name}.partial")
        partial.write_text(json.dumps(status.plain()), encoding="utf-8")
        partial.replace(self._told)
        try:
            return int(self._stop.read_text())
        except (OSError, ValueError):
            return None

    def agree(self, round: int, due: bool) -> bool:
        self._evaluations.mkdir(exist_ok=True)
        decision = self._evaluations / f"round-{round:09d}"
        try:
            with decision.open("x") as file:
                file.write("yes" if due else "no")
        except FileExistsError:
            told = decision.read_text()
            return told == "yes" if told else due
        return due


def heard(folder: Path) -> Status | None:
    """What a part has last told through its folder."""
    try:
        return Status(**json.loads(folder.with_suffix(".json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def work(job: Job, folder: Path, channel: Channel, watchers: tuple[Watcher, ...] = ()) -> Status:
    """Train a part, or go on with it, until it is done or stopped. Returns, and tells, how it ended; raises nothing."""
    last = Status()
    due = 0.0

    def watch(trainer: Trainer) -> None:
        nonlocal last, due
        now = time.monotonic()
        if now < due:
            return
        due = now + TOLD_SECONDS
        last = Status.of(trainer)
        stop = channel.tell(last)
        channel.saved(trainer)
        if stop is not None:
            trainer.until = min(stop, trainer.until)

    try:
        run = train(
            job.made(),
            folder,
            data_dir=job.data_dir,
            device=job.device,
            threads=job.threads,
            watchers=(watch, *watchers),
            metrics=job.metrics,
            compile=job.compile,
            whole=Whole(job.members, channel.agree),
        )
    except SparringError as error:
        exited = dataclasses.replace(last, end="failed", error=str(error))
    else:
        story = run.story
        exited = dataclasses.replace(
            last,
            round=story.round,
            seconds=story.seconds,
            lost=len(story.diverged),
            end="finished" if story.status == "finished" else "stopped",
        )
    channel.tell(exited)
    return exited


def main() -> None:
    """The process that a leader on this machine starts. It stops, and saves, when that is gone."""
    job, folder = Path(sys.argv[1]), Path(sys.argv[2])
    leader = os.getppid()

    def with_its_leader(trainer: Trainer) -> None:
        if os.getppid() != leader:
            trainer.stopping = True

    held = Job(**json.loads(job.read_text(encoding="utf-8")))
    exited = work(held, folder, SharedFolder(folder), (with_its_leader,))
    sys.exit(1 if exited.end == "failed" else 0)


if __name__ == "__main__":
    main()
