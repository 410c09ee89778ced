"""Checkpoints to resume from."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

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
        self._saved_round: int | None = None
        """Of the last checkpoint of this session."""

    def is_overdue(self, trainer: Trainer) -> bool:
        return self._is_due(OVERDUE_SECONDS)

    def after_log(self, trainer: Trainer, event: Event) -> None:
        if self._is_due(CHECKPOINT_SECONDS):
            self.save(trainer)

    def end(self, trainer: Trainer) -> None:
        if self._saved_round == trainer.game.round:
            trainer.run.journal.sync()
        else:
            self.save(trainer)

    def begin(self, trainer: Trainer) -> None:
        self._saved_round = trainer.game.round or None

    def rewound(self, trainer: Trainer) -> None:
        self._saved_round = trainer.game.round

    def save_if_new(self, trainer: Trainer) -> None:
        """Unless there is one of this round. Curves are written first: what is resumed from here must have them."""
        if self._saved_round != trainer.game.round:
            trainer.log_curves()
            self.save(trainer)

    def save(self, trainer: Trainer, **fields: Any) -> None:
        """A checkpoint of the round just played; all of the journal is on the disk after it.

        `fields` are more of its event's.
        """
        began = time.monotonic()
        run, round_ = trainer.run, trainer.game.round
        with saving():
            run.save(round_, state_of(trainer.game))
            run.journal.append("checkpoint", round=round_, seconds=round(trainer.seconds, 3), **fields)
            run.journal.sync()
        self._saved_at, self._saved_round = time.monotonic(), round_
        self.save_seconds = self._saved_at - began

    def _is_due(self, seconds: float) -> bool:
        age = time.monotonic() - self._saved_at
        return age > max(seconds, self.save_seconds / CHECKPOINT_SHARE)
