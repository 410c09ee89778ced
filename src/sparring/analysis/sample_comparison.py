"""What samples are compared with: real examples, in the spaces of metrics, and what held-out real data score there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparring.analysis.judge_choice import Choice
from sparring.analysis.relative import RelativeMetrics, do_recur
from sparring.analysis.samples import AGREEMENT, classes_of, fitting_metrics, real_examples, views, with_agreement
from sparring.analysis.sampling import standard_errors
from sparring.datasets import Dataset, Source
from sparring.metrics import MIN_EXAMPLES, Metric
from sparring.record.journal import json_numbers

NEIGHBORS = ("coverage", "density", "precision", "recall")
"""Metrics of how near the nearest examples in the space of features are."""


@dataclass(frozen=True)
class Comparison:
    """Scores samples of P members; it knows nothing of networks."""

    relative: RelativeMetrics
    choice: Choice
    """The judge, or why there is none."""
    metrics: Mapping[str, Metric]
    """Those in the space of features, classes or coordinates."""
    reference: Mapping[str, np.ndarray]
    """Real examples in each space, `(N, D)`; as many samples are compared with them."""
    real_baseline: Mapping[str, float]
    """What held-out real data scores, by the metric's name."""
    real_errors: Mapping[str, float]
    """The standard errors of these values that come from how few examples there are, of `distance` metrics."""
    quantiles: np.ndarray
    """QUANTILES of the numbers of training examples, as the networks see them, `(Q,)`."""
    seconds: float
    """What one member's samples take, about."""
    asked: np.ndarray | None = None
    """The class that each sample was asked for, `(n,)`; None where training is not class-conditional."""

    @classmethod
    def of(
        cls,
        data: Dataset,
        source: Source,
        count: int,
        held_out: np.ndarray | None,
        choice: Choice,
        samples: int,
        asked: np.ndarray | None = None,
        held_out_classes: np.ndarray | None = None,
    ) -> Comparison:
        """For samples of this data.

        Args:
            data: The data set.
            source: The same, opened, to draw from on the CPU.
            count: At most so many examples are on either side.
            held_out: The data's own held-out part, uint8 `(N, C, H, W)`; None where there is none.
            choice: The judge.
            samples: How many samples of each member there will be.
            asked: The class that each is asked for, in a class-conditional game, `(samples,)`.
            held_out_classes: Those of the held-out part, `(N,)`; None where they are not known.
        """
        real = real_examples(data, source, count, held_out)
        relative = RelativeMetrics.of(data, real.some_training, real.unseen, samples, real.searched)
        began = time.perf_counter()
        theirs = None if asked is None else classes_of(real, source, held_out_classes)
        reference = views(real.reference, choice.judge, real.reference.ndim - 1)
        others = views(real.held_out, choice.judge, real.held_out.ndim - 1, theirs)
        reference = with_agreement(reference, others)
        metrics = _quick(data, reference, choice, samples) if len(reference["pixels"]) >= MIN_EXAMPLES else {}
        baseline = {n: float(m(reference[m.space], others[m.space][None])[0]) for n, m in metrics.items()}
        useless = NEIGHBORS if do_recur(real.reference) else ()  # as the nearest ones lie at no distance
        metrics = {n: m for n, m in metrics.items() if baseline[n] >= m.min_real and n not in useless}
        errors = _errors(metrics, reference, {space: side[None] for space, side in others.items()})
        return cls(
            relative=relative,
            choice=choice,
            metrics=metrics,
            reference=reference,
            real_baseline={**{name: baseline[name] for name in metrics}, **relative.baseline},
            real_errors={name: float(error[0]) for name, error in errors.items()},
            quantiles=np.empty(0),
            seconds=(time.perf_counter() - began) / 2,  # two sides were scored
            asked=asked if AGREEMENT in reference else None,
        )

    def __call__(self, samples: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Metrics of samples `(P, n, *shape)` in data units, each `(P,)`, and standard errors of the distances."""
        n = self.compared
        compared = samples[:, :n] if samples.shape[1] > 1 else samples.repeat(n, 1)
        with np.errstate(over="ignore", invalid="ignore"):  # of a member that is about to diverge
            asked = None if self.asked is None else self.asked[: compared.shape[1]]
            spaces = views(compared, self.choice.judge, compared.ndim - 2, asked) if self.metrics else {}
            values = {name: m(self.reference[m.space], spaces[m.space]) for name, m in self.metrics.items()}
            return {**values, **self.relative(samples)}, _errors(self.metrics, self.reference, spaces)

    @property
    def compared(self) -> int:
        """Examples on either side of a comparison."""
        return len(self.reference["pixels"])

    def baseline_event(self) -> dict[str, Any]:
        """Fields of the journal's real-baseline event."""
        return {
            "n": self.compared if self.metrics else None,
            "training": len(self.relative.training),
            "searched": len(self.relative.searched),
            "judge": self.choice.judge.name if self.choice.judge and self.metrics else None,
            "judge_missing": self.choice.missing or None,
            "errors": {name: json_numbers(error) for name, error in self.real_errors.items()},
            "spreads": {n: json_numbers(m.spread(self.reference[m.space])) for n, m in _distances(self.metrics)},
            "quantiles": json_numbers(self.quantiles),
            "metrics": {n: json_numbers(value) for n, value in self.real_baseline.items() if np.isfinite(value)},
        }


def _quick(data: Dataset, spaces: Mapping[str, np.ndarray], choice: Choice, samples: int) -> dict[str, Metric]:
    """The metrics that are cheap enough during training and can be computed in these spaces, by name.

    Without a judge, of those in the space of features only the distance: neighbors need features that mean something.
    One sample, of a constant latent vector, has a distance but neither columns nor correlations.
    """
    quick = {name: metric for name, metric in fitting_metrics(data, spaces.keys()).items() if metric.quick}
    judged = choice.judge is not None
    quick = {name: m for name, m in quick.items() if samples > 1 or m.space != "pixels"}
    return {name: m for name, m in quick.items() if judged or m.distance or m.space != "features"}


def _errors(
    metrics: Mapping[str, Metric], real: Mapping[str, np.ndarray], fake: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The standard errors of `distance` metrics, each `(P,)`, of examples in the spaces of metrics."""
    return {n: standard_errors(m, real[m.space], fake[m.space]) for n, m in _distances(metrics)}


def _distances(metrics: Mapping[str, Metric]) -> list[tuple[str, Metric]]:
    """Those that are distances from the data, with their names."""
    return [(name, metric) for name, metric in metrics.items() if metric.distance]
