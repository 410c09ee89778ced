"""Runs in shards, and how one is compared with the run of one process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import sparring.training.trainer
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.record.grid import LAYOUT
from sparring.record.story import CURVES, GRADIENTS
from sparring.training.distributed.channel import SharedFolder, reported_status
from sparring.training.distributed.shards import Job, Shard, ShardPlan
from sparring.training.distributed.status import Status
from sparring.training.distributed.worker import work
from sparring.training.distributed.workers import Exit, Workers

ROUNDING = 2e-3
"""float32 after 40 rounds; law 1 finds as much after 30."""


class Here(Workers):
    """Trains a shard at once, in this process, when it is started."""

    def __init__(self, plan: ShardPlan, n_workers: int):
        self.n_workers = min(n_workers, len(plan.shards))

    def start(self, shard: Shard, job: Job) -> None:
        work(job, shard.folder, SharedFolder(shard.folder))

    def status(self, shard: Shard) -> Status | None:
        return reported_status(shard.folder)

    def exited(self, shard: Shard) -> Exit | None:
        return Exit("its end", died=False)

    def stop(self, round: int) -> None:
        pass

    def shut_down(self) -> None:
        pass


def content_of(run: RunFolder) -> dict[str, Any]:
    """All that does not depend on the time that things took."""
    story = run.story
    round, state = run.load() or (0, {})
    facts: dict[str, Any] = {f"curve {name}": story.curve(name) for name in (*CURVES, *GRADIENTS)}
    facts |= {f"state {name}": array for name, array in state.items()}
    for name in story.pictures:
        with Image.open(run.path / name) as picture:
            facts |= {name: np.asarray(picture) / 255, f"{name} layout": picture.info[LAYOUT]}
    facts |= {"logged": story.logged_rounds, "round": round, "status": story.status, "diverged": story.diverged}
    facts["log_points"] = [log_point["round"] for log_point in story.log_points if "picture" in log_point]
    facts["real-baseline"] = (story.real_baseline or {}).get("metrics")
    facts |= {f"in the end, {name}": values[-1] for name, values in story.evaluations[1].items()}
    return facts | {"outputs": None if story.outputs is None else story.outputs[1]}


def assert_same(run: RunFolder, whole: RunFolder, tolerance: float = 0.0) -> None:
    mine, theirs = content_of(run), content_of(whole)
    assert mine.keys() == theirs.keys()
    for name, value in theirs.items():
        if tolerance and isinstance(value, np.ndarray) and value.dtype.kind == "f":
            np.testing.assert_allclose(mine[name], value, rtol=tolerance, atol=tolerance, err_msg=name)
        else:
            np.testing.assert_equal(mine[name], value, err_msg=name)


def assert_of_its_shards(run: RunFolder, shards: list[RunFolder]) -> None:
    """Bit for bit."""
    mine, *theirs = ((each.load() or (0, {}))[1] for each in (run, *shards))
    for name, array in mine.items():
        each = [state[name] for state in theirs]
        np.testing.assert_array_equal(array, np.concatenate(each) if array.ndim else each[0], err_msg=name)


def in_shards(recipe: Recipe, folder: Path, processes: int = 3, **more: Any) -> RunFolder:
    return sparring.training.train(recipe, folder, processes=processes, threads=1, compile=False, **more)


def alone(recipe: Recipe, folder: Path) -> RunFolder:
    return sparring.training.train(recipe, folder, threads=1, compile=False)
