"""A sharded run by the processes that torchrun started: each trains its own shards, and the main one joins them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from sparring.errors import SparringError
from sparring.game.world import World, process_group
from sparring.record import RunFolder, training_lock
from sparring.training.distributed.channel import SharedFolder, reported_status
from sparring.training.distributed.coordinator import CATCH_UP_SECONDS, POLL_SECONDS, counting_stop_signals
from sparring.training.distributed.sharded_run import ShardedRun
from sparring.training.distributed.shards import ShardPlan
from sparring.training.distributed.status import DONE, SessionWatcher
from sparring.training.distributed.worker import work
from sparring.training.trainer import Watcher


def train_in_ranks(sharded: ShardedRun, world: World, session_watchers: Sequence[SessionWatcher]) -> RunFolder:
    """Every process of `world` calls this. Raises SparringError when one of this process's shards fails."""
    run, recipe = sharded.run, sharded.task.recipe
    with process_group(world), training_lock(run.path) if world.is_main else nullcontext():
        if world.is_main:
            sharded.plan()
        world.barrier()
        plan = ShardPlan.of(run, recipe.seeds, sharded.count, 1)
        mine = plan.shards[world.rank :: world.size]
        for shard in mine:
            shard.folder.with_suffix(".json").unlink(missing_ok=True)
        run.shards.joinpath("stop").unlink(missing_ok=True)
        world.barrier()
        session = sharded.session(plan, world.size)

        def update() -> None:
            reported = {shard.number: reported_status(shard.folder) for shard in plan.shards}
            session.statuses |= {number: status for number, status in reported.items() if status}
            for watcher in session_watchers:
                watcher(session)

        watchers: tuple[Watcher, ...] = (lambda trainer: update(),) if world.is_main else ()
        for shard in mine:
            status = work(sharded.job(shard, plan.threads), shard.folder, SharedFolder(shard.folder), watchers)
            if status.end == "failed":
                raise SparringError(status.error)
            if status.end == "stopped":
                break
        if not world.is_main:
            return run
        _wait_for_ranks(plan, world, update)
        return sharded.join(plan)


def _wait_for_ranks(plan: ShardPlan, world: World, update: Callable[[], None]) -> None:
    """Until the others have ended, or until CATCH_UP_SECONDS after this process was asked to stop."""

    def is_training(rank: int) -> bool:
        reported = [reported_status(shard.folder) for shard in plan.shards[rank :: world.size]]
        ends = [status.end if status else None for status in reported]
        return "stopped" not in ends and any(end not in DONE for end in ends)

    with counting_stop_signals() as signals:
        until = math.inf
        while any(is_training(rank) for rank in range(world.size)) and time.monotonic() < until:
            update()
            if signals.count:
                until = min(until, time.monotonic() + CATCH_UP_SECONDS)
            time.sleep(POLL_SECONDS)
