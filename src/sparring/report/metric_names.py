"""How the metrics of an evaluation are called in tables, pictures and lines, in which order, and which come first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sparring.analysis.facts import Evaluation
from sparring.analysis.stats import Spread
from sparring.analysis.wording import plus_minus, short, whole_number


@dataclass(frozen=True)
class MetricName:
    """How one metric is called."""

    title: str
    unit: str = ""
    """What its values mean, for the line below a panel's title."""
    headline: bool = False
    """Whether it is shown where there is room for a few metrics only."""
    bounded: bool = False
    """Whether it is a count or a share, so that a logarithmic axis would mislead."""


METRIC_NAMES = {
    "frechet-distance": MetricName("Fréchet distance", "to real features, lower is better", headline=True),
    "modes": MetricName("modes", "classes that the judge recognizes", headline=True, bounded=True),
    "reached-modes": MetricName("modes reached", "of the modes of the data", headline=True, bounded=True),
    "high-quality": MetricName("high quality", "share within 3 SD of a mode", headline=True, bounded=True),
    "class-divergence": MetricName("class divergence", "KL from the data's, nats"),
    "mode-divergence": MetricName("mode divergence", "KL from the data's, nats"),
    "confidence": MetricName("confidence", "the judge's mean max probability", headline=True, bounded=True),
    "diversity": MetricName("diversity", "distance of two samples, real = 1", headline=True, bounded=True),
    "roughness": MetricName("roughness", "change per pixel, real = 1"),
    "similarity-to-mean": MetricName("similarity to the mean image", "real = 1"),
    "nearest-neighbor": MetricName("nearest neighbor", "distance to training set, held out = 1"),
    "d_train": MetricName("D(training data)", "in evaluation mode"),
    "d_held_out": MetricName("D(held-out data)", "in evaluation mode"),
    "d_generated": MetricName("D(generated)", "in evaluation mode"),
}
"""In the order in which they are listed."""
FEW = 4
"""Metrics shown where there is room for few."""
D_OUTPUTS = ("d_train", "d_held_out", "d_generated")
"""What D outputs in evaluation mode, at the end of the round."""


def name_of(metric: str) -> MetricName:
    """The names of a metric; one that this version does not know goes by its key."""
    return METRIC_NAMES.get(metric, MetricName(metric))


def in_order(metrics: Iterable[str]) -> list[str]:
    """Metric keys in listing order, unknown ones last."""
    keys = list(metrics)
    return [key for key in METRIC_NAMES if key in keys] + [key for key in keys if key not in METRIC_NAMES]


def headlines(metrics: Iterable[str]) -> list[str]:
    """The few most telling metrics; others fill up where there are not enough of those."""
    keys = [key for key in in_order(metrics) if key not in D_OUTPUTS]
    first = [key for key in keys if name_of(key).headline]
    return in_order([*first, *(key for key in keys if key not in first)][:FEW])


def phrases(spreads: Mapping[str, Spread], real: Mapping[str, float]) -> list[str]:
    """Means over seeds of the headline metrics: `Fréchet distance 12.3 (real 0.81)`, `modes 9.5 (10)`."""
    texts: list[str] = []
    for key in headlines(spreads):
        mean, level = spreads[key].mean, real.get(key)
        if mean is not None:
            beside = "" if level is None else f" ({'' if texts else 'real '}{short(level)})"
            texts.append(f"{name_of(key).title} {short(mean)}{beside}")
    return texts


def evaluation_rows(evaluation: Evaluation) -> list[list[str]]:
    """A row for each metric: title, real data's value, mean ± SD, min, max, n."""
    rows: list[list[str]] = []
    for key in in_order(evaluation.metrics):
        spread = evaluation.spreads[key]
        cells = [whole_number(evaluation.real.get(key)), plus_minus(spread)]
        ends = [whole_number(spread.min), whole_number(spread.max)]
        rows.append([name_of(key).title, *cells, *ends, f"{spread.n:,}"])
    return rows


def evaluation_caption(evaluation: Evaluation) -> str:
    """When and how the evaluation was done, in one sentence."""
    if not evaluation.n:
        return f"From the last evaluation, at round {evaluation.round:,}."
    through = f", using the {evaluation.judge} classifier's features" if evaluation.judge else ""
    return (
        f"From the last evaluation, at round {evaluation.round:,}: {evaluation.n:,} generated examples per seed "
        f"against as many real ones{through}."
    )
