"""Which process trains which members, and where: written down once, so that whoever resumes the run keeps to it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from sparring.errors import SparringError
from sparring.recipe import Recipe, reload
from sparring.record import RunFolder, legacy
from sparring.training.prepare import Settings

PLAN = "plan.json"


@dataclass(frozen=True)
class Shard:
    """Some of a run's members, trained in a folder of their own."""

    number: int
    seeds: tuple[int, ...]
    folder: Path
    first: int = 0
    """The place of its first member among those of the run."""

    @property
    def run(self) -> RunFolder:
        """The shard as a run of its own."""
        return RunFolder(self.folder)

    @property
    def members(self) -> range:
        """The places of its members among those of the run."""
        return range(self.first, self.first + len(self.seeds))

    @property
    def log(self) -> Path:
        """The output of its process."""
        return self.folder.with_suffix(".log")

    @property
    def name(self) -> str:
        """Its seeds, in words."""
        first, last = self.seeds[0], self.seeds[-1]
        if len(self.seeds) == 1:
            return f"seed {first}"
        in_row = self.seeds == tuple(range(first, last + 1))
        return f"seeds {first} to {last}" if in_row else f"seeds {first}, ..., {last}"


@dataclass(frozen=True)
class ShardPlan:
    """All shards of the run in `folder`, in the order of its members."""

    folder: Path
    shards: tuple[Shard, ...]
    threads: int
    """Of each process."""

    @classmethod
    def of(cls, run: RunFolder, seeds: Sequence[int], count: int, threads: int) -> ShardPlan:
        """The plan in the run's folder, or a new one of `count` shards whose sizes differ by one member at most.

        Raises SparringError when the plan in the folder is damaged.
        """
        path = next((p for p in (run.shards / PLAN, run.shards / legacy.PLAN) if p.is_file()), None)
        if path is not None:
            try:
                stored = json.loads(path.read_text(encoding="utf-8"))
                return cls._of_seeds(run, stored["seeds"], int(stored["threads"]))
            except (ValueError, KeyError, TypeError) as error:
                raise SparringError(f"{path} does not say which shard has which seeds ({error})") from error
        count = min(count, len(seeds))
        ends = [len(seeds) * k // count for k in range(count + 1)]
        return cls._of_seeds(run, [seeds[a:b] for a, b in pairwise(ends)], threads)

    @classmethod
    def _of_seeds(cls, run: RunFolder, seeds: Sequence[Sequence[int]], threads: int) -> ShardPlan:
        shards = (
            Shard(number, tuple(some), run.shards / f"{number:03d}", sum(map(len, seeds[:number])))
            for number, some in enumerate(seeds)
        )
        return cls(run.path, tuple(shards), threads)

    @property
    def members(self) -> int:
        """Of all shards."""
        return sum(len(shard.seeds) for shard in self.shards)

    def write(self, run: RunFolder) -> None:
        """Keep it in the run's folder."""
        plan = {"seeds": [list(shard.seeds) for shard in self.shards], "threads": self.threads}
        run.write_text(f"{run.shards.name}/{PLAN}", json.dumps(plan) + "\n")


@dataclass(frozen=True, kw_only=True)
class Job:
    """All that a process needs to train a shard: plain data, which can be sent."""

    recipe: Mapping[str, Any]
    """Of the shard's own members."""
    members: int
    """Of the whole run."""
    data_dir: str | None
    device: str
    threads: int
    metrics: bool
    compile: bool | None = None
    judge: bool = True
    until: int | None = None
    evaluate_all: bool = False
    measure: int = 0
    """Samples of each member that are measured at the end; 0 to leave that to others."""

    @classmethod
    def of(cls, recipe: Recipe, settings: Settings, members: int, threads: int) -> Job:
        """For a recipe that has the shard's seeds."""
        return cls(
            recipe=recipe.to_dict(),
            members=members,
            data_dir=str(settings.data_dir.resolve()) if settings.data_dir else None,
            device=settings.device,
            threads=threads,
            metrics=settings.metrics,
            compile=settings.compile,
            judge=settings.judge,
            until=settings.until,
            evaluate_all=settings.evaluate_all,
        )

    def make_recipe(self) -> Recipe:
        """Raises SparringError where the recipe cannot be made in another process."""
        return reload(self.recipe)

    @property
    def settings(self) -> Settings:
        """The arguments of `train` that it carries."""
        home = Path(self.data_dir) if self.data_dir else None
        return Settings(
            home,
            self.device,
            self.threads,
            self.metrics,
            compile=self.compile,
            judge=self.judge,
            until=self.until,
            evaluate_all=self.evaluate_all,
        )

    def plain(self) -> dict[str, Any]:
        """For JSON; `Job(**plain)` is the same job."""
        return dataclasses.asdict(self)
