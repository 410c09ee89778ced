"""Stopping when the quality of samples has reached a plateau."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sparring.analysis.diagnosis import Plateau
from sparring.training.chores import Chore

if TYPE_CHECKING:
    from sparring.record.journal import Event
    from sparring.training.chores.evaluate import Evaluate
    from sparring.training.trainer import Trainer

PATIENCE = 3
"""Evaluations in a row at which quality must be on a plateau."""
MIN_SHARE = 0.5
"""Of the recipe's rounds that are played in any case: some games begin with a long plateau."""
MIN_EVALUATIONS = 6
"""Before training may stop."""


class EarlyStop(Chore):
    """Ends a run once quality has been on a plateau at PATIENCE evaluations in a row."""

    def __init__(self, evaluate: Evaluate):
        self._evaluate = evaluate
        self._flat_evaluations = 0
        """In a row, without gain."""

    def rewound(self, trainer: Trainer) -> None:
        self._flat_evaluations = 0

    def after_log(self, trainer: Trainer, event: Event) -> None:
        if "metrics" not in event:
            return
        signals = self._evaluate.signals(trainer)
        began = time.monotonic()
        plateau = Plateau.of(signals)
        self._flat_evaluations = (
            self._flat_evaluations + 1 if plateau is not None and not plateau.worth_continuing else 0
        )
        is_long_enough = (
            trainer.game.round >= MIN_SHARE * trainer.recipe.rounds and len(signals.evaluated_rounds) >= MIN_EVALUATIONS
        )
        if is_long_enough and self._flat_evaluations >= PATIENCE:
            trainer.stopping, trainer.stopped_by = True, "plateau"
        self._evaluate.charge(time.monotonic() - began)
