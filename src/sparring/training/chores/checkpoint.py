"""Checkpoints to resume from."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sparring.game.assembly import state_of
from sparring.interruption import saving
from sparring.training.chores import Chore

if TYPE_CHECKING:
    from sparring.record.journal import Event
    from sparring.training.trainer import Trainer

CHECKPOINT_SECONDS = 2.0
"""Age of the last checkpoint from which on a log event is followed by another one."""
CHECKPOINT_SHARE = 0.05
"""Of the time spent training, the most that saving may take."""
OVERDUE_SECONDS = 30.0
"""Age of the last checkpoint at which one is saved between log points: what a kill may cost where these lie far
apart."""


class Checkpoint(Chore):
    """Saves all that training goes on from. It comes last, when the journal says all that there is to say."""

    def __init__(self) -> None:
        self._saved_at = time.monotonic()
        self.save_seconds = 0.0
        """What the last checkpoint took."""

    def is_overdue(self, trainer: Trainer) -> bool:
        return self._is_due(OVERDUE_SECONDS)

    def after_log(self, trainer: Trainer, event: Event) -> None:
        if self._is_due(CHECKPOINT_SECONDS):
            self.save(trainer)

    def end(self, trainer: Trainer) -> None:
        self.save(trainer)

    def save(self, trainer: Trainer) -> None:
        """A checkpoint of the round just played; all of the journal is on the disk after it."""
        began = time.monotonic()
        run, round_ = trainer.run, trainer.game.round
        with saving():
            run.save(round_, state_of(trainer.game))
            run.journal.append("checkpoint", round=round_, seconds=round(trainer.seconds, 3))
            run.journal.sync()
        self._saved_at = time.monotonic()
        self.save_seconds = self._saved_at - began

    def _is_due(self, seconds: float) -> bool:
        age = time.monotonic() - self._saved_at
        return age > max(seconds, self.save_seconds / CHECKPOINT_SHARE)
