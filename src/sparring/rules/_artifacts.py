"""What the rules share that find a fault in how pictures are drawn, where their content may be right."""

from __future__ import annotations

import numpy as np

from sparring.metrics import all_metrics
from sparring.rules import Detection
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals

ALONE = 0.6
"""Severity from which on a fault that nothing else explains is counted: it ranks above what follows from it, as that D
tells the samples by it."""


def artifact(signals: Signals, name: str, unhealthy: Range) -> Detection | None:
    """Members of which a metric lies in an unhealthy range; where samples lack variety or are noise, these come first.

    None for a run without the metric.
    """
    if not signals.has(name):
        return None
    values, excess = signals.latest(name), signals.healthy(name).excess(signals.latest(name))
    holds = unhealthy.contains(values) & ~signals.diverged
    severity = np.where(explained(signals), -1.0, ALONE + (1 - ALONE) * excess)
    return Detection(holds=holds, severity=severity)


def explained(signals: Signals) -> np.ndarray:
    """Members whose samples are noise, the mean of the data, or too much alike: bool `(P,)`."""
    found = signals.noise | signals.mean_like
    for name, metric in signals.metrics_with("variety").items():
        variety = all_metrics()[name].variety
        assert variety is not None and metric.variety is not None
        found = found | (Range.of(variety, signals.real(name)).excess(signals.latest(name)) > 0)
    return found
