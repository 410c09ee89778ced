"""Which weights a run starts with, where these are not drawn anew: those of another run (fine-tuning)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

from sparring.errors import UsageError
from sparring.fields import described

SUFFIX = re.compile(r"(?P<run>.+?)(?::(?P<seed>\d+))?(?P<best>:best)?")
"""A run, a seed of it and a checkpoint, as they are typed: `runs/a`, `runs/a:3`, `runs/a:best`, `runs/a:3:best`."""


@dataclass(frozen=True)
class StartFrom:
    """The weights of G and D in another run's checkpoint."""

    run: str
    """The run's folder."""
    seed: int | None = None
    """The member whose weights every member starts with; None where each starts with those of the same seed."""
    best: bool = False
    """Whether it is the best checkpoint, whose samples were nearest to the data, rather than the newest."""
    round: int = 0
    """The checkpoint's round, filled in when training begins."""
    weights: str = ""
    """Hash of the checkpoint, filled in when training begins."""

    @classmethod
    def read(cls, value: Any) -> StartFrom:
        """From `RUN`, `RUN:SEED`, `RUN:best` or `RUN:SEED:best`, the path of a run, or the run itself.

        Raises UsageError for anything else.
        """
        if isinstance(value, StartFrom):
            return value
        if not isinstance(value, str | os.PathLike):
            raise UsageError(f"start_from takes a run or its folder, not {described(value)}")
        if not isinstance(value, str):
            return cls(os.fspath(value))
        found = SUFFIX.fullmatch(value)
        if found is None:
            raise UsageError("start_from takes the folder of a run (RUN, RUN:SEED, RUN:best or RUN:SEED:best)")
        return cls(found["run"], None if found["seed"] is None else int(found["seed"]), bool(found["best"]))

    def __str__(self) -> str:
        return f"{self.run}{'' if self.seed is None else f':{self.seed}'}{':best' if self.best else ''}"

    @property
    def what_counts(self) -> tuple[object, ...]:
        """What decides the weights: once they are known, not where they are."""
        return self.seed, *((self.weights,) if self.weights else (self.run, self.best))
