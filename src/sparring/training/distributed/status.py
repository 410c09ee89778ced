"""How far each shard has come, as its process reports it and as a session's watchers see it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from sparring.recipe import Recipe
from sparring.record.journal import json_numbers
from sparring.training.distributed.shards import Shard
from sparring.training.prepare import saved_round
from sparring.training.trainer import Trainer

End = Literal["finished", "stopped", "failed", "diverged"]
DONE = ("finished", "diverged")
"""Ends after which there is nothing left to train."""


@dataclass(frozen=True)
class Status:
    """What a shard's process reports a few times a second: plain data."""

    round: int = 0
    rounds_per_second: float = 0.0
    """Of this session."""
    seconds: float = 0.0
    """Spent training, in earlier sessions too."""
    n_diverged: int = 0
    """Members whose losses are no longer finite."""
    recent: Mapping[str, Sequence[float | None]] = field(default_factory=dict[str, "Sequence[float | None]"])
    """Each curve's mean over its recent points, one value per member."""
    end: End | None = None
    """How its process ended; None while it trains, or when it died."""
    error: str = ""
    """Of a process that failed, in one line."""

    @classmethod
    def of(cls, trainer: Trainer) -> Status:
        """Of a shard that is being trained."""
        return cls(
            round=trainer.game.round,
            rounds_per_second=round(trainer.rounds_per_second, 3),
            seconds=round(trainer.seconds, 3),
            n_diverged=len(trainer.latest.diverged),
            recent={name: json_numbers(values) for name, values in trainer.latest.recent_means().items()},
        )

    @classmethod
    def stored(cls, shard: Shard, rounds: int) -> Status:
        """Of a shard that nobody trains, which is to be trained for so many rounds: where it would be resumed."""
        if not shard.run.exists:
            return cls()
        story = shard.run.story
        saved = saved_round(shard.run) or 0
        end: End | None = "diverged" if story.status == "diverged" else None
        if story.round >= rounds and (story.status == "finished" or (story.status == "stopped" and saved >= rounds)):
            end = "finished"
        return cls(saved, seconds=story.seconds, n_diverged=len(story.diverged), end=end)

    def plain(self) -> dict[str, Any]:
        """For JSON; `Status(**plain)` is the same status."""
        return dataclasses.asdict(self)


@dataclass
class Session:
    """All shards of a run while they are trained: what session watchers are given."""

    recipe: Recipe
    shards: Sequence[Shard]
    n_workers: int
    """Shards that are trained at the same time."""
    threads: int
    """Of each worker."""
    where: str = ""
    """What the workers run on, if not on this machine alone."""
    statuses: dict[int, Status] = field(default_factory=dict[int, Status])
    """By the shard's number; one that has not reported yet is not in it."""
    deaths: dict[int, int] = field(default_factory=dict[int, int])
    """How often a shard's process died in this session."""
    stopping: bool = False
    """Whether all workers have been asked to stop."""
    began: float = field(default_factory=time.monotonic)

    @property
    def round(self) -> int:
        """Of the slowest shard."""
        return min(self.status(shard).round for shard in self.shards)

    @property
    def rounds_per_second(self) -> float:
        """Of all shards in training, added up."""
        return sum(s.rounds_per_second for s in self.statuses.values() if s.end is None)

    @property
    def seconds(self) -> float:
        """Spent training by the shard that has spent most."""
        return max((s.seconds for s in self.statuses.values()), default=0.0)

    @property
    def seconds_left(self) -> float | None:
        """An estimate; None until every shard in training has reported its pace."""
        left: list[float] = []
        for shard in self.shards:
            status = self.status(shard)
            rounds = self.recipe.rounds - status.round
            if rounds and status.end is None and not status.rounds_per_second:
                return None
            left.append(rounds / status.rounds_per_second if rounds and status.end is None else 0.0)
        return max(left)

    def status(self, shard: Shard) -> Status:
        """What the shard's process reported last."""
        return self.statuses.get(shard.number, Status())

    def recent_means(self) -> dict[str, np.ndarray]:
        """Each curve's means over its recent points, of all members that have reported: `(P,)`."""
        reported = [self.status(shard).recent for shard in self.shards]
        names = dict.fromkeys(name for each in reported for name in each)
        return {n: np.array([v for each in reported for v in each.get(n, ())], dtype=np.float64) for n in names}


SessionWatcher = Callable[[Session], None]
