"""Which process am I, and how do processes agree? Today the world is one process; its verbs are what the game uses.

A population's members are never split: every process holds all P of them and sees its own share of each batch, and
gradients are averaged before a step. So N processes are one process with the same total batch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from torch import Tensor


@dataclass(frozen=True)
class World:
    """`size` processes, of which this is number `rank`."""

    rank: int = 0
    size: int = 1

    def __post_init__(self) -> None:
        if self.size != 1 or self.rank != 0:
            raise ValueError("a world of several processes is not available: World() is rank 0 of 1")

    @property
    def leads(self) -> bool:
        """Whether this process writes the journal, the weights and the pictures."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """This process's examples of a whole batch, `(P, B, ...)` -> `(P, B / size, ...)`."""
        return batch

    def average(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        """Gradients averaged over processes, in order."""
        return gradients


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def idle_cores() -> int:
    """Cores that nothing else runs on just now, at least 1; all of them where the system does not tell."""
    try:
        runs: list[int] = []
        for _ in range(7):
            runs.append(int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0]))
            time.sleep(0.01)
    except (OSError, ValueError, IndexError):
        return cores()
    return max(1, cores() - max(0, round(median(runs)) - 1))  # one of those that run is this process
