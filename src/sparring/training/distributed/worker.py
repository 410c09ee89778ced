"""The process that trains one shard of a run: `python -m sparring.training.distributed.worker JOB FOLDER`."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sparring.analysis.measure import keep, measure
from sparring.errors import SparringError
from sparring.record import RunFolder
from sparring.training.distributed.channel import Channel, SharedFolder
from sparring.training.distributed.shards import Job
from sparring.training.distributed.status import Status
from sparring.training.prepare import prepare
from sparring.training.single import SharedRun, train_here
from sparring.training.trainer import Trainer, Watcher

REPORT_SECONDS = 0.4
"""Between two reports of how far a shard is."""


def work(job: Job, folder: Path, channel: Channel, watchers: Sequence[Watcher] = ()) -> Status:
    """Train a shard in `folder`, or resume it, until it is finished or stopped.

    Returns, and reports through the channel, how it ended. What fails is in the status too: nothing is raised.
    """
    reporter = _Reporter(channel)
    try:
        task = prepare(job.make_recipe(), folder, job.settings, sharded=False)
        shared_run = SharedRun(job.members, channel.evaluates)
        run = train_here(task, job.settings, (reporter, *watchers), shared_run)
        status = _status(job, run, reporter.status)
        if job.measure and status.end == "finished" and run.story.status == "finished":
            keep(measure(run, job.measure, data_dir=job.settings.data_dir))
    except SparringError as error:
        status = dataclasses.replace(reporter.status, end="failed", error=str(error))
        if RunFolder(folder).exists and RunFolder(folder).story.status == "diverged":
            status = dataclasses.replace(_status(job, RunFolder(folder), status), end="diverged")
    channel.report(status)
    return status


def _status(job: Job, run: RunFolder, last: Status) -> Status:
    """Of a run whose training has ended for now."""
    story = run.story
    over = story.status == "finished" or (job.until is not None and story.round >= job.until)
    return dataclasses.replace(
        last,
        round=story.round,
        seconds=story.seconds,
        n_diverged=len(story.diverged),
        end="finished" if over else "stopped",
    )


class _Reporter:
    """A watcher that reports how far the shard is, and passes on when to stop."""

    def __init__(self, channel: Channel):
        self.status = Status()
        self._channel, self._next = channel, 0.0
        self._until: int | None = None
        """The round after which to stop unless asked."""

    def __call__(self, trainer: Trainer) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + REPORT_SECONDS
        if self._until is None:
            self._until = trainer.until
        self.status = Status.of(trainer)
        stop_after = self._channel.report(self.status)
        self._channel.send_files(trainer)
        if stop_after is not None:
            trainer.until = min(stop_after, self._until)


def main() -> None:
    """The program of a process that a coordinator on this machine starts. It saves and stops when that is gone."""
    job, folder = Path(sys.argv[1]), Path(sys.argv[2])
    coordinator = os.getppid()

    def stop_without_coordinator(trainer: Trainer) -> None:
        if os.getppid() != coordinator:
            trainer.stopping = True

    plain = json.loads(job.read_text(encoding="utf-8"))
    status = work(Job(**plain), folder, SharedFolder(folder), (stop_without_coordinator,))
    sys.exit(1 if status.end == "failed" else 0)


if __name__ == "__main__":
    main()
