"""Runs of cells given to processes of this machine or to a Ray cluster, by the coordinator that trains shards too."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparring.errors import SparringError, UsageError
from sparring.game.assembly import threads_for
from sparring.game.runtime import idle_cores
from sparring.recipe import reload
from sparring.record import RunFolder
from sparring.study.folder import StudyFolder
from sparring.study.populations import Unit
from sparring.study.progress import StudyProgress
from sparring.training.distributed.coordinator import Coordinator, counting_stop_signals
from sparring.training.distributed.shards import Job, Shard, ShardPlan
from sparring.training.distributed.status import DONE, Session, Status
from sparring.training.distributed.workers import LocalWorkers
from sparring.training.prepare import Settings

if TYPE_CHECKING:
    from sparring.study.training import Machine


@dataclass(frozen=True)
class _Cells:
    """The runs that a coordinator has trained: each is a shard of its own, which is joined with no other."""

    run: RunFolder
    """The study's folder, as messages name it."""
    due: Mapping[int, tuple[Unit, int]]
    """Number of the shard -> its run, and until which round."""
    settings: Settings
    samples: int

    def job(self, shard: Shard, threads: int) -> Job:
        """What a worker gets."""
        unit, until = self.due[shard.number]
        is_last = until == unit.recipe.rounds
        settings = dataclasses.replace(self.settings, until=None if is_last else until)
        job = Job.of(unit.recipe, settings, len(unit.recipe.seeds), threads)
        return dataclasses.replace(job, measure=self.samples if is_last and not unit.is_population else 0)

    def rounds(self, shard: Shard) -> int:
        """For how many rounds it is to be trained now."""
        return self.due[shard.number][1]


def train_in_workers(
    folder: StudyFolder, due: Sequence[tuple[Unit, int]], settings: Settings, machine: Machine, progress: StudyProgress
) -> bool:
    """Train runs side by side, each until its round, and measure those that are finished.

    Returns whether all were trained: not where Ctrl-C was pressed. Raises UsageError for recipes that other processes
    cannot make, SparringError when a run fails or is lost again and again.
    """
    for unit, _ in due:
        _check_others_can_make(unit)
    shards = tuple(Shard(i, unit.recipe.seeds, unit.run.path) for i, (unit, _) in enumerate(due))
    threads = settings.threads or _threads(due, machine.processes)
    plan = ShardPlan(folder.path, shards, threads)
    shards[0].folder.parent.mkdir(parents=True, exist_ok=True)
    cells = _Cells(RunFolder(folder.path), dict(enumerate(due)), settings, machine.count)
    with counting_stop_signals() as signals:
        workers = _workers(plan, machine)
        statuses = {shard.number: Status.stored(shard, cells.rounds(shard)) for shard in shards}
        session = Session(due[0][0].recipe, shards, workers.n_workers, threads, workers.where, statuses)

        done: set[int] = set()

        def watch(now: Session) -> None:
            for number, (unit, until) in cells.due.items():
                status = now.statuses.get(number)
                if status is not None and status.end in DONE and number not in done:
                    done.add(number)
                    progress.finish(unit, until)
                elif status is not None and status.end is None:
                    progress.update(unit, status.round)

        try:
            Coordinator(cells, plan, workers, session, (watch,), signals).run()
        except SparringError as error:
            workers.stop(0)
            raise SparringError(
                f"{error}; the other cells are kept; rerun the same command to go on with them"
            ) from error
        finally:
            workers.shut_down()
    for shard in shards:
        if shard.number in done:
            for suffix in (".job", ".json", ".log"):
                shard.folder.with_suffix(suffix).unlink(missing_ok=True)
    return not session.stopping or all(unit.is_over(until) for unit, until in due)


def _workers(plan: ShardPlan, machine: Machine) -> LocalWorkers:
    if machine.on == "ray":
        from sparring.training.distributed.ray import RayWorkers

        return RayWorkers(plan)  # pyright: ignore[reportReturnType]
    return LocalWorkers(plan, machine.processes)


def _threads(due: Sequence[tuple[Unit, int]], processes: int) -> int:
    """Of each process: what the largest run keeps busy, on its share of the cores."""
    wanted = max(threads_for(unit.recipe) for unit, _ in due)
    return max(1, min(wanted, idle_cores() // min(processes, len(due))))


def _check_others_can_make(unit: Unit) -> None:
    recipe = unit.recipe
    try:
        remade = reload(recipe.to_dict())
    except SparringError as error:
        raise UsageError(f"{unit.label}: other processes cannot make this recipe: {error}") from error
    if remade.id != recipe.id:
        raise UsageError(
            f"{unit.label}: other processes would make another recipe: put what is your own into a file with a "
            "function annotated `-> Recipe`, or leave out --processes"
        )
    recipe.data.hand_over()
