"""The leader of a run that is dealt out: starts what trains its parts, begins again what was lost, and joins them."""

from __future__ import annotations

import dataclasses
import math
import signal
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Literal

from sparring.errors import SparringError, UsageError
from sparring.game.runtime import idle_cores, threads_for
from sparring.game.world import World, local_device, process_group, world_from_env
from sparring.recipe import Recipe, find_recipe, reload
from sparring.record import Run, training_lock
from sparring.record.joining import join
from sparring.training.distributed.shards import Job, Shard, ShardPlan
from sparring.training.distributed.status import Session, Status
from sparring.training.distributed.worker import SharedFolder, heard, work
from sparring.training.distributed.workers import Exit, LocalWorkers, Workers
from sparring.training.trainer import Watcher, begin, check_same
from sparring.training.trainer import train as train_here

Spectator = Callable[[Session], None]

LOOK_SECONDS = 0.25
"""How often the leader looks how it goes."""
AHEAD_SECONDS = 1.5
"""Until word of a round to stop after has reached every part."""
MOST_DEATHS = 3
"""Of processes at work on one part, in one sitting."""
TOGETHER_SECONDS = 10.0
"""What the slowest part may take, once Ctrl-C was pressed, to come as far as the furthest: all then end in one round,
and there are weights of it."""


def train(
    recipe: Recipe | str,
    out: str | Path,
    *,
    processes: int = 1,
    on: Literal["here", "ray"] = "here",
    share_batch: bool = False,
    data_dir: str | Path | None = None,
    device: str = "cpu",
    threads: int | None = None,
    watchers: Sequence[Watcher] = (),
    session_watchers: Sequence[Spectator] = (),
    metrics: bool = True,
    early_stop: bool = False,
    compile: bool | None = None,
) -> Run:
    """Train `recipe` in the folder `out` with all the processes there are, or go on where it was left; see `trainer`.

    Under torchrun every process calls this. Members are dealt out to `processes` of this machine, to a Ray cluster or
    to torchrun's, as far as there is one for each; with `share_batch`, or when there are fewer members than torchrun's
    processes, every batch is shared instead. A training in one process is shown to `watchers`, one that is dealt out
    to `spectators`. Raises UsageError for what cannot be dealt out, SparringError when a part fails or is lost again
    and again.
    """
    recipe = find_recipe(recipe) if isinstance(recipe, str) else recipe
    world, sharded = world_from_env(), processes > 1 or on == "ray"
    if processes < 1:
        raise UsageError(f"processes must be at least 1, not {processes}")
    if world.size > 1 and sharded:
        raise UsageError("torchrun starts the processes already: leave out --processes and --on")
    if share_batch and world.size == 1:
        raise UsageError(
            "only processes that torchrun starts share batches: torchrun --nproc-per-node N -m sparring ..."
        )
    if world.size > 1:
        device = local_device(device)
    shares = world.size > 1 and (share_batch or len(recipe.seeds) < world.size)
    if shares or (world.size == 1 and not sharded):
        with process_group(world, device):
            return train_here(
                recipe,
                out,
                data_dir=data_dir,
                device=device,
                threads=threads,
                watchers=watchers,
                metrics=metrics,
                early_stop=early_stop,
                compile=compile,
                world=world,
            )
    if early_stop:
        raise UsageError(
            "each shard would reach its plateau at another time, so early stopping does not go with several processes"
        )
    home = Path(data_dir) if data_dir is not None else None
    recipe = recipe.replace(data=recipe.data.settled_to_open(home, device)[0])
    job = Job(
        recipe=recipe.to_dict(),
        members=len(recipe.seeds),
        data_dir=str(home.resolve()) if home else None,
        device=device,
        threads=threads or 0,
        metrics=metrics,
        compile=compile,
    )
    table = _Table(Run(out), recipe, job, max(processes, world.size) if on == "here" else max(processes, 2))
    if world.size > 1:
        return _in_ranks(table, world, session_watchers)
    if on == "ray":
        from sparring.training.distributed.ray import RayWorkers

        return _led(table, lambda deal: RayWorkers(table.run, deal), session_watchers)
    return _led(table, lambda deal: LocalWorkers(deal, processes), session_watchers)


