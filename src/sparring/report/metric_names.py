"""How the metrics of an evaluation are called in tables, pictures and lines, in which order, and which come first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sparring.analysis.facts import Evaluation
from sparring.analysis.stats import Spread
from sparring.analysis.wording import features_of, plus_minus, short, whole_number
from sparring.languages import Text
from sparring.metrics import all_metrics
from sparring.record.story import TITLES


@dataclass(frozen=True)
class MetricName:
    """How one metric is called."""

    title: str
    unit: str = ""
    """What its values mean, for the line below a panel's title."""
    headline: bool = False
    """Whether it is shown where there is room for a few metrics only."""
    linear: bool = False
    """Whether it is a count or a share, for which a logarithmic axis would mislead."""


FEW = 4
"""Metrics shown where there is room for few."""
D_OUTPUTS = ("d_train", "d_held_out", "d_generated")
"""What D outputs without dropout, at the end of the round."""
D_RIGHT = "d_right"
"""How often D is right, in the same evaluation."""
OF_D = (*D_OUTPUTS, D_RIGHT)


def name_of(metric: str) -> MetricName:
    """The names of a metric, as it states them; one that this version does not know goes by its key."""
    leaf = all_metrics().get(metric)
    if leaf:
        return MetricName(leaf.short or leaf.title, leaf.unit, leaf.headline, leaf.linear)
    if metric == D_RIGHT:
        return MetricName(TITLES[metric], "share of pairs; 0.5 where D cannot tell", linear=True)
    return MetricName(TITLES[metric], "without dropout") if metric in TITLES else MetricName(metric)


def in_order(metrics: Iterable[str]) -> list[str]:
    """Metric keys in the order that the metrics state, then D's outputs, unknown ones last."""
    keys, known = list(metrics), [*all_metrics(), *OF_D]
    return [key for key in known if key in keys] + [key for key in keys if key not in known]


def headlines(metrics: Iterable[str]) -> list[str]:
    """The few most telling metrics; others fill up where there are not enough of those."""
    keys = [key for key in in_order(metrics) if key not in OF_D]
    first = [key for key in keys if name_of(key).headline]
    return in_order([*first, *(key for key in keys if key not in first)][:FEW])


def phrases(spreads: Mapping[str, Spread], real: Mapping[str, float]) -> list[str]:
    """Means over seeds of the headline metrics: `Fréchet distance 12.3 (real 0.81)`, `modes 9.5 (10)`."""
    texts: list[str] = []
    for key in headlines(spreads):
        mean, level = spreads[key].mean, real.get(key)
        if mean is not None:
            beside = "" if level is None else Text(" ({level})" if texts else " (real {level})", level=short(level))
            title = Text(name_of(key).title)
            texts.append(Text("{metric} {value}{beside}", metric=title, value=short(mean), beside=beside))
    return texts


def evaluation_rows(evaluation: Evaluation) -> list[list[str]]:
    """A row for each metric: title, real data's value, mean ± SD, min, max, n."""
    rows: list[list[str]] = []
    for key in in_order(evaluation.metrics):
        spread = evaluation.spreads[key]
        cells = [whole_number(evaluation.real.get(key)), plus_minus(spread)]
        ends = [whole_number(spread.min), whole_number(spread.max)]
        rows.append([Text(name_of(key).title), *cells, *ends, f"{spread.n:,}"])
    return rows


def evaluation_caption(evaluation: Evaluation) -> str:
    """When and how the evaluation was done, in one sentence."""
    earlier = evaluation.round < evaluation.played
    fields = {
        "round": f"{evaluation.round:,}",
        "earlier": Text(" of {played} played", played=f"{evaluation.played:,}") if earlier else "",
        "through": Text(", using {features}", features=features_of(evaluation.judge)) if evaluation.judge else "",
        "count": f"{evaluation.n or 0:,}",
    }
    if not evaluation.n:
        return Text("From the last evaluation, at round {round}{earlier}.", **fields)
    return Text(
        "From the last evaluation, at round {round}{earlier}: {count} generated examples per seed against as many real "
        "ones{through}.",
        **fields,
    )
