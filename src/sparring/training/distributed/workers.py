"""Where shards are trained: workers start, report how far they are, and are asked to stop.

Why local workers are subprocesses and not a pool of loky's (tried with 3.7): when one process of a loky executor is
killed, the executor is broken, and the tasks of all its other processes are lost with it. Here the other shards train
on, and the lost one is resumed from its checkpoint. A pool's processes are in the terminal's process group, so Ctrl-C
strikes each of them when it comes; here the coordinator alone gets it, and all stop after one common round. Nor do they
have a log each. What a pool would save is the call of `Popen`: reporting, stopping and resuming would stay as they are.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass

from sparring.record import write_atomically
from sparring.training.distributed.channel import lock_of, reported_status
from sparring.training.distributed.shards import Job, Shard, ShardPlan
from sparring.training.distributed.status import Status

EXIT_SECONDS = 30.0
"""That a process may take to finish its turn and save once it was asked to stop."""


@dataclass(frozen=True)
class Exit:
    """How a shard's process ended, seen from outside."""

    reason: str
    died: bool
    """Whether the process was lost, so that starting it again may help."""


class Workers(ABC):
    """Processes that train shards for a coordinator."""

    n_workers: int
    """Shards that are trained at the same time."""
    where: str = ""
    """What the workers run on, in words, if not on this machine."""

    @abstractmethod
    def start(self, shard: Shard, job: Job) -> None:
        """Train a shard, from its last checkpoint if it has one."""

    @abstractmethod
    def status(self, shard: Shard) -> Status | None:
        """What it last reported since it was started."""

    @abstractmethod
    def exited(self, shard: Shard) -> Exit | None:
        """How its process ended; None while it runs."""

    @abstractmethod
    def stop(self, round: int) -> None:
        """Ask all to save and stop after this round, or where one of them is if that is past it; 0 is at once."""

    def interrupt(self, shard: Shard) -> None:  # noqa: B027 - a worker that cannot be reached finds out later
        """Ask one to stop that still prepares its training, and does not look whether it is to stop."""

    @abstractmethod
    def shut_down(self) -> None:
        """End all processes. They save first, if they do it within EXIT_SECONDS."""


class LocalWorkers(Workers):
    """Processes of this machine, which report through files in the run's folder."""

    def __init__(self, plan: ShardPlan, n_workers: int):
        self.n_workers = min(n_workers, len(plan.shards))
        self._stop = plan.shards[0].folder.with_name("stop")
        self._stop.unlink(missing_ok=True)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, shard: Shard, job: Job) -> None:
        path = shard.folder.with_suffix(".job")
        write_atomically(path, lambda path: path.write_text(json.dumps(job.plain()), encoding="utf-8"))
        shard.folder.with_suffix(".json").unlink(missing_ok=True)
        # A session of its own: Ctrl-C in the terminal reaches the coordinator alone, which asks all to stop together.
        with shard.log.open("ab") as log:
            self._processes[shard.number] = subprocess.Popen(
                [sys.executable, "-m", "sparring.training.distributed.worker", str(path), str(shard.folder)],
                env={**os.environ, "OMP_NUM_THREADS": str(job.threads)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def status(self, shard: Shard) -> Status | None:
        return reported_status(shard.folder) if shard.number in self._processes else None

    def exited(self, shard: Shard) -> Exit | None:
        code = self._processes[shard.number].poll()
        if code is None:
            return None
        if code < 0:
            return Exit(f"signal {-code} ({signal.strsignal(-code)})", died=True)
        output = shard.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return Exit(output[-1] if output else f"exit status {code}", died=False)

    def stop(self, round: int) -> None:
        with lock_of(self._stop):
            write_atomically(self._stop, lambda path: path.write_text(str(round)))

    def interrupt(self, shard: Shard) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._processes[shard.number].terminate()

    def shut_down(self) -> None:
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for process in self._processes.values():
            try:
                process.wait(EXIT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
