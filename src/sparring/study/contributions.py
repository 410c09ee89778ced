"""What each step on the way from one recipe to another contributes, and how far that depends on the order of steps.

Each field is changed twice: once in the one order, once in the reverse. Its mean over both is what it is said to
contribute; the difference of the two is how much it depends on what was changed before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparring.study.contrasts import Change
from sparring.study.effects import Effect
from sparring.study.intervals import LEVEL, Interval, mean_interval


@dataclass(frozen=True)
class Contribution:
    """One field."""

    change: Change
    orders: tuple[Effect, ...]
    """Its step in each order."""
    mean: float | None
    """Over orders and seeds."""
    interval: Interval | None
    """Over seeds, of each seed's mean over orders."""
    dependence: float | None
    """How much more it is in the first order than in the second; None where some did not reach the target: the end of
    training makes steps smaller, whatever they depend on."""
    dependence_interval: Interval | None

    @property
    def depends(self) -> bool:
        """Whether the interval of the dependence leaves out 0."""
        return self.dependence_interval is not None and not self.dependence_interval.contains(0)


def contributions(effects: Sequence[Effect], level: float = LEVEL) -> list[Contribution]:
    """Every field that a stepwise study changes, the largest contribution first."""
    steps = [each for each in effects if each.contrast.kind == "step"]
    changes = dict.fromkeys(step.contrast.changes[0] for step in steps)
    found = [_of(change, [s for s in steps if s.contrast.changes[0] == change], level) for change in changes]
    return sorted(found, key=lambda each: -abs(each.mean) if each.mean is not None else np.inf)


def _of(change: Change, steps: Sequence[Effect], level: float) -> Contribution:
    every = np.stack([step.differences for step in steps])
    known = np.isfinite(every).all(0)
    means = every[:, known].mean(0)
    comparable = len(steps) > 1 and not any(step.late for step in steps)
    apart = every[0, known] - every[-1, known] if comparable else np.array([])
    return Contribution(
        change=change,
        orders=tuple(steps),
        mean=float(means.mean()) if len(means) else None,
        interval=mean_interval(means, level),
        dependence=float(apart.mean()) if len(apart) else None,
        dependence_interval=mean_interval(apart, level),
    )
