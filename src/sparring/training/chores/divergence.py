"""Members whose losses are no longer finite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparring.errors import SparringError
from sparring.training.chores import Chore

if TYPE_CHECKING:
    from sparring.record import RunFolder
    from sparring.record.journal import Event
    from sparring.training.trainer import Trainer


class Divergence(Chore):
    """Says in the journal which members diverged. Raises SparringError once every member of the run has."""

    def after_log(self, trainer: Trainer, event: Event) -> None:
        latest, round = trainer.latest, trainer.game.round
        lost = {m for row in latest.curves.values() for m in np.flatnonzero(~np.isfinite(row)).tolist()}
        if new := sorted(lost - latest.diverged):
            latest.diverged |= lost
            trainer.run.journal.append("diverged", round=round, members=new)
        if len(latest.diverged) == trainer.members:
            trainer.run.journal.append("diverged-all", round=round)
            raise all_diverged(trainer.run, round)


def all_diverged(run: RunFolder, round: int) -> SparringError:
    """What to raise when no member is left."""
    return SparringError(
        f"every member diverged by round {round}: its losses are not finite. "
        f"The journal in {run.path} says when each did; a lower learning rate is the first thing to try"
    )
