"""Checkpoints that are kept along the way, to go back to or to branch from."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sparring.errors import UsageError
from sparring.game.assembly import state_of
from sparring.progress import say
from sparring.record.run import round_of
from sparring.training.chores import Chore

if TYPE_CHECKING:
    from sparring.game.game import Logged
    from sparring.record.journal import Event
    from sparring.training.chores.checkpoint import Checkpoint
    from sparring.training.trainer import Trainer

KEEP_SHARE = 0.01
"""Of the time spent training, the most that saving them may take."""
UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
MAX_COUNT = 10_000


@dataclass(frozen=True)
class Budget:
    """How many checkpoints are kept along the way, and how much of the disk they may take."""

    count: int = 24
    bytes: int = 200 * 10**6

    @classmethod
    def read(cls, text: str) -> Self:
        """From `24` (checkpoints), `500MB` or `2 GB` (all of them together), or `none`.

        Raises UsageError for anything else.
        """
        if text.strip().lower() in ("none", "0"):
            return cls(0, 0)
        found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)\s*(?:([kmgt])i?b?|(b))?", text.strip().lower())
        if found is None:
            raise UsageError(f"keep takes how many checkpoints (24), a size on the disk (500MB) or none, not {text!r}")
        if found[2] or found[3]:
            return cls(MAX_COUNT, int(float(found[1]) * UNITS[found[2] or ""]))
        count = float(found[1])
        if count != int(count) or count > MAX_COUNT:
            raise UsageError(f"keep takes up to {MAX_COUNT:,} checkpoints, or a size (500MB), not {text!r}")
        return cls(int(count), 2**62)

    def fitting(self, each: int) -> int:
        """How many checkpoints of so many bytes each there may be."""
        return min(self.count, self.bytes // max(1, each))


class Keep(Chore):
    """Keeps checkpoints of rounds that are spread evenly in the logarithm of the round: early ones lie close together.

    A file that is kept is a second name of one that is saved anyway. It comes after `Checkpoint`.
    """

    def __init__(self, budget: Budget, checkpoint: Checkpoint):
        self._budget, self._checkpoint = budget, checkpoint
        self._spent = 0.0
        """Seconds of this session."""
        self._targets: set[int] = set()

    def begin(self, trainer: Trainer) -> None:
        self._targets = set(target_rounds(trainer.recipe.rounds, self._budget.count))
        trainer.stop_at(self._targets)
        if not trainer.game.round and self._targets and not trainer.run.rounds_saved():
            began = time.monotonic()
            self._thin(trainer, trainer.run.save_kept(0, state_of(trainer.game)))
            self._spent = time.monotonic() - began

    def after_turn(self, trainer: Trainer, points: Sequence[Logged]) -> None:
        if not trainer.at_log_point:  # else once it is logged
            self._save_if_due(trainer)

    def after_log(self, trainer: Trainer, event: Event) -> None:
        self._save_if_due(trainer)

    def keep(self, trainer: Trainer) -> None:
        """Keep the checkpoint of this round, which has been saved, within the budget."""
        if self._budget.count:
            newest = trainer.run.checkpoints()[-1]
            self._thin(trainer, trainer.run.keep(newest))

    def _save_if_due(self, trainer: Trainer) -> None:
        if self._is_due(trainer):
            began = time.monotonic()
            self._checkpoint.save_if_new(trainer)
            self.keep(trainer)
            self._spent += time.monotonic() - began

    def _is_due(self, trainer: Trainer) -> bool:
        """In a round that is to be kept, where saving it takes its share of the time at most.

        That is of the time that the run will take, as far as can be estimated.
        """
        round = trainer.game.round
        if round not in self._targets or not round or round_of_newest(trainer) == round:
            return False
        time = trainer.session_seconds + (trainer.seconds_left or 0.0)
        return self._spent + self._checkpoint.save_seconds <= KEEP_SHARE * time

    def _thin(self, trainer: Trainer, newest: Path) -> None:
        kept, size = trainer.run.kept(), newest.stat().st_size
        limit = self._budget.fitting(size)
        while len(kept) > limit:
            kept.pop(too_close([round_of(path) for path in kept])).unlink(missing_ok=True)
        if not limit and self._targets:
            self._targets.clear()
            say(f"no checkpoints are kept along the way: one takes {size / 10**6:,.1f} MB (--keep SIZE allows more)")


def round_of_newest(trainer: Trainer) -> int | None:
    """The last round that is kept."""
    kept = trainer.run.kept()
    return round_of(kept[-1]) if kept else None


def target_rounds(rounds: int, count: int) -> list[int]:
    """Up to `count` rounds of a run of so many, 0 and the last among them, evenly spaced in log(1 + round)."""
    if count < 2:
        return [rounds][:count]
    return sorted({round((rounds + 1) ** (k / (count - 1))) - 1 for k in range(count)})


def too_close(rounds: Sequence[int]) -> int:
    """The index of the one that may go: between neighbors that lie closest. The first and the last stay."""
    if len(rounds) < 3:
        return 0
    gaps = [math.log((1 + after) / (1 + before)) for before, after in zip(rounds, rounds[2:], strict=False)]
    return 1 + gaps.index(min(gaps))
