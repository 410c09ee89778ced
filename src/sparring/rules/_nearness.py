"""What it takes to call samples like the data: a distance from them, with its interval, among enough examples.

That no number is unhealthy is not enough: where only simple statistics of the samples are known, noise of the right
colors has healthy ones.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.rules._evidence import Evidence, number

if TYPE_CHECKING:
    from sparring.rules._signals import Signals

DISTANCE = "frechet-distance"
ENOUGH = 100
"""Examples on either side without which a distance cannot tell samples from real examples: with 50, and a judge that
was trained on as many, speckle was as near to photographs as other photographs."""
CONFIDENCE = 1.96
"""Standard errors on either side of a value within which it lies with a confidence of 95 %."""
RUN_MEASURE = "`sparring measure RUN` compares them"


class Nearness:
    """How sure it is that samples are like the data."""

    def __init__(self, signals: Signals):
        self._signals = signals
        self._baseline: dict[str, Any] = signals.story.real_baseline or {}

    @property
    def is_own(self) -> bool:
        """Whether the data states itself how near samples are: it has a target, or known modes."""
        signals = self._signals
        return signals.target_errors is not None or signals.has("high-quality")

    @cached_property
    def error(self) -> np.ndarray:
        """The standard error of each member's distance that comes from how few samples there were, `(P,)`."""
        errors = self._signals.story.evaluation_errors.get(DISTANCE)
        if errors is None or not len(errors):
            return np.zeros(self._signals.members)
        return np.nan_to_num(errors[-1])

    @property
    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Between which values each member's distance lies with a confidence of 95 %, `(P,)` each."""
        latest, reach = self._signals.latest(DISTANCE), CONFIDENCE * self.error
        return np.maximum(latest - reach, 0.0), latest + reach

    @property
    def of_real(self) -> tuple[float, float, float]:
        """What held-out real data scores in the distance, and its 95 % interval."""
        real = self._signals.real(DISTANCE)
        reach = CONFIDENCE * float((self._baseline.get("errors") or {}).get(DISTANCE) or 0.0)
        return real, max(real - reach, 0.0), real + reach

    @cached_property
    def is_sure(self) -> np.ndarray:
        """Members of which it is known that they are near the data, bool `(P,)`."""
        signals = self._signals
        if self.is_own:
            return signals.good
        if self.missing:
            return np.zeros(signals.members, dtype=bool)
        return signals.good & signals.healthy(DISTANCE).contains(self.interval[1])

    @cached_property
    def missing(self) -> str:
        """What is missing, of all members, to say that samples are like the data, and how to get it; else empty."""
        signals = self._signals
        if self.is_own:
            return ""
        if not len(signals.evaluated_rounds):
            return f"no metrics of samples were logged, and without them nothing says what they are like; {RUN_MEASURE}"
        if not (signals.has_judge and signals.has(DISTANCE)):
            why = self._baseline.get("judge_missing") or "no judge compared samples with the data"
            return f"{why}, so nothing says how far samples are from the data"
        count = self._baseline.get("n") or 0
        if count < ENOUGH:
            return f"samples were compared with {count:,} examples, too few to tell ({ENOUGH} are needed)"
        if not np.isfinite(signals.latest(DISTANCE)).any():
            return f"samples were last evaluated at round {signals.evaluated_rounds[-1]:,}"
        return ""

    @property
    def words(self) -> str:
        """The distance as a reason in a sentence, for `Evidence.phrase`, beside what real data scores."""
        real, low, high = self.of_real
        between = f" ({number(low)} to {number(high)})" if high > low else ""
        return f"{{value}}{{interval}}, where held-out real data score {number(real)}{between}"

    def reason(self, evidence: Evidence, members: np.ndarray) -> Evidence:
        """The evidence of the distance, with its interval and what real data scores in its sentence."""
        low, high = (ends[members] for ends in self.interval)
        ends = f" (95 % interval {number(float(low.min()))} to {number(float(high.max()))})" if self.error.any() else ""
        phrase = self.words.replace("{interval}", ends)
        return Evidence(evidence.name, evidence.values, evidence.healthy, f"the {evidence.name} is {phrase}")
