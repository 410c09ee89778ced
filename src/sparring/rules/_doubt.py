"""Why samples are not called like the data, in one phrase: what is out of range, or what is missing to tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparring.languages import Text
from sparring.metrics import all_metrics
from sparring.rules._evidence import Evidence, number
from sparring.rules._nearness import DISTANCE
from sparring.rules._signals import Signals
from sparring.rules._words import quality_evidence

MAX_CITED = 2
"""How many numbers out of range it names."""


def doubt(signals: Signals) -> str:
    """Why the samples of most members are not called like the data; empty where they may be.

    What is out of range comes first: where there is something, a better judge would not change it.
    """
    nearness, alive = signals.nearness, np.flatnonzero(~signals.diverged)
    numbers = nearness.with_interval(quality_evidence(signals, alive), alive)
    if unhealthy := _out_of_range(numbers):
        reasons = Text.joined(unhealthy, ", and ")
        return Text("the samples are not like the data: {reasons}", reasons=reasons)
    if nearness.missing:
        return Text("{missing}, so nothing says whether they are like the data", missing=nearness.missing)
    if not len(alive) or 2 * nearness.is_sure.sum() > signals.members:
        return ""
    low, high = (number(float(np.median(ends[alive]))) for ends in nearness.interval)
    return Text(
        "the {name} lies between {low} and {high}: not for certain in its healthy range ({within})",
        name=Text(all_metrics()[DISTANCE].title),
        low=low,
        high=high,
        within=signals.quality(DISTANCE)[1].words(),
    )


def _out_of_range(numbers: Sequence[Evidence]) -> list[str]:
    """Those that are out of range in most members, in words, those of the most members first."""
    counts = [int(each.speaks(fault=True).sum()) for each in numbers]
    unhealthy = [(count, each) for count, each in zip(counts, numbers, strict=True) if 2 * count > len(each.values)]
    return [each.words(fault=True) for _, each in sorted(unhealthy, key=lambda pair: -pair[0])[:MAX_CITED]]
