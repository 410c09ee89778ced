"""The coordinator of a sharded run: starts workers for its shards, restarts those that were lost, and joins shards."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sparring.errors import SparringError
from sparring.interruption import announce, when_ended, when_stopped
from sparring.record import RunFolder, training_lock
from sparring.training.distributed.sharded_run import ShardedRun
from sparring.training.distributed.shards import Job, Shard, ShardPlan
from sparring.training.distributed.status import DONE, Session, SessionWatcher, Status
from sparring.training.distributed.workers import Exit, LocalWorkers, Workers
from sparring.training.prepare import Settings, Task
from sparring.training.stop_signals import STOPPING, on_stop_signal

POLL_SECONDS = 0.25
"""How often the coordinator looks after its workers."""
LEAD_SECONDS = 1.0
"""Until the request to stop after a round has reached every worker."""
MAX_DEATHS = 3
"""Of the processes that train one shard, in one session."""
NOT_JOINED = "ended; the workers save their shards, and the same command resumes them"
CATCH_UP_SECONDS = 2.0
"""After Ctrl-C, what the slowest shard may take to come as far as the furthest: all then stop after the same round, and
there are weights of it."""


def train_shards(
    task: Task,
    settings: Settings,
    processes: int,
    on: Literal["here", "ray"],
    session_watchers: Sequence[SessionWatcher],
) -> RunFolder:
    """Train the run of `task` in shards, each by a worker.

    Raises UsageError for a recipe that other processes cannot make, SparringError when a shard fails or is lost again
    and again.
    """
    if on == "ray":
        from sparring.training.distributed.ray import RayWorkers

        sharded = ShardedRun(task, settings, max(processes, 2))
        return _coordinate(sharded, RayWorkers, session_watchers)
    sharded = ShardedRun(task, settings, processes)
    return _coordinate(sharded, lambda plan: LocalWorkers(plan, processes), session_watchers)


def _coordinate(
    sharded: ShardedRun, make_workers: Callable[[ShardPlan], Workers], session_watchers: Sequence[SessionWatcher]
) -> RunFolder:
    with training_lock(sharded.run.path):
        plan = sharded.plan()
        if sharded.run.story.status == "finished":
            return sharded.run
        with counting_stop_signals() as signals:
            workers = make_workers(plan)
            session = sharded.session(plan, workers.n_workers, workers.where)
            try:
                Coordinator(sharded, plan, workers, session, session_watchers, signals).run()
            except SparringError:
                workers.stop(0)
                workers.shut_down()
                sharded.join(plan)
                raise
            finally:
                workers.shut_down()
        return sharded.join(plan)


@dataclass
class StopSignals:
    """How often Ctrl-C was pressed, or SIGTERM received."""

    count: int = 0

    def add(self) -> None:
        """The third interrupts at once."""
        self.count += 1
        if self.count == 1:
            announce()
        if self.count > 2:
            raise KeyboardInterrupt


@contextmanager
def counting_stop_signals() -> Generator[StopSignals]:
    """For as long as this lasts, signals that ask to stop are counted."""
    signals = StopSignals()
    with on_stop_signal(signals.add), when_stopped(lambda: STOPPING), when_ended(NOT_JOINED):
        yield signals


class Jobs(Protocol):
    """What a coordinator has trained: the shards of one run, or the runs of many cells."""

    @property
    def run(self) -> RunFolder:
        """The folder that all belongs to."""
        ...

    def job(self, shard: Shard, threads: int) -> Job:
        """What the worker of a shard gets."""
        ...

    def rounds(self, shard: Shard) -> int:
        """For how many rounds a shard is to be trained."""
        ...


@dataclass
class Coordinator:
    """One session of a sharded run, or of many runs."""

    sharded: Jobs
    plan: ShardPlan
    workers: Workers
    session: Session
    session_watchers: Sequence[SessionWatcher]
    signals: StopSignals
    waiting: list[Shard] = field(default_factory=list[Shard])
    """Shards that no worker trains yet."""
    training: list[Shard] = field(default_factory=list[Shard])
    """Shards that a worker trains."""
    signals_handled: int = 0

    def run(self) -> None:
        """Until every shard is finished, or all have stopped. Raises SparringError when one fails."""
        statuses = self.session.statuses
        self.waiting = [shard for shard in self.plan.shards if statuses[shard.number].end not in DONE]
        while self.waiting or self.training:
            self._start_waiting()
            for shard in tuple(self.training):
                self._look_after(shard)
            if self._is_to_stop():
                self._stop()
            for watcher in self.session_watchers:
                watcher(self.session)
            time.sleep(POLL_SECONDS)

    def _start_waiting(self) -> None:
        while self.waiting and len(self.training) < self.workers.n_workers:
            shard = self.waiting.pop(0)
            self.workers.start(shard, self.sharded.job(shard, self.plan.threads))
            self.training.append(shard)

    def _look_after(self, shard: Shard) -> None:
        """Take in its status; if its process has ended, see whether another one is needed."""
        exited = self.workers.exited(shard)  # asked first, so that its last report is there already
        status = self.workers.status(shard)
        if status is not None:
            self.session.statuses[shard.number] = status
        if exited is None:
            return
        self.training.remove(shard)
        if not self._is_done(shard, exited) and not self.session.stopping:
            self.waiting.insert(0, shard)
            self.session.statuses[shard.number] = Status.stored(shard, self.sharded.rounds(shard))

    def _is_done(self, shard: Shard, exited: Exit) -> bool:
        """Whether a shard whose process has ended needs no other. Raises SparringError where another would not help."""
        status = self.session.status(shard)
        if status.end == "failed":
            raise SparringError(status.error)
        if status.end in DONE:
            return True
        if self.session.stopping:
            return False
        if not (exited.died or status.end):
            raise SparringError(f"the process that trained {shard.name} failed: {exited.reason}; see {shard.log}")
        deaths = self.session.deaths[shard.number] = self.session.deaths.get(shard.number, 0) + 1
        if deaths >= MAX_DEATHS:
            raise SparringError(
                f"the process that trained {shard.name} was lost {deaths} times, the last time by {exited.reason}; "
                f"see {shard.log}. What was saved is in {self.sharded.run.path}: run the same command to resume"
            )
        return False

    def _is_to_stop(self) -> bool:
        """After another Ctrl-C, and once no member is left."""
        n_diverged = sum(status.n_diverged for status in self.session.statuses.values())
        all_diverged = n_diverged == self.plan.members and not self.session.stopping
        return self.signals.count > self.signals_handled or all_diverged

    def _stop(self) -> None:
        """After a common round; at once if this is not the first request, or shards are still waiting."""
        self.signals_handled = self.signals.count
        at_once = self.session.stopping or bool(self.waiting)
        self.workers.stop(0 if at_once else self._common_round())
        for shard in self.training:
            if not self.session.status(shard).rounds_per_second:
                self.workers.interrupt(shard)
        self.session.stopping = True
        self.waiting.clear()

    def _common_round(self) -> int:
        """A round that all shards can stop after, and soon; 0, which is at once, where that would take too long."""
        statuses = [self.session.status(shard) for shard in self.training]
        if len(statuses) < len(self.plan.shards) or not all(status.rounds_per_second for status in statuses):
            return 0
        last = max(status.round + math.ceil(status.rounds_per_second * LEAD_SECONDS) + 2 for status in statuses)
        slowest = max((last - status.round) / status.rounds_per_second for status in statuses)
        return last if slowest < CATCH_UP_SECONDS else 0
