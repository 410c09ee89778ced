"""Why samples are not called like the data, in one phrase: what is out of range, or what is missing to tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparring.languages import Text
from sparring.metrics import all_metrics
from sparring.rules._certainty import Certainty
from sparring.rules._evidence import Evidence, evidence, number
from sparring.rules._signals import Signals
from sparring.rules._words import quality_evidence, title

MAX_RIGHT = 0.95
"""Share of pairs of a real and a generated example that D may rank right where neither player wins: a penalty may keep
its outputs close together while it tells nearly all of them apart."""
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
    judged = nearness.by_independent_judge
    if unhealthy := _out_of_range([evidence(title(each.name), each.values, alive, each.healthy) for each in judged]):
        reasons = Text.joined(unhealthy, ", and ")
        return Text("by the independent judge the samples are not like the data: {reasons}", reasons=reasons)
    if nearness.missing:
        return Text("{missing}, so nothing says whether they are like the data", missing=nearness.missing)
    if not len(alive):
        return ""
    at_last = _out_of_range([evidence(title(n), v, alive, healthy) for n, (v, healthy) in nearness.last.items()])
    if at_last and 2 * nearness.poor_at_last[alive].sum() > len(alive):
        return Text(
            "at the last evaluation, at round {round}, the samples were not like the data: {reasons}",
            round=f"{signals.evaluated_rounds[-1]:,}",
            reasons=Text.joined(at_last, ", and "),
        )
    right = signals.latest("d_right")[alive]
    if 2 * (right > MAX_RIGHT).sum() > len(alive):
        return Text(
            "D is right about {right} of the pairs of a real and a generated example: it still tells them apart, "
            "though no number of the samples is out of its healthy range",
            right=f"{float(np.nanmedian(right)):.0%}",
        )
    of_either = ((nearness.numbers, ""), (judged, "by the independent judge "))
    return next(filter(None, (_uncertain(numbers, alive, nearness.count, by) for numbers, by in of_either)), "")


def _uncertain(numbers: Sequence[Certainty], members: np.ndarray, count: int, by: str = "") -> str:
    """The first number that most members have not for certain in its healthy range; empty where there is none."""
    for each in numbers:
        if 2 * (~each.is_sure[members]).sum() > len(members):
            low, high = (number(float(np.median(ends[members]))) for ends in (each.low, each.high))
            return Text(
                "{by}the {name} of {count} samples lies between {low} and {high}: not for certain in its healthy range "
                "({within}; `sparring measure --count` takes more, where the data has them)",
                by=Text(by) if by else "",
                count=f"{count:,}",
                name=Text(all_metrics()[each.name].title),
                low=low,
                high=high,
                within=each.healthy.words(),
            )
    return ""


def _out_of_range(numbers: Sequence[Evidence]) -> list[str]:
    """Those that are out of range in most members, in words, those of the most members first."""
    counts = [int(each.speaks(fault=True).sum()) for each in numbers]
    unhealthy = [(count, each) for count, each in zip(counts, numbers, strict=True) if 2 * count > len(each.values)]
    return [each.words(fault=True) for _, each in sorted(unhealthy, key=lambda pair: -pair[0])[:MAX_CITED]]
