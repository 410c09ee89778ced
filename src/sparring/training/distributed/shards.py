"""Which process trains which members, and where: written down once, so that whoever goes on goes on with the same."""

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
from sparring.record import Run, legacy

NAME = "plan.json"


@dataclass(frozen=True)
class Shard:
    """Some of a run's members, trained in a folder of their own."""

    number: int
    seeds: tuple[int, ...]
    folder: Path

    @property
    def run(self) -> Run:
        return Run(self.folder)

    @property
    def log(self) -> Path:
        """What its process says on stderr."""
        return self.folder.with_suffix(".log")

    @property
    def name(self) -> str:
        """In words."""
        first, last = self.seeds[0], self.seeds[-1]
        if len(self.seeds) == 1:
            return f"seed {first}"
        in_row = self.seeds == tuple(range(first, last + 1))
        return f"seeds {first} to {last}" if in_row else f"seeds {first}, ..., {last}"


@dataclass(frozen=True)
class ShardPlan:
    """All parts of the run in `folder`, in the order of its members."""

    folder: Path
    shards: tuple[Shard, ...]
    threads: int
    """Of each process."""

    @classmethod
    def of(cls, run: Run, seeds: Sequence[int], count: int, threads: int) -> ShardPlan:
        """The one that the run's folder tells, or a new one of `count` parts that differ by one member at most."""
        told = next((p for p in (run.shards / NAME, run.shards / legacy.PLAN) if p.is_file()), run.shards / NAME)
        if told.is_file():
            try:
                held = json.loads(told.read_text(encoding="utf-8"))
                return cls._made(run, held["seeds"], int(held["threads"]))
            except (ValueError, KeyError, TypeError) as error:
                raise SparringError(f"{told} does not tell which members were dealt to whom ({error})") from error
        count = min(count, len(seeds))
        ends = [len(seeds) * k // count for k in range(count + 1)]
        return cls._made(run, [seeds[a:b] for a, b in pairwise(ends)], threads)

    @classmethod
    def _made(cls, run: Run, seeds: Sequence[Sequence[int]], threads: int) -> ShardPlan:
        shards = (Shard(number, tuple(some), run.shards / f"{number:03d}") for number, some in enumerate(seeds))
        return cls(run.path, tuple(shards), threads)

    @property
    def members(self) -> int:
        return sum(len(shard.seeds) for shard in self.shards)

    def write(self, run: Run) -> None:
        told = {"seeds": [list(shard.seeds) for shard in self.shards], "threads": self.threads}
        run.write_text(f"{run.shards.name}/{NAME}", json.dumps(told) + "\n")


@dataclass(frozen=True, kw_only=True)
class Job:
    """All that a process must be told to train a part: plain data, which travels."""

    recipe: Mapping[str, Any]
    """Of the part's own members."""
    members: int
    """Of the whole run."""
    data_dir: str | None
    device: str
    threads: int
    metrics: bool
    compile: bool | None = None

    def made(self) -> Recipe:
        return reload(self.recipe)

    def plain(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
