"""Metrics of examples as they are, without a judge: nearly all are ratios to what held-out real examples score."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from sparring.analysis.samples import fitting_metrics
from sparring.datasets import Dataset
from sparring.metrics import Metric

FEW = 512
"""Training examples that are enough for metrics that do not search them for the nearest."""
LEFT_OUT = 256
"""Without held-out examples so many training examples, each left out in turn, take their place."""
RECURRING = 0.25
"""Share of training examples that equal another one, above which being near to one of them says little: where half of
them are one and the same, the median distance is 0 or not by which ones were drawn."""


@dataclass(frozen=True)
class RelativeMetrics:
    """Metrics of samples as they are; nearly all are ratios to what held-out real examples score."""

    training: np.ndarray
    """float32 `(M, *shape)` in data units."""
    searched: np.ndarray
    """The same and more of them, for metrics that want all training examples."""
    metrics: Mapping[str, Metric]
    """By name; of the space `examples`."""
    real: Mapping[str, float]
    """What held-out real examples score, by the metric's name; none of these is 0 where ratios to it are reported."""

    @classmethod
    def of(
        cls,
        data: Dataset,
        training: np.ndarray,
        held_out: np.ndarray | None,
        samples: int,
        searched: np.ndarray | None = None,
    ) -> RelativeMetrics:
        """Every metric of examples that fits.

        Args:
            data: The data set.
            training: Training examples `(M, *shape)` in data units.
            held_out: Others `(N, *shape)`; without these, training examples are compared with one another.
            samples: How many samples of each member there will be.
            searched: More of the training examples, for metrics that want all of them; `training` if None.
        """
        found = fitting_metrics(data, {"examples"})
        fitting = {n: m for n, m in found.items() if m.quick and samples >= m.min_examples}
        real: dict[str, float] = {}
        searched = training if searched is None else searched
        recurring = do_recur(training)
        for name, metric in fitting.items():
            some = _needed(metric, training, searched)
            if held_out is None:
                enough = len(some) >= metric.min_examples and not (metric.searches and metric.relative and recurring)
                score = metric.leave_one_out(some, LEFT_OUT) if enough else 0.0
            else:
                enough = min(len(some), len(held_out)) >= metric.min_examples
                score = float(metric(some, held_out[None])[0]) if enough else 0.0
            known = 0 < score < np.inf or (enough and score == 0 and not metric.relative)
            if known and metric.min_real <= score <= metric.max_real:
                real[name] = score
        return cls(training, searched, {name: fitting[name] for name in real}, real)

    def only(self, names: Collection[str]) -> RelativeMetrics:
        """Those of these names; all if empty."""
        chosen = {name: metric for name, metric in self.metrics.items() if not names or name in names}
        return replace(self, metrics=chosen)

    def __call__(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        """Of samples `(P, n, *shape)` in data units, each metric's values `(P,)`; NaN for a member that diverged."""
        needed = {name: _needed(metric, self.training, self.searched) for name, metric in self.metrics.items()}
        scores = {name: metric(needed[name], samples) for name, metric in self.metrics.items()}
        return {name: self.metrics[name].reported(values, self.real[name]) for name, values in scores.items()}

    @property
    def baseline(self) -> dict[str, float]:
        """What held-out real examples score as it is reported: 1 where that is a ratio."""
        return {name: 1.0 if metric.relative else self.real[name] for name, metric in self.metrics.items()}


def do_recur(examples: np.ndarray) -> bool:
    """Whether so many examples equal another one that neighbors among them say little."""
    return len({each.tobytes() for each in examples}) < (1 - RECURRING) * len(examples)


def _needed(metric: Metric, training: np.ndarray, searched: np.ndarray) -> np.ndarray:
    """As many of the training examples as the metric needs."""
    if metric.all_training:
        return searched
    return training if metric.searches else training[:FEW]