@dataclass(frozen=True)
class _Table:
    """The run that is dealt out."""

    run: Run
    recipe: Recipe
    job: Job
    """For all members; each part's is like it."""
    count: int
    """Parts, if there are as many members."""

    def deal(self) -> ShardPlan:
        """Make the run's folder and deal, unless both are there. Raises UsageError for what cannot be dealt out."""
        run, recipe = self.run, self.recipe
        check_same(recipe, run)
        if run.exists and not run.sharded and run.story.events:
            raise UsageError(f"{run.path} was begun by one process: to go on, leave out what asks for several")
        try:
            there = reload(recipe.to_dict()).id
        except SparringError as error:
            raise UsageError(f"other processes cannot make this recipe: {error}") from error
        if there != recipe.id:
            raise UsageError("other processes would make another recipe: put the changes in the file that it is from")
        home = Path(self.job.data_dir) if self.job.data_dir else None
        recipe.data.open(home, "cpu")  # so that what is wrong with the data is said once, and nothing is fetched twice
        of_each = recipe.replace(seeds=recipe.seeds[: -(-len(recipe.seeds) // self.count)])
        threads = self.job.threads or max(1, min(threads_for(of_each), idle_cores() // self.count))
        deal = ShardPlan.of(run, recipe.seeds, self.count, threads)
        begin(run, recipe, self.job.device, deal.threads, len(deal.shards))
        deal.write(run)
        return deal

    def order_for(self, shard: Shard, threads: int) -> Job:
        recipe = self.recipe.replace(seeds=shard.seeds).to_dict()
        return dataclasses.replace(self.job, recipe=recipe, threads=threads)

    def join(self, deal: ShardPlan) -> Run:
        """Raises SparringError when every member of every part has diverged."""
        run, shards = self.run, [shard.run for shard in deal.shards]
        if not all(shard.exists for shard in shards):
            run.journal.append("stopped", round=0, seconds=0.0)
            return run
        join(run, shards, self.recipe.id)
        story = run.story
        if story.status == "diverged":
            raise SparringError(
                f"every member diverged by round {story.round}: its losses are not finite. "
                f"The journal in {run.path} tells when each did; a lower learning rate is the first thing to try"
            )
        return run

    def session(self, deal: ShardPlan, processes: int, where: str = "") -> Session:
        held = {shard.number: _saved(shard) for shard in deal.shards}
        return Session(self.recipe, deal.shards, processes, deal.threads, where, held)


def _saved(shard: Shard) -> Status:
    """Where a part goes on from."""
    if not shard.run.exists:
        return Status()
    story, checkpoints = shard.run.story, shard.run.checkpoints()
    round = int(checkpoints[-1].stem.rpartition("-")[2]) if checkpoints else 0
    return Status(round, seconds=story.seconds, end="finished" if story.status == "finished" else None)


def _led(table: _Table, crew_of: Callable[[ShardPlan], Workers], session_watchers: Sequence[Spectator]) -> Run:
    """By a crew that this process leads."""
    with training_lock(table.run.path):
        deal = table.deal()
        if table.run.story.status == "finished":
            return table.run
        with _asked() as asked:
            crew = crew_of(deal)
            session = table.session(deal, crew.n_workers, crew.where)
            try:
                _Leader(table, deal, crew, session, session_watchers, asked).lead()
            except SparringError:
                crew.stop(0)
                crew.leave()
                table.join(deal)
                raise
            finally:
                crew.leave()
        return table.join(deal)


@dataclass
class _Leader:
    table: _Table
    deal: ShardPlan
    crew: Workers
    session: Session
    session_watchers: Sequence[Spectator]
    asked: list[int]

    def lead(self) -> None:
        """Until every part is finished, or all have stopped. Raises SparringError when one cannot be."""
        done = {number for number, status in self.session.statuses.items() if status.end == "finished"}
        waiting = [shard for shard in self.deal.shards if shard.number not in done]
        at_work: list[Shard] = []
        heeded = 0
        while waiting or at_work:
            while waiting and len(at_work) < self.crew.n_workers:
                shard = waiting.pop(0)
                self.crew.start(shard, self.table.order_for(shard, self.deal.threads))
                at_work.append(shard)
            for shard in tuple(at_work):
                exited = self.crew.exited(shard)  # asked first: what it told last is then there
                self._hear(shard)
                if exited is not None:
                    at_work.remove(shard)
                    if not self._is_done(shard, exited) and not self.session.stopping:
                        waiting.insert(0, shard)
                        self.session.statuses[shard.number] = _saved(shard)
            lost = sum(status.lost for status in self.session.statuses.values())
            if len(self.asked) > heeded or (lost == self.deal.members and not self.session.stopping):
                heeded = len(self.asked)
                self.crew.stop(self._last_round(at_work) if not (self.session.stopping or waiting) else 0)
                self.session.stopping = True
                waiting.clear()
            for show in self.session_watchers:
                show(self.session)
            time.sleep(LOOK_SECONDS)

    def _hear(self, shard: Shard) -> None:
        status = self.crew.status(shard)
        if status is not None:
            self.session.statuses[shard.number] = status

    def _is_done(self, shard: Shard, exited: Exit) -> bool:
        """Whether a part whose process is gone needs no other. Raises SparringError where another would not help."""
        status = self.session.status(shard)
        if status.end == "failed":
            raise SparringError(status.error)
        if status.end == "finished":
            return True
        if not (exited.died or status.end):
            raise SparringError(f"the process that trained {shard.name} failed: {exited.why}; {shard.log} tells more")
        deaths = self.session.deaths[shard.number] = self.session.deaths.get(shard.number, 0) + 1
        if deaths >= MOST_DEATHS and not self.session.stopping:
            raise SparringError(
                f"the process that trained {shard.name} was lost {deaths} times, the last time by {exited.why}; "
                f"{shard.log} may tell more. What was saved is in {self.table.run.path}: the same command goes on"
            )
        return False

    def _last_round(self, at_work: Sequence[Shard]) -> int:
        """One that all can stop after, soon and none too late; 0, which is at once, where it would take too long."""
        held = [self.session.status(shard) for shard in at_work]
        if len(held) < len(self.deal.shards) or not all(status.pace for status in held):
            return 0
        last = max(status.round + math.ceil(status.pace * AHEAD_SECONDS) + 2 for status in held)
        slowest = max((last - status.round) / status.pace for status in held)
        return last if slowest < TOGETHER_SECONDS else 0


def _in_ranks(table: _Table, world: World, session_watchers: Sequence[Spectator]) -> Run:
    """By the processes that torchrun started: each its own parts; the first joins them."""
    with process_group(world), training_lock(table.run.path) if world.is_main else nullcontext():
        if world.is_main:
            table.deal()
        world.barrier()
        deal = ShardPlan.of(table.run, table.recipe.seeds, table.count, 1)
        mine = deal.shards[world.rank :: world.size]
        for shard in mine:
            shard.folder.with_suffix(".json").unlink(missing_ok=True)
        table.run.shards.joinpath("stop").unlink(missing_ok=True)
        world.barrier()
        session = table.session(deal, world.size)

        def show() -> None:
            session.statuses |= {shard.number: told for shard in deal.shards if (told := heard(shard.folder))}
            for each in session_watchers:
                each(session)

        watchers: tuple[Watcher, ...] = (lambda trainer: show(),) if world.is_main else ()
        for shard in mine:
            channel = SharedFolder(shard.folder)
            exited = work(table.order_for(shard, deal.threads), shard.folder, channel, watchers)
            if exited.end == "failed":
                raise SparringError(exited.error)
            if exited.end == "stopped":
                break
        if not world.is_main:
            return table.run
        _wait_for_ranks(deal, world, show)
        return table.join(deal)


def _wait_for_ranks(deal: ShardPlan, world: World, show: Callable[[], None]) -> None:
    """Until the others have ended, or a little after this process was asked to."""

    def at_work(rank: int) -> bool:
        told = [heard(shard.folder) for shard in deal.shards[rank :: world.size]]
        ends = [status.end if status else None for status in told]
        return "stopped" not in ends and any(end != "finished" for end in ends)

    with _asked() as asked:
        until = math.inf
        while any(at_work(rank) for rank in range(world.size)) and time.monotonic() < until:
            show()
            if asked:
                until = min(until, time.monotonic() + TOGETHER_SECONDS)
            time.sleep(LOOK_SECONDS)


@contextmanager
def _asked() -> Generator[list[int]]:
    """The signals that asked to stop, as they come; the third interrupts at once."""
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        if len(asked) > 2:
            raise KeyboardInterrupt

    try:
        before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: whoever runs us there has their own way to stop
        yield asked
        return
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
