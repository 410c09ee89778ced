"""Who trains parts for a leader. A crew starts work, says how it goes, and passes on when to stop."""

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
from sparring.training.distributed.shards import Job, Shard, ShardPlan
from sparring.training.distributed.status import Status
from sparring.training.distributed.worker import heard

PATIENCE_SECONDS = 30.0
"""For a process to end its round and save, once it was told to."""


@dataclass(frozen=True)
class Exit:
    """How the work on a part ended, where its process has not told so itself."""

    why: str
    died: bool
    """Whether the process was lost, so that doing the work again may help."""


class Workers(ABC):
    """Processes that train parts."""

    n_workers: int
    """Parts that are trained side by side."""
    where: str = ""
    """What they run on, in words, if not this machine."""

    @abstractmethod
    def start(self, shard: Shard, job: Job) -> None:
        """Train a part, from its last checkpoint if it has one."""

    @abstractmethod
    def status(self, shard: Shard) -> Status | None:
        """What was last told of it since it was started."""

    @abstractmethod
    def exited(self, shard: Shard) -> Exit | None:
        """None while somebody is at work on it."""

    @abstractmethod
    def stop(self, round: int) -> None:
        """Ask all to save and end after this round, or after the one in progress where that is past it."""

    @abstractmethod
    def leave(self) -> None:
        """Nobody is at work any more after this."""


class LocalWorkers(Workers):
    """Processes of this machine, which tell how far they are through files in the run's folder."""

    def __init__(self, deal: ShardPlan, n_workers: int):
        self.n_workers = min(n_workers, len(deal.shards))
        self._stop = deal.shards[0].folder.with_name("stop")
        self._stop.unlink(missing_ok=True)
        self._started: dict[int, tuple[Shard, subprocess.Popen[bytes]]] = {}

    def start(self, shard: Shard, job: Job) -> None:
        place = shard.folder.with_suffix(".order")
        write_atomically(place, lambda path: path.write_text(json.dumps(job.plain()), encoding="utf-8"))
        shard.folder.with_suffix(".json").unlink(missing_ok=True)
        # A session of its own: Ctrl-C in the terminal reaches the leader alone, who asks all to stop together.
        with shard.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "sparring.training.distributed.worker", str(place), str(shard.folder)],
                env={**os.environ, "OMP_NUM_THREADS": str(job.threads)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started[shard.number] = shard, process

    def status(self, shard: Shard) -> Status | None:
        return heard(shard.folder) if shard.number in self._started else None

    def exited(self, shard: Shard) -> Exit | None:
        code = self._started[shard.number][1].poll()
        if code is None:
            return None
        if code < 0:
            return Exit(f"signal {-code} ({signal.strsignal(-code)})", died=True)
        said = shard.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return Exit(said[-1] if said else f"exit status {code}", died=False)

    def stop(self, round: int) -> None:
        write_atomically(self._stop, lambda path: path.write_text(str(round)))

    def leave(self) -> None:
        for _, process in self._started.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()  # it saves first
        for _, process in self._started.values():
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
