"""What the rules share that find a fault in how pictures are drawn, where their content may be right."""

from __future__ import annotations

import numpy as np

from sparring.rules import Detection
from sparring.rules._progress import BEGUN
from sparring.rules._ranges import CAN_TELL, Range
from sparring.rules._signals import CONSTANT, Signals

STRONG = 1.0
"""How far outside its range, as `Range.excess` counts it, what is drawn wrong leaves no room for variety."""
LEARNED = 0.5
"""Share of the first distance that is gone where G has learned: what it still does wrong, it cannot do otherwise."""
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
    tells = signals.final("lead") > CAN_TELL
    severity = np.where(explained(signals, tells & (excess >= STRONG)), -1.0, ALONE + (1 - ALONE) * excess)
    # D does not tell samples by it that are near the data: it is to be seen, and explains nothing, unless it is gross.
    blemish = ~tells & ~signals.nearness.far & signals.quality_known & (excess < STRONG)
    return Detection(holds=holds, severity=severity, blemish=blemish)


def explained(signals: Signals, known: np.ndarray) -> np.ndarray:
    """Members whose samples are noise, the mean of the data, or too much alike, or whose G learns nothing: bool `(P,)`.

    What a G makes that nobody teaches, or that D has beaten, is far from the data in every way. That real examples have
    no like among samples does not explain what is drawn wrong, but follows from it. Where G has learned, and D knows
    its samples by something that is so wrong (`known`), their being alike follows from it, too.
    """
    learns_nothing = signals.beaten | (signals.progress.gained < BEGUN)
    untaught = signals.nearness.unseen | (learns_nothing & (signals.badness >= 1))
    alike = (signals.lack("diversity") > 0) if signals.has("diversity") else signals.alike
    alike &= ~(known & (signals.progress.gained > LEARNED) & (signals.latest("diversity") > CONSTANT))
    return signals.noise | signals.mean_like | alike | untaught
