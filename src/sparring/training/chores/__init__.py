"""What a trainer does beside playing rounds: record, evaluate, keep the best, stop early, save. One file per chore."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparring.game.game import Logged
    from sparring.record.journal import Event
    from sparring.training.trainer import Trainer


class Chore:
    """One duty of a trainer. It owns its state, the share of the time it may take, and its events in the journal.

    A trainer calls the hooks of all its chores in order. Here they do nothing; a chore, which is final, overrides those
    it needs. No hook changes what is computed: a run has the same weights whichever chores it has.
    """

    def begin(self, trainer: Trainer) -> None:
        """Called once per session, before its first log event. The journal has its `started` or `resumed` event."""

    def after_turn(self, trainer: Trainer, points: Sequence[Logged]) -> None:
        """Called after every turn of rounds, with the curve points that the turn yielded."""

    def is_overdue(self, trainer: Trainer) -> bool:
        """Whether a log event must be written now, although this round is no log point."""
        return False

    def log_fields(self, trainer: Trainer) -> dict[str, Any]:
        """What it adds to the log event that is about to be written."""
        return {}

    def after_log(self, trainer: Trainer, event: Event) -> None:
        """Called once a log event, with the fields of all chores, is in the journal."""

    def rewound(self, trainer: Trainer) -> None:
        """Called when the run was taken back to an earlier round, and its journal with it."""

    def end(self, trainer: Trainer) -> None:
        """Called once, after the last round of a session that was not interrupted by an error."""
