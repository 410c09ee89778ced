"""What was measured of an exported generator: figures of its own round and no other's, and how its seed was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparring.analysis.facts import Evaluation, Facts
from sparring.errors import SparringError
from sparring.metrics import all_metrics
from sparring.report.metric_names import name_of


@dataclass(frozen=True)
class Choice:
    """Which member is exported, and how it was chosen."""

    seed: int
    of: int = 1
    """Seeds of which it is the nearest to the data; 1 where none were compared."""
    metric: str = ""
    """By which they were compared, in an evaluation while they trained."""
    judge: str | None = None
    """That saw the examples for this metric, where one did."""
    round: int = 0
    """Of that evaluation."""

    @property
    def sentence(self) -> str:
        """That its own figures are too good, where it was chosen by them; else empty."""
        if self.of < 2:
            return ""
        by = f"the judge {self.judge} " if self.judge else ""
        it = "that judge" if self.judge else "this metric"
        return (
            f"Seed {self.seed} was chosen as the nearest of {self.of:,} seeds by {by}({name_of(self.metric).title} at "
            f"round {self.round:,}), so its own figures by {it} are too good."
        )


def nearest(facts: Facts, round: int | None = None) -> Choice:
    """The member whose samples were nearest to the data, else the first that is finite.

    Args:
        facts: Of the run.
        round: Of the checkpoint, whose evaluation is gone by; by the last one where it has none.

    Raises:
        SparringError: Every member diverged.
    """
    alive = [seed for seed in facts.seeds if seed not in facts.diverged]
    if not alive:
        raise SparringError(f"{facts.run.path}: every seed diverged, so there is no generator to export")
    evaluation = (None if round is None else facts.evaluation_at(round)) or facts.evaluation
    if evaluation is None:
        return Choice(alive[0])
    for name, metric in all_metrics().items():
        if metric.distance and name in evaluation.metrics:
            values = {seed: float(evaluation.metrics[name][facts.seeds.index(seed)]) for seed in alive}
            finite = {seed: value for seed, value in values.items() if np.isfinite(value)}
            if finite:
                seed = min(finite, key=finite.__getitem__)
                return Choice(seed, len(finite), name, evaluation.judge, evaluation.round)
    return Choice(alive[0])


@dataclass(frozen=True)
class Measured:
    """The figures to show of an exported generator: of `sparring measure`, or else of an evaluation."""

    choice: Choice
    round: int
    """Of the generator."""
    measures: dict[str, Any] | None
    evaluation: Evaluation | None
    """Where there are no `measures` to show."""

    @classmethod
    def of(cls, facts: Facts, round: int, choice: Choice) -> Measured:
        """Figures of this round and seed where there are any, those of `sparring measure` first; else of another."""
        measures, own = facts.run.measures, facts.evaluation_at(round)
        if measures is not None and (cls(choice, round, measures, None).is_own or own is None):
            return cls(choice, round, measures, None)
        return cls(choice, round, None, own or facts.evaluation)

    @property
    def of_round(self) -> int | None:
        """The round that the figures are of; None where there are none."""
        if self.measures is not None:
            return int(self.measures["round"])
        return self.evaluation.round if self.evaluation else None

    @property
    def is_own(self) -> bool:
        """Whether the figures are of the generator that is exported."""
        has_seed = self.measures is None or self.choice.seed in self.measures["seeds"]
        return has_seed and self.of_round == self.round

    @property
    def independent(self) -> dict[str, Any]:
        """Metric -> what the independent judge found, where it was asked."""
        return ((self.measures or {}).get("independent") or {"metrics": {}})["metrics"]

    def lack(self, is_best: bool) -> str:
        """Why the generator has no figures of its own, and how to get them; empty where it has them."""
        if self.is_own or self.of_round is None:
            return ""
        if self.of_round == self.round:
            why = f"seed {self.choice.seed} was not measured"
        else:
            why = f"they are of round {self.of_round:,}, and this generator is of round {self.round:,}"
        how = "measures the newest checkpoint: export that one for them" if is_best else "and another export give them"
        return f"This generator has no figures of its own: {why}. `sparring measure` {how}."
