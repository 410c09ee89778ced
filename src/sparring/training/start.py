"""The one public `train`: in this process, in several of this machine, on a Ray cluster, or under torchrun."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Literal

from sparring.errors import UsageError
from sparring.game.runtime import resolve_device
from sparring.game.world import World, local_device, process_group, world_from_env
from sparring.progress import say
from sparring.recipe import Recipe, StartFrom, find_recipe
from sparring.record import RunFolder
from sparring.training.before_start import mismatches
from sparring.training.chores.keep import Budget
from sparring.training.distributed.coordinator import train_shards
from sparring.training.distributed.sharded_run import ShardedRun
from sparring.training.distributed.status import SessionWatcher
from sparring.training.distributed.torchrun import train_in_ranks
from sparring.training.prepare import Settings, prepare
from sparring.training.single import train_here
from sparring.training.time_budget import with_rounds_for
from sparring.training.trainer import Watcher


def train(
    recipe: Recipe | str,
    out: str | Path,
    *,
    processes: int = 1,
    on: Literal["here", "ray"] = "here",
    share_batch: bool = False,
    data_dir: str | Path | None = None,
    device: str = "auto",
    threads: int | None = None,
    watchers: Sequence[Watcher] = (),
    session_watchers: Sequence[SessionWatcher] = (),
    metrics: bool = True,
    early_stop: bool = False,
    compile: bool | None = None,
    start_from: StartFrom | str | PathLike[str] | None = None,
    judge: bool = True,
    keep: str | int | None = None,
    paused: bool = False,
    minutes: float | None = None,
) -> RunFolder:
    """Train a recipe in the folder `out`, or resume the run there. Ctrl-C saves a checkpoint; call again to resume.

    A run that is stopped or finished goes on where it was if the recipe has more rounds, as a run of that length; what
    tricks with a schedule do then follows the new length.

    Args:
        recipe: A recipe, or the name of one. Its seeds are trained side by side.
        out: The run's folder.
        processes: Processes of this machine, or shards on a Ray cluster, that the seeds are distributed over.
        on: `here`, or `ray` for a Ray cluster (a running one is joined, else one is started on this machine).
        share_batch: Under torchrun: every process trains all seeds on its share of the batch, also where there are
            seeds enough to distribute.
        data_dir: Folder with the data set's files; else SPARRING_DATA, else they are downloaded once.
        device: `auto` (a CUDA GPU, else an Apple GPU, else the CPU), `cpu`, `cuda`, `cuda:1` or `mps`; under torchrun
            `cuda` is each process's own GPU.
        threads: Threads of torch in each process; chosen by the work if not given.
        watchers: Called with the `Trainer` about twice a second, if one process trains all seeds.
        session_watchers: Called with the `Session` about four times a second, if seeds are distributed.
        metrics: Evaluate samples during training, for at most 5 % of the time. Weights are the same without.
        early_stop: End the run once the quality of samples has reached a plateau; needs `metrics`.
        compile: Compile the training step; None does where the run is long enough to repay it.
        start_from: A run whose weights of G and D the members start with, where they fit (fine-tuning): the run or its
            folder, with `:SEED` behind it for the weights of one member, or `:best` for the best checkpoint's.
            The same as `recipe.replace(start_from=...)`.
        judge: Let a judge see how far samples are from the data. For images without one of the package it is trained
            before the run, once: that takes seconds for hundreds of images and about a minute for thousands. Without a
            judge nothing can say that samples are like the data.
        keep: Checkpoints that are kept along the way, to rewind to and to branch from: how many (24), how much of the
            disk (`500MB`), or `none`. By default 24, and at most 200 MB. They lie closer early in the run.
        paused: Begin paused, before the first round or where the run was left (see `run.control`).
        minutes: In place of the recipe's rounds: as many as this machine plays in so many minutes, by a pilot. Whatever
            follows the length of the run follows that. A run that has begun keeps its rounds.

    Returns:
        The run, finished or stopped.

    Raises:
        UsageError: For arguments that do not go together, or when `out` holds something else.
        SparringError: When data, disk or a worker process fail, or every member has diverged.
    """
    recipe, world = find_recipe(recipe) if isinstance(recipe, str) else recipe, world_from_env()
    if start_from is not None:
        recipe = recipe.replace(start_from=start_from)
    _check(processes, on, share_batch, world)
    if paused and world.size > 1:
        raise UsageError("several processes share every batch: only a run of one process can begin paused")
    device = resolve_device(device)
    device = local_device(device) if world.size > 1 else device
    home = Path(data_dir) if data_dir is not None else None
    budget = Budget() if keep is None else Budget.read(str(keep))
    settings = Settings(home, device, threads, metrics, early_stop, compile, judge, keep=budget, paused=paused)
    several = world.size > 1 and not share_batch and len(recipe.seeds) >= world.size
    sharded = several or processes > 1 or on == "ray"
    settings.check(sharded)
    if minutes is not None:
        if sharded or world.size > 1:
            raise UsageError("minutes are those of one process: give rounds where several train")
        recipe = with_rounds_for(minutes, recipe, out, settings)
    task = prepare(recipe, out, settings, sharded=sharded)
    for line in mismatches(task.recipe, None) if sharded and world.is_main and not task.run.exists else ():
        say(line)
    if sharded and world.size > 1:
        return train_in_ranks(ShardedRun(task, settings, world.size), world, session_watchers)
    if sharded:
        return train_shards(task, settings, processes, on, session_watchers)
    with process_group(world, device):
        return train_here(task, settings, watchers, world=world)


def _check(processes: int, on: str, share_batch: bool, world: World) -> None:
    """Raises UsageError for processes that cannot be had."""
    if processes < 1:
        raise UsageError(f"processes must be at least 1, not {processes}")
    if world.size > 1 and (processes > 1 or on == "ray"):
        raise UsageError("torchrun starts the processes already: leave out --processes and --on")
    if share_batch and world.size == 1:
        raise UsageError(
            "only processes that torchrun starts share batches: torchrun --nproc-per-node N -m sparring ..."
        )


def is_main_process() -> bool:
    """Whether this process prints the run summary: under torchrun only one of several does."""
    return world_from_env().is_main
