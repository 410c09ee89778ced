"""Evaluations of the samples while a run trains, as often as their share of the time allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.analysis.diagnosis import Signals, story_of
from sparring.analysis.evaluator import Evaluator
from sparring.analysis.samples import quantiles_of
from sparring.record.journal import json_numbers
from sparring.rules import FINAL_EVALUATIONS, counted
from sparring.training.chores import Chore

if TYPE_CHECKING:
    from sparring.training.trainer import Trainer

EVALUATION_SHARE = 0.025
"""Of the time spent training, the most that evaluations may take by their own account: 5 % are promised, and not all of
their cost is seen from here. An evaluation that would take more is skipped."""
FINAL_SHARE = 0.04
"""The same for the evaluation after the last round, which may draw anew: a verdict rests on it where there are few."""

Values = Mapping[str, np.ndarray]
"""Of each metric, one number per member, `(P,)`."""
Decide = Callable[[int, bool], bool]
"""Whether samples are evaluated in a round, given whether it is due here: shards of one run evaluate together."""


def as_due(round: int, due: bool) -> bool:
    """The decision of a training that is on its own."""
    return due


def always(round: int, due: bool) -> bool:
    """The decision of a run whose evaluations must not depend on how fast it goes: at every log point but the first."""
    return round > 0


class Evaluate(Chore):
    """Adds sample-quality metrics to log events. The journal says once, as `real-baseline`, what real data scores."""

    def __init__(self, make_evaluator: Callable[[], Evaluator], decide: Decide = as_due):
        self._make_evaluator, self._decide = make_evaluator, decide
        self._evaluations = 0
        self._spent, self._last = 0.0, 0.0
        """Seconds of this session: of all evaluations, and of the last one."""
        self._signals: Signals | None = None

    def begin(self, trainer: Trainer) -> None:
        self._evaluator = self._make_evaluator()
        self._last = self._evaluator.expected_seconds
        trainer.latest.real_baseline = self._evaluator.real_baseline
        stored, baseline = trainer.run.story.real_baseline or {}, self._evaluator.baseline_event()
        if any(stored.get(name) != value for name, value in baseline.items()):
            trainer.run.journal.append("real-baseline", round=0, **baseline)

    def log_fields(self, trainer: Trainer) -> dict[str, Any]:
        if not (trainer.at_log_point and self._decide(trainer.game.round, self._is_due(trainer))):
            return {}
        began = time.monotonic()
        generated = self._evaluator.generate(trainer.game)
        draws = [self._evaluator.evaluate_with_errors(trainer.game, generated)]
        self._last = time.monotonic() - began
        for draw in range(1, self._draws(trainer)):
            more = self._evaluator.generate(trainer.game, draw)
            draws.append(self._evaluator.evaluate_with_errors(trainer.game, more))
        metrics, errors = mean_of(draws)
        trainer.latest.metrics, trainer.latest.evaluated = metrics, trainer.game.round
        quantiles = quantiles_of(generated)
        took = time.monotonic() - began
        self._spent += took
        self._evaluations += 1
        self._signals = None
        return {
            "metrics": {name: json_numbers(values) for name, values in metrics.items()},
            "errors": {name: json_numbers(values) for name, values in errors.items()},
            "quantiles": json_numbers(quantiles),
            "evaluation_seconds": round(took, 4),
            **({"draws": len(draws)} if len(draws) > 1 else {}),
        }

    def rewound(self, trainer: Trainer) -> None:
        self._signals = None

    def signals(self, trainer: Trainer) -> Signals:
        """The run up to its last evaluation, prepared for rules. Read from the journal once per evaluation."""
        if self._signals is None:
            began = time.monotonic()
            self._signals = Signals(story_of(trainer.run))
            self.charge(time.monotonic() - began)
        return self._signals

    def charge(self, seconds: float) -> None:
        """Count what was made of the last evaluation as part of its cost."""
        self._last += seconds
        self._spent += seconds

    def _is_due(self, trainer: Trainer) -> bool:
        """After the last round always, at round 0 never; else when this evaluation and the one at the end fit in.

        Before the first evaluation, the share is of all the time that the run will take, as far as can be estimated.
        """
        round = trainer.game.round
        if round in (0, trainer.recipe.rounds):
            return round > 0
        training = trainer.session_seconds - self._spent
        if not self._evaluations:
            training += trainer.seconds_left or 0.0
        return self._evaluator.setup_seconds + self._spent + 2 * self._last <= EVALUATION_SHARE * training

    def _draws(self, trainer: Trainer) -> int:
        """How many draws of samples this evaluation takes the mean of: several only after the last round, where a
        verdict would rest on this one draw otherwise, and where their time allows it."""
        if trainer.game.round != trainer.recipe.rounds or self._decide is always:
            return 1
        evaluated = np.append(story_of(trainer.run).evaluations[0], trainer.game.round)
        if counted(evaluated, trainer.game.round) >= FINAL_EVALUATIONS:
            return 1
        allowed = FINAL_SHARE * (trainer.session_seconds - self._spent) - self._evaluator.setup_seconds - self._spent
        return int(np.clip(allowed // max(self._last, 1e-9), 1, len(self._evaluator.latents)))


def mean_of(draws: Sequence[tuple[Values, Values]]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The means of metrics `(P,)` over draws of as many samples each, and the standard errors of these means."""
    metrics, errors = zip(*draws, strict=True)
    return (
        {name: np.mean([each[name] for each in metrics], axis=0) for name in metrics[0]},
        {n: np.sqrt(np.sum(np.square([each[n] for each in errors]), axis=0)) / len(draws) for n in errors[0]},
    )
