from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.rules import Detection, Evidence, Explanation, Plot, Rule, evidence
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals
from sparring.rules._spans import HIGH, LARGE, LOW, OF_OUTPUT, Spans
from sparring.rules._stories import story
from sparring.rules._words import metric_evidence, number

FINAL_EVALUATIONS = 3
"""How many of the last evaluations the samples' quantiles are the median of."""
AT_MIN = (
    "it gives {value} at least, where the data goes down to {end}",
    "it can give {value}, where the data goes down to {end}",
)
"""Phrases on the lower end of what G can give: where that lies within the data's, and where it lies beyond."""
AT_MAX = (
    "it gives {value} at most, where the data goes up to {end}",
    "it can give {value}, where the data goes up to {end}",
)
"""The same on the upper end."""


@final
@dataclass(frozen=True)
class RangeMismatch(Rule):
    """G's values and the data's do not lie between the same ends, or the data's are not scaled at all.

    A G that ends in a sigmoid gives values between 0 and 1, one that ends in tanh values between -1 and 1. Where the
    data has others, D tells both kinds apart by that alone. Pixels of 0 to 255 make losses and gradients hundreds of
    times larger than networks and learning rates are made for.
    """

    weight: ClassVar[float] = 1.0
    anytime: ClassVar[bool] = True
    remedies: ClassVar[tuple[str, ...]] = (
        "matching-data-range",
        "unbounded-generator",
        "fully-connected-generator",
        "signed-data-range",
        "unit-data-range",
        "used-levels",
    )

    def detect(self, signals: Signals) -> Detection | None:
        spans = Spans.of(signals.story)
        if spans is None or not spans.claim or spans.constant:
            return None
        holds = ~signals.good
        if not spans.out_of_reach:  # G can give what the data has, so harm must show
            holds &= np.isfinite(signals.badness) if spans.unscaled else _beyond(signals, spans)
            if spans.unused or signals.story.loop is not None:  # G has yet to learn, or D may scale: only time tells
                holds &= ~signals.progress.unfinished
        since = np.zeros(signals.members, dtype=np.int64)
        return Detection(holds=holds, severity=np.ones(signals.members), since=since)

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        spans = Spans.of(signals.story)
        assert spans is not None
        if spans.out_of_reach:
            headline, reasons = "G cannot give the values that the data has", _what_g_can_give(signals, spans, members)
        elif spans.unscaled:
            headline = "Nothing scales the data, and networks are made for small values"
            reasons = _of_data(signals, spans, members)
        else:
            headline, reasons = "G's values do not keep to the data's", _what_g_can_give(signals, spans, members)
        reasons += _of_samples(signals, spans, members)
        return Explanation(
            headline,
            reasons,
            Plot("curves", ("d_real", "d_fake"), "D's outputs", Range()),
            metric_evidence(signals, ("frechet-distance", "nearest-neighbor"), members),
            remedies=_remedies(spans),
        )

    @staticmethod
    def sick() -> Story:
        """Data between -1 and 1, and a G of one's own that ends in a sigmoid."""
        return story(
            {"d_real": (0.6, 0.99, 1.0), "d_fake": (0.4, 0.01, 0.005), "d_loss": 0.02, "g_loss": (1.0, 5.0)},
            {"frechet-distance": 60.0, "confidence": 0.5, "nearest-neighbor": 2.5, "diversity": 0.4, "modes": 2.0},
            ranges={"generator": [0.0, 1.0]},
            quantiles=(0.0, 0.0, 0.0, 0.01, 0.9, 0.99, 1.0),
        )

    @staticmethod
    def healthy() -> Story:
        """A G without a bound, and data of a few units."""
        ends = (-4.0, -4.0, -3.0, 0.0, 3.0, 4.0, 4.0)
        return story(ranges={"generator": [None, None]}, quantiles=ends, real_quantiles=ends)


def _latest(signals: Signals) -> np.ndarray:
    """The samples' quantiles now, `(P, Q)`."""
    values = signals.story.quantiles[1]
    if not len(values):
        return np.full((signals.members, HIGH + 2), np.nan)
    return np.median(values[-FINAL_EVALUATIONS:], axis=0)


def _beyond(signals: Signals, spans: Spans) -> np.ndarray:
    """Members of whose numbers more than one in a hundred lie where none of the data's do, bool `(P,)`."""
    now = _latest(signals)
    return (now[:, LOW] < spans.extremes[0] - spans.slack) | (now[:, HIGH] > spans.extremes[1] + spans.slack)


def _what_g_can_give(signals: Signals, spans: Spans, members: np.ndarray) -> list[Evidence]:
    """Where its last layer bounds its values: too early for the data, or too late."""
    (low, high), slack = spans.data, spans.slack
    short = spans.out_of_reach
    lowest = Range(high=low + slack) if short else Range(low=low - slack)
    largest = Range(low=high - slack) if short else Range(high=high + slack)
    ends = (("min of what G can give", AT_MIN, lowest), ("max of what G can give", AT_MAX, largest))
    made: list[Evidence] = []
    for index, (name, phrases, healthy) in enumerate(ends):
        value = spans.generator[index]
        phrase = Text(phrases[0] if short else phrases[1], end=number(spans.shown[index]))
        if math.isfinite(value):
            every = np.full(signals.members, value)
            made.append(evidence(name, every, members, healthy, phrase))
    return made


def _of_data(signals: Signals, spans: Spans, members: np.ndarray) -> list[Evidence]:
    """The data's own ends."""
    every, scaled = np.ones(signals.members), Range(-LARGE, LARGE)
    low, high = spans.data
    return [
        evidence("1st percentile of the data", low * every, members, scaled),
        evidence("99th percentile of the data", high * every, members, scaled),
    ]


def _of_samples(signals: Signals, spans: Spans, members: np.ndarray) -> list[Evidence]:
    """Their ends now, beside the data's."""
    now, ((low, high), slack) = _latest(signals), (spans.data, spans.slack)
    return [
        evidence("1st percentile of the samples", now[:, LOW], members, Range(low - slack, low + slack)),
        evidence("99th percentile of the samples", now[:, HIGH], members, Range(high - slack, high + slack)),
    ]


def _remedies(spans: Spans) -> tuple[str, ...]:
    """Of dark images and the like, the levels that they use; else what scales the data to a G of one's own."""
    if spans.unused:
        return ("used-levels",)
    fitting = {OF_OUTPUT["sigmoid"]: "unit-data-range", OF_OUTPUT["tanh"]: "signed-data-range"}.get(spans.mend)
    return ("matching-data-range", fitting) if fitting else ()
