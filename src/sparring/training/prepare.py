"""What every way of training begins with: settle the data, check the run's folder, and create it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sparring.datasets import Source
from sparring.datasets._clusters import clusters_of
from sparring.errors import SparringError, UsageError
from sparring.objectives import Objective
from sparring.progress import say
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.training.about import write_about
from sparring.training.chores.keep import Budget
from sparring.training.continuing import Changes, adopt, changes_to
from sparring.training.starting import Arrays, settled

MAX_THREADS = 1_024
MOVED = 0.01
"""The share of examples that may be in another cluster where a run goes on: another processor rounds otherwise."""


@dataclass(frozen=True)
class Settings:
    """How to train: the arguments of `train` that do not change what is computed."""

    data_dir: Path | None = None
    device: str = "cpu"
    threads: int | None = None
    metrics: bool = True
    early_stop: bool = False
    compile: bool | None = None
    judge: bool = True
    until: int | None = None
    """The round after which to stop, as if it had been asked to then; None for the recipe's last."""
    evaluate_all: bool = False
    """Whether samples are evaluated at every log point, whatever share of the time that takes."""
    keep: Budget = field(default_factory=Budget)
    """Of checkpoints along the way."""
    paused: bool = False
    """Whether the session begins paused."""

    def check(self, sharded: bool) -> None:
        """Raises UsageError for what does not go together, and for a number of threads that cannot be."""
        if self.threads is not None and not 1 <= self.threads <= MAX_THREADS:
            raise UsageError(f"threads must lie between 1 and {MAX_THREADS:,}, not {self.threads}")
        if self.early_stop and not self.metrics:
            raise UsageError("only metrics show whether samples still get better: --early-stop needs them")
        if self.early_stop and sharded:
            raise UsageError(
                "each shard would reach its plateau in another round, "
                "so early stopping does not go with several processes"
            )
        if self.paused and sharded:
            raise UsageError("several processes train on their own: only a run of one process can begin paused")


@dataclass(frozen=True)
class Task:
    """What to train, and where."""

    recipe: Recipe
    """With settled data: what was left to the data's files is filled in."""
    run: RunFolder
    """Its folder is free, or holds this recipe's run."""
    open_data: Callable[[], Source]
    changes: Changes = field(default_factory=Changes)
    """How the recipe differs from the run's."""


def prepare(recipe: Recipe, out: str | Path, settings: Settings, *, sharded: bool) -> Task:
    """Settle the recipe's data and check the folder; nothing is written yet.

    Raises UsageError when `out` holds something else, or a run that was begun with one process where several are to
    train now (`sharded`), or the reverse; SparringError when the data cannot be read or have changed.
    """
    data, open_data = recipe.data.with_opener(settings.data_dir, settings.device)
    run = RunFolder(out)
    if not run.exists and run.path.exists() and (not run.path.is_dir() or not run.is_blank):
        raise UsageError(f"{run.path} exists and is not a run; choose another --out")
    recipe, open_data = _with_clusters(recipe.replace(data=data), open_data, run)
    recipe = settled(recipe, run)
    changes = changes_to(recipe, run) if run.exists else Changes()
    is_over = run.story.status in ("finished", "diverged") and changes.rounds is None if run.exists else False
    if sharded and run.exists and not run.sharded and run.story.events:
        raise UsageError(f"{run.path} was begun by one process: to resume it, leave out --processes and --on")
    if not sharded and run.sharded and not is_over:
        raise UsageError(f"{run.path} was begun by several processes: to resume it, give --processes N as before")
    return Task(recipe, run, open_data, changes)


def _with_clusters(
    recipe: Recipe, open_data: Callable[[], Source], run: RunFolder
) -> tuple[Recipe, Callable[[], Source]]:
    """The recipe with the sizes of its clusters, and a function that gives the data that were opened to find them.

    Raises UsageError where there can be no such clusters, SparringError where they are not those of the run.
    """
    if not recipe.clusters:
        return recipe, open_data
    source = open_data()
    sizes = clusters_of(source, recipe.clusters).sizes
    begun = tuple(run.recipe.get("cluster_sizes") or ()) if run.exists else ()
    if len(begun) == len(sizes):
        if (moved := sum(abs(a - b) for a, b in zip(begun, sizes, strict=True))) > MOVED * sum(begun):
            raise SparringError(
                f"k-means of scikit-learn finds other clusters here than when {run.path} began ({moved:,} of "
                f"{2 * sum(begun):,}): resume it with the version of then"
            )
        sizes = begun
    else:
        each = f"{min(sizes):,} to {max(sizes):,} examples each"
        say(f"{recipe.clusters} clusters of similar examples take the place of classes, {each} (--clusters 0: none)")
    return recipe.replace(cluster_sizes=sizes), lambda: source


def begin(
    task: Task,
    device: str,
    threads: int,
    processes: int,
    start: Arrays | None = None,
    objective: Objective | None = None,
    data_hash: str = "",
) -> None:
    """Create the run's folder, unless it exists, and write about.json: with what the run is trained this time.

    `start` are the weights that a run starts with which does not draw its own, `objective` is a branch's own, and
    `data_hash` is that of all examples.
    """
    run, recipe = task.run, task.recipe
    if start is not None and not run.start.is_file():
        run.save_start(start)
    if not run.exists:
        run.create(recipe.to_json())
    else:
        adopt(task.changes, recipe, run, saved_round(run))
    if recipe.origin and not (run.path / "source.py").exists():
        source = Path(recipe.origin.file).read_bytes()  # as it is: Python files need not be in UTF-8
        run.write("source.py", lambda path: path.write_bytes(source))
    write_about(run, recipe, device, threads, processes, objective, data_hash)


def saved_round(run: RunFolder) -> int | None:
    """The round of the newest checkpoint; None before there is one."""
    checkpoints = run.checkpoints()
    return int(checkpoints[-1].stem.rpartition("-")[2]) if checkpoints else None
