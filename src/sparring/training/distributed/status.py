"""How far each part has come, as its process tells and as whoever watches sees it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from sparring.recipe import Recipe
from sparring.record.journal import json_numbers
from sparring.training.distributed.shards import Shard
from sparring.training.trainer import Trainer

End = Literal["finished", "stopped", "failed"]


@dataclass(frozen=True)
class Status:
    """What a part's process tells of itself now and then: plain data."""

    round: int = 0
    pace: float = 0.0
    """Rounds a second in this sitting."""
    seconds: float = 0.0
    """Spent training, earlier sittings included."""
    lost: int = 0
    """Members whose numbers are not finite any more."""
    lately: Mapping[str, Sequence[float | None]] = field(default_factory=dict[str, "Sequence[float | None]"])
    """Each curve's mean over its last points, one for each member."""
    end: End | None = None
    """How its process ended; None while it is at work, or when it died."""
    error: str = ""
    """Of one that failed, in one line."""

    @classmethod
    def of(cls, trainer: Trainer) -> Status:
        return cls(
            round=trainer.game.round,
            pace=round(trainer.rounds_per_second, 3),
            seconds=round(trainer.seconds, 3),
            lost=trainer.lost,
            lately={name: json_numbers(values) for name, values in trainer.lately().items()},
        )

    def plain(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


@dataclass
class Session:
    """All parts of a run while they are trained: what watchers are shown."""

    recipe: Recipe
    shards: Sequence[Shard]
    processes: int
    """That work side by side."""
    threads: int
    """Of each."""
    where: str = ""
    """What they run on, if not this machine alone."""
    statuses: dict[int, Status] = field(default_factory=dict[int, Status])
    """By the part's number; one that has told nothing yet is not in it."""
    deaths: dict[int, int] = field(default_factory=dict[int, int])
    """How often a part's process died in this sitting."""
    stopping: bool = False
    began: float = field(default_factory=time.monotonic)

    @property
    def round(self) -> int:
        """Of the slowest part."""
        return min(self.status(shard).round for shard in self.shards)

    @property
    def rounds_per_second(self) -> float:
        """Of all parts that are at work, added up."""
        return sum(s.pace for s in self.statuses.values() if s.end is None)

    @property
    def seconds(self) -> float:
        """Spent training by the part that has spent most."""
        return max((s.seconds for s in self.statuses.values()), default=0.0)

    @property
    def seconds_left(self) -> float | None:
        """An estimate; None until every part at work has a pace."""
        left: list[float] = []
        for shard in self.shards:
            status = self.status(shard)
            rounds = self.recipe.rounds - status.round
            if rounds and status.end is None and not status.pace:
                return None
            left.append(rounds / status.pace if rounds and status.end is None else 0.0)
        return max(left)

    def status(self, shard: Shard) -> Status:
        return self.statuses.get(shard.number, Status())

    def lately(self) -> dict[str, np.ndarray]:
        """Each curve's means over its last points, of all members that tell: `(P,)`."""
        told = [self.status(shard).lately for shard in self.shards]
        names = dict.fromkeys(name for each in told for name in each)
        return {n: np.array([v for each in told for v in each.get(n, ())], dtype=np.float64) for n in names}
