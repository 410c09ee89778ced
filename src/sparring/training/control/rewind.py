"""A run is taken back to one of its checkpoints, and goes on from there in the same folder.

What came after that round is given up: its checkpoints are deleted, its events in the journal count no more. Settings
that were changed after the round are undone with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sparring.errors import SparringError, UsageError, shortened
from sparring.record import RunFolder, training_lock
from sparring.record.run import round_of

if TYPE_CHECKING:
    from sparring.training.trainer import Trainer


def rewind_session(trainer: Trainer, round: int, fields: Mapping[str, Any]) -> None:
    """Take a run back that is being trained. The game's numbers are then those that the run began with.

    Raises UsageError where there is no checkpoint of this round, SparringError where it cannot be read.
    """
    from sparring.training.control.going_on import restore_plain

    run, game = trainer.run, trainer.game
    state = run.load_file(checkpoint_of(run, round, game.round))
    _forget(run, round, game.round, fields)
    restore_plain(game, round, state)


def rewind_folder(run: RunFolder, round: int, by: str = "") -> None:
    """Take a run back that is not being trained; the command that trained it goes on from there.

    Raises UsageError where there is no checkpoint of this round or the run is at it, SparringError where it cannot be
    read or the run is being trained.
    """
    with training_lock(run.path):
        story = run.story
        last, seconds = story.round, story.until(round).seconds
        run.load_file(checkpoint_of(run, round, last))
        if round == last == max(map(round_of, run.checkpoints()), default=None):
            raise UsageError(f"{run.path} is at round {round:,}: there is nothing to take back")
        _forget(run, round, last, {"by": by})
        run.journal.append("stopped", round=round, seconds=seconds)


def checkpoint_of(run: RunFolder, round: int, last: int) -> Any:
    """The file of the checkpoint of this round. Raises UsageError, which says which there are."""
    saved = {each: path for each, path in run.rounds_saved().items() if each <= last}
    if round in saved:
        return saved[round]
    there = shortened(", ".join(f"{each:,}" for each in saved), 300) or "none yet"
    raise UsageError(f"{run.path} has no checkpoint of round {round:,}; there are: {there}")


def _forget(run: RunFolder, round: int, last: int, fields: Mapping[str, Any]) -> None:
    # Killed between these two, the run is resumed from this round and does the same again: nothing is undone halfway.
    if round > last:
        raise SparringError(f"{run.path} has not come to round {round:,}")
    run.forget_after(round)
    run.journal.append("rewound", round=round, **{"from": last}, **fields)
    run.journal.sync()
