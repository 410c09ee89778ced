"""What every way of training begins with: settle the data, check the run's folder, and create it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sparring.datasets import Source
from sparring.errors import SparringError, UsageError, shortened
from sparring.recipe import Recipe, default_settings
from sparring.record import RunFolder
from sparring.training.about import write_about


@dataclass(frozen=True)
class Settings:
    """How to train: the arguments of `train` that do not change what is computed."""

    data_dir: Path | None = None
    device: str = "cpu"
    threads: int | None = None
    metrics: bool = True
    early_stop: bool = False
    compile: bool | None = None

    def check(self, sharded: bool) -> None:
        """Raises UsageError for what does not go together."""
        if self.early_stop and not self.metrics:
            raise UsageError("only metrics show whether samples still get better: --early-stop needs them")
        if self.early_stop and sharded:
            raise UsageError(
                "each shard would reach its plateau in another round, "
                "so early stopping does not go with several processes"
            )


@dataclass(frozen=True)
class Task:
    """What to train, and where."""

    recipe: Recipe
    """With settled data: what was left to the data's files is filled in."""
    run: RunFolder
    """Its folder is free, or holds this recipe's run."""
    open_data: Callable[[], Source]


def prepare(recipe: Recipe, out: str | Path, settings: Settings, *, sharded: bool) -> Task:
    """Settle the recipe's data and check the folder; nothing is written yet.

    Raises UsageError when `out` holds something else, or a run that was begun with one process where several are to
    train now (`sharded`), or the reverse; SparringError when the data cannot be read or have changed.
    """
    data, open_data = recipe.data.with_opener(settings.data_dir, settings.device)
    recipe, run = recipe.replace(data=data), RunFolder(out)
    check_folder(recipe, run)
    if sharded and run.exists and not run.sharded and run.story.events:
        raise UsageError(f"{run.path} was begun by one process: to resume it, leave out --processes and --on")
    if not sharded and run.sharded and run.story.status not in ("finished", "diverged"):
        raise UsageError(f"{run.path} was begun by several processes: to resume it, give --processes N as before")
    return Task(recipe, run, open_data)


def check_folder(recipe: Recipe, run: RunFolder) -> None:
    """Raises UsageError when the folder holds anything but this recipe's run, SparringError when its data changed."""
    if run.exists:
        mine = recipe.to_dict()
        theirs = default_settings() | run.recipe  # which may be older than some setting
        different = [k for k in mine if k not in ("origin", "name") and mine[k] != theirs.get(k)]
        if "data" in different and (changed := recipe.data.changed_since(theirs.get("data") or {})):
            raise SparringError(f"{run.path} cannot be resumed: {changed}")
        if different:
            field = different[0]
            raise UsageError(
                f"{run.path} holds another run: its {field} is {shortened(theirs.get(field))}, "
                f"not {shortened(mine[field])}; choose another --out, or the same settings to resume it"
            )
    elif run.path.exists() and (not run.path.is_dir() or not run.is_blank):
        raise UsageError(f"{run.path} exists and is not a run; choose another --out")


def begin(task: Task, device: str, threads: int, processes: int) -> None:
    """Create the run's folder, unless it exists, and write about.json: with what the run is trained this time."""
    run, recipe = task.run, task.recipe
    if not run.exists:
        run.create(recipe.to_json())
    if recipe.origin and not (run.path / "source.py").exists():
        run.write_text("source.py", Path(recipe.origin.file).read_text(encoding="utf-8"))
    write_about(run, recipe, device, threads, processes)


def saved_round(run: RunFolder) -> int | None:
    """The round of the newest checkpoint; None before there is one."""
    checkpoints = run.checkpoints()
    return int(checkpoints[-1].stem.rpartition("-")[2]) if checkpoints else None
