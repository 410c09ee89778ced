"""Whether samples are still improving, and so whether more training pays. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparring.analysis.stats import students_t
from sparring.languages import Text
from sparring.record.journal import json_numbers
from sparring.rules import Signals

CONFIDENCE = 0.95
"""Confidence level of intervals over members."""
WORTH = 0.05
"""The share of the distance from the data that a third more rounds must promise to remove to be worth training."""


@dataclass(frozen=True)
class Plateau:
    """Whether samples are still improving, as the change of their distance from the data over the last third."""

    metric: str
    """What falls as samples improve."""
    change: float
    """Mean over members: -0.2 is 20 % nearer to the data."""
    low: float
    high: float
    """Ends of the 95 % interval for that mean: from the members' spread, or for one member from the residuals of its
    evaluations about a line. NaN where there are too few of both."""
    early: bool = False
    """Whether most members have seen too little for a diagnosis: that samples rest says nothing of more training."""
    as_real: bool = False
    """Whether samples were no further than held-out real examples all along: what is nearer still does not show."""

    @property
    def improving(self) -> bool | None:
        """Whether more training helps; None where the interval is too wide to say."""
        if np.isnan(self.low) or self.as_real:
            return None
        if self.high < 0 and self.change < -WORTH:
            return True
        return False if self.low > -2 * WORTH and not self.early else None

    @property
    def worth_continuing(self) -> bool:
        """Whether to train on: samples are improving for certain, or at least in the mean over members."""
        return bool(self.improving) or self.change < -WORTH

    @classmethod
    def of(cls, signals: Signals) -> Plateau | None:
        """None where samples were evaluated less than twice in the last third of the rounds."""
        trend = signals.trend
        usable = np.isfinite(trend.change) & ~signals.diverged
        change = trend.change[usable]
        if not len(change):
            return None
        mean, reach = float(change.mean()), float("nan")
        if len(change) > 1:
            reach = students_t(len(change) - 1, CONFIDENCE) * float(change.std(ddof=1)) / len(change) ** 0.5
        elif trend.evaluations > 2:
            reach = students_t(trend.evaluations - 2, CONFIDENCE) * float(trend.error[usable][0])
        low, high = mean - reach, mean + reach
        change, low, high = (float(np.expm1(value)) for value in (mean, low, high))
        early = bool(signals.progress.unfinished.mean() > 0.5)
        return cls(signals.distance.name, change, low, high, early, bool(trend.as_real[usable].all()))

    @property
    def words(self) -> str:
        """One sentence."""
        if self.as_real:
            return Text(
                "Over the last third of the rounds samples were no further from the data than held-out real examples: "
                "whether more training helps does not show in this distance."
            )
        ends = Text(
            " ({confidence} interval: {low} to {high})",
            confidence=f"{CONFIDENCE:.0%}",
            low=_in_words(self.low),
            high=_in_words(self.high),
        )
        conclusion = {
            True: Text("more training helps."),
            False: Text("more training would help little."),
            None: Text("too early to tell whether more training helps.")
            if self.early
            else Text("inconclusive whether more training helps."),
        }
        fields: dict[str, object] = {
            "share": f"{abs(self.change):.0%}",
            "interval": ends if np.isfinite(self.low) else "",
            "conclusion": conclusion[self.improving],
        }
        if self.change < 0:
            return Text(
                "Over the last third of the rounds samples came {share} nearer to the data{interval}: {conclusion}",
                **fields,
            )
        return Text(
            "Over the last third of the rounds samples came {share} further from the data{interval}: {conclusion}",
            **fields,
        )

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        numbers = {"change": self.change, "low": self.low, "high": self.high}
        rounded = {key: json_numbers(float(f"{value:.4g}")) for key, value in numbers.items()}
        return {"metric": self.metric, **rounded, "improving": self.improving}


def _in_words(change: float) -> str:
    """A change of a distance: `20% nearer`, `5% further`, `9 times as far`."""
    if change >= 1:
        return Text("{times} times as far", times=f"{1 + change:,.0f}")
    share = f"{abs(change):.0%}"
    return Text("{share} nearer", share=share) if change < 0 else Text("{share} further", share=share)
