"""D's outputs for real and for generated examples as histograms, in log events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sparring.training.chores import Chore
from sparring.training.scores import Scores, histograms

if TYPE_CHECKING:
    from sparring.training.trainer import Trainer

SCORES_SHARE = 0.005
"""Of the time spent training, the most that they may take between the first round and the last, which have them all."""


class LogScores(Chore):
    """Adds `scores` to the log events of log points: see `histograms`; of one moment."""

    def __init__(self) -> None:
        self._spent, self._last = 0.0, 0.0
        """Seconds of this session: of all, and of the last one."""

    def begin(self, trainer: Trainer) -> None:
        self._scores = Scores(trainer.recipe, trainer.game)

    def log_fields(self, trainer: Trainer) -> dict[str, Any]:
        if not trainer.at_log_point:
            return {}
        time_in_all = trainer.session_seconds + (trainer.seconds_left or 0.0)
        is_end = trainer.game.round in (0, trainer.recipe.rounds)
        if not is_end and self._spent + self._last > SCORES_SHARE * time_in_all:
            return {}
        began = time.monotonic()
        fields = {"scores": histograms(self._scores.outputs())}
        self._last = time.monotonic() - began
        self._spent += self._last
        return fields
