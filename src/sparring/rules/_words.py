"""Phrases, evidence and plots that several rules share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from sparring.languages import Text
from sparring.metrics import all_metrics
from sparring.record.story import TITLES
from sparring.rules._evidence import Evidence, Plot, evidence
from sparring.rules._evidence import number as number
from sparring.rules._ranges import Range
from sparring.rules._signals import NEAR, Signals

MAX_COLUMNS = 2
"""How many columns, or pairs of them, are named as the farthest: those of the most members."""
BENDS: Mapping[str, str] = {"mean bend": Text("mean bend"), "largest bend": Text("largest bend")}
"""What is no column, but counts as one of a signal."""


def title(name: str) -> str:
    """How a curve or a metric is called in sentences and tables: `D(real)`, `Fréchet distance`."""
    metric = all_metrics().get(name)
    return metric.short or metric.title if metric else TITLES.get(name, name)


def middle(values: np.ndarray, members: np.ndarray) -> float:
    """The median of `values` `(P,)` over these members, of what is finite."""
    chosen = values[members]
    chosen = chosen[np.isfinite(chosen)]
    return float(np.median(chosen)) if len(chosen) else float("nan")


def d_outputs(signals: Signals, members: np.ndarray) -> Text:
    """`D(real) is 0.98 and D(fake) 0.02`."""
    real, fake = (number(middle(signals.final(name), members)) for name in ("d_real", "d_fake"))
    return Text("D(real) is {real} and D(fake) {fake}", real=real, fake=fake)


def curve_evidence(signals: Signals, name: str, members: np.ndarray) -> Evidence:
    """A curve's final value, with its healthy range for this objective."""
    return evidence(title(name), signals.final(name), members, healthy_curve(signals, name))


def metric_evidence(signals: Signals, names: tuple[str, ...], members: np.ndarray) -> list[Evidence]:
    """The latest values of those of these metrics that this run has."""
    return [evidence(title(n), signals.latest(n), members, signals.healthy(n)) for n in names if signals.has(n)]


def quality_evidence(signals: Signals, members: np.ndarray) -> list[Evidence]:
    """All that says whether samples are good, as `Signals.badness` takes it together."""
    known = [(name, *signals.quality(name)) for name in signals.quality_metrics]
    latest = [
        evidence(title(name), values, members, healthy, _of_columns(signals, name, values, members, healthy))
        for name, values, healthy in known
    ]
    if signals.target_error is not None:
        error = signals.target_error
        latest.append(evidence("largest distance from the target", error, members, Range(high=NEAR)))
    return latest


def _of_columns(signals: Signals, name: str, values: np.ndarray, members: np.ndarray, healthy: Range) -> str:
    """`{name} (rent) is {value}`, with the column, or two, that a metric of the farthest is out of range in.

    Of members that are so for several, those of the most; empty where it is not known, or another metric.
    """
    if signals.measured is None or not signals.measured.has(name):
        return ""
    farthest = signals.measured.farthest(name)
    which = Counter(farthest[member] for member in members if farthest[member] and values[member] > healthy.high)
    columns = [Text.joined([BENDS.get(one, one) for one in each], " × ") for each, _ in which.most_common(MAX_COLUMNS)]
    if not columns:
        return ""
    return Text("{name} ({columns}) is {value}", name=Text(title(name)), columns=Text.joined(columns, ", "))


def metric_plot(signals: Signals, name: str, log: bool = False) -> Plot:
    """A metric over the rounds."""
    metric = all_metrics()[name]
    heading = f"{metric.title[0].upper()}{metric.title[1:]} ({metric.unit})"
    return Plot("evaluations", (name,), heading, signals.healthy(name), log)


def healthy_curve(signals: Signals, name: str) -> Range:
    """The healthy range of a curve for this run's objective."""
    return signals.levels.healthy(name) if signals.levels else Range()
