from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.record.loop import LoopFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import SCORES, SOUND, Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals

ENDS = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0)}
"""What a G reaches that ends in this function."""
FROM_0 = ("relu", "softplus")
"""Functions at G's end that reach everything above 0."""
BELOW_0 = "end G in tanh where real examples lie in [-1, 1], or in no function at all"
TOLERANCE = 0.1
"""Share of G's width by which the data may lie outside."""
UNIT, BEGIN, END, WIDTH = (0.0, 1.0), (-0.05, 0.2), 1.01, 0.6
"""Examples that nobody has scaled to [-1, 1] yet: where they begin, where they end at most, and their least width."""
BYTE, TINY = 255.0, 1e-6
NEARLY, SLACK = 0.8, 0.01
"""How near to each other the ends of a range about 0 are, as a share; and by how much of a digit it may be exceeded."""


@final
@dataclass(frozen=True)
class BugDataRange(Rule):
    """Real examples lie in another range than G can reach: D needs no more than that to tell them apart."""

    weight: ClassVar[float] = 0.994
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop), SCORES)

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        quantiles = loop.data.quantiles if loop is not None else ()
        if loop is not None and not np.isfinite(quantiles).all():
            return _not_finite(loop)
        if loop is None or not quantiles or loop.g.ends_in not in ENDS:
            return _below_0(loop) if loop is not None and quantiles else None
        low, high = ENDS[loop.g.ends_in]
        reach = max(high - low, 1e-9)
        beyond = max(low - quantiles[1], quantiles[-2] - high, 0.0) / reach  # noise may be added for D
        unused = (UNIT[0] - low) / reach if _are_unit(quantiles) else 0.0
        if max(beyond, unused) <= TOLERANCE:
            return None
        cannot = Text("G ends in {layer} and cannot reach the data's range", layer=loop.g.ends_in)
        return Bug(
            cannot if beyond > TOLERANCE else "Real examples are not scaled to the range of G, which ends in tanh",
            "distance of the data's range from G's, in widths of G's",
            max(beyond, unused),
            Range(high=TOLERANCE),
            phrase="the ranges are {value} times G's width apart",
            line=loop.data.line,
            mended=_mended(loop.g.ends_in, quantiles),
            aside=_where(quantiles),
        )

    @staticmethod
    def sick() -> Story:
        return loop_story(data=replace(SOUND.data, quantiles=(0.0, 0.0, 33.0, 250.0, 255.0)))

    @staticmethod
    def healthy() -> Story:
        """Positive data of small numbers, which tanh reaches."""
        return loop_story(good=True, data=replace(SOUND.data, quantiles=(0.3, 0.32, 0.5, 0.68, 0.7)))


def _not_finite(loop: LoopFacts) -> Bug:
    """Real examples that no network can learn from."""
    return Bug(
        "Real examples hold numbers that are NaN or infinite",
        "smallest and largest number of the data that are finite, of two",
        sum(math.isfinite(end) for end in (loop.data.quantiles[0], loop.data.quantiles[-1])),
        Range(low=2),
        phrase="of the smallest and the largest number {value} are finite",
        line=loop.data.line,
        mended="drop them: x = x[x.flatten(1).isfinite().all(1)]",
    )


def _below_0(loop: LoopFacts) -> Bug | None:
    """A G whose examples have no number below 0, and data that have many."""
    quantiles = loop.data.quantiles
    beyond = -quantiles[1] / max(quantiles[-2] - quantiles[1], 1e-9)
    makes_negative = loop.g.range is not None and loop.g.range[0] < 0  # another of its outputs ends in this function
    if loop.g.ends_in not in FROM_0 or makes_negative or not loop.comparable or beyond <= TOLERANCE:
        return None
    return Bug(
        Text("G ends in {layer} and cannot reach the data's range", layer=loop.g.ends_in),
        "how far the data's range lies below 0, in widths of its own",
        beyond,
        Range(high=TOLERANCE),
        phrase="{value} of the data's range lies below 0, where G makes nothing",
        line=loop.data.line,
        mended=BELOW_0,
        aside=_where(quantiles),
    )


def _mended(layer: str, quantiles: Sequence[float]) -> Text:
    """How to bring examples of this range to what G reaches, as a line of Python."""
    low, high = _rounded(quantiles)
    if layer == "sigmoid":
        message = "scale real examples to [0, 1]: {how}"
        if quantiles[0] >= -END and quantiles[-1] <= END:
            message = "scale real examples to [0, 1]: {how}; or end G in tanh"
        return Text(message, how=_ratio(low, high - low))
    if layer == "softmax":
        return Text("end G in no function at all: the outputs of softmax add up to 1, as shares of categories do")
    return Text("scale real examples to [-1, 1]: {how}", how=_signed(low, high))


def _signed(low: float, high: float) -> str:
    """What brings x from this range to [-1, 1]."""
    half = (high - low) / 2
    return f"{_ratio(low, half)} - 1" if low == 0 else _ratio((high + low) / 2, half)


def _ratio(less: float, over: float) -> str:
    """`(x - less) / over`, without what changes nothing."""
    moved = f"(x {'-' if less > 0 else '+'} {abs(less):g})" if less else "x"
    if over < 1 and (1 / over).is_integer():
        return f"{moved} * {1 / over:g}"
    return moved if over == 1 else f"{moved} / {over:g}"


def _rounded(quantiles: Sequence[float]) -> tuple[float, float]:
    """A range in short numbers that the data lie in: that of bytes, or one about 0, where it is nearly such."""
    low, high = quantiles[0], quantiles[-1]
    if _are_unit(quantiles):
        return UNIT
    if 0 <= low <= BEGIN[1] * BYTE and BYTE / 2 < high <= BYTE:
        return 0.0, BYTE
    if high - low < TINY:  # one number everywhere has no width to scale by
        return low - 1.0, high + 1.0
    step = 10.0 ** (math.floor(math.log10(high - low)) - 1)
    ends = math.floor(low / step + SLACK) * step, math.ceil(high / step - SLACK) * step
    if low < 0 < high and min(-low, high) >= NEARLY * max(-low, high):
        return -max(-ends[0], ends[1]), max(-ends[0], ends[1])
    return ends


def _where(quantiles: Sequence[float]) -> Text:
    return Text("; real examples lie in {low} to {high}", low=f"{quantiles[0]:.3g}", high=f"{quantiles[-1]:.3g}")


def _are_unit(quantiles: Sequence[float]) -> bool:
    """Whether examples lie in [0, 1], as images do that nobody has scaled further."""
    low, high = quantiles[0], quantiles[-1]
    return BEGIN[0] <= low <= BEGIN[1] and high <= END and high - low >= WIDTH
