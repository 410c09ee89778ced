"""What the rules share that find a fault in how pictures are drawn, where their content may be right."""

from __future__ import annotations

import numpy as np

from sparring.rules import Detection
from sparring.rules._progress import BEGUN
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals

BLIND = 0.02
"""D's lead below which it tells nothing of samples that are as far from the data as can be said."""
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
    """Members whose samples are noise, the mean of the data, or too much alike, or whose G learns nothing: bool `(P,)`.

    What a G makes that nobody teaches, or that D has beaten, is far from the data in every way.
    """
    learns_nothing = (signals.final("lead") < BLIND) | signals.beaten | (signals.progress.gained < BEGUN)
    untaught = learns_nothing & (signals.badness >= 1)
    return signals.noise | signals.mean_like | signals.alike | untaught
