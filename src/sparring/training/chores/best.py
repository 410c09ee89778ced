"""The checkpoint whose samples are nearest to the data."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from sparring.game.assembly import state_of
from sparring.record.journal import json_numbers
from sparring.training.chores import Chore

if TYPE_CHECKING:
    from sparring.analysis.diagnosis import Signals
    from sparring.record.journal import Event
    from sparring.training.chores.checkpoint import Checkpoint
    from sparring.training.chores.evaluate import Evaluate
    from sparring.training.trainer import Trainer

MIN_GAIN = 0.98
"""Times the best distance from the data so far: a checkpoint is kept when its samples come below that."""
BEST_SHARE = 0.01
"""Of the time spent training, the most that keeping the best checkpoint may take."""


class Best(Chore):
    """Keeps, beside the newest checkpoints, that of the evaluated round whose samples were nearest to the data."""

    def __init__(self, evaluate: Evaluate, checkpoint: Checkpoint):
        self._evaluate, self._checkpoint = evaluate, checkpoint
        self._distance, self._saved_at = np.inf, -np.inf

    def rewound(self, trainer: Trainer) -> None:
        self.begin(trainer)

    def begin(self, trainer: Trainer) -> None:
        stored = [event["distance"] for event in trainer.run.story.events if event["event"] == "best"]
        self._distance = stored[-1] if stored else np.inf

    def after_log(self, trainer: Trainer, event: Event) -> None:
        if "metrics" not in event:
            return
        is_last = trainer.game.round >= trainer.recipe.rounds
        if is_last or time.monotonic() - self._saved_at >= self._checkpoint.save_seconds / BEST_SHARE:
            self._keep_if_best(trainer, self._evaluate.signals(trainer))

    def _keep_if_best(self, trainer: Trainer, signals: Signals) -> None:
        """A checkpoint of its own, in the place of the best before it."""
        distances = _last(signals)[:, ~signals.diverged]
        if not distances.size or not np.isfinite(distances).all():
            return
        distance = float(np.exp(np.log(np.maximum(distances, 1e-9)).mean()))
        if distance > MIN_GAIN * self._distance:
            return
        began = time.monotonic()
        run, round = trainer.run, trainer.game.round
        run.save_best(round, state_of(trainer.game))
        run.journal.append("best", round=round, metric=signals.distance.name, distance=json_numbers(distance))
        self._distance, self._saved_at = distance, time.monotonic()
        self._checkpoint.save_seconds = max(self._checkpoint.save_seconds, self._saved_at - began)


def _last(signals: Signals) -> np.ndarray:
    """How far the last samples are from the data, `(1, P)`; without evaluations `(0, P)`.

    Below what held-out examples have, nearer is better only where samples are no copies, which come ever nearer.
    """
    from sparring.rules import copied

    distance = signals.distance
    counts = distance.below_floor & ~copied(signals)
    return np.where(counts, distance.measured[-1:], distance.values[-1:])
