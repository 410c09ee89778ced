"""The numbers behind a finding, and the one sentence that may be made of them.

A sentence is not written by a rule: it is put together here, of a headline without numbers and of reasons, and only a
number that lies where it speaks for the headline becomes a reason. Of a fault that is one outside its healthy range, of
the good outcome one inside. A rule cannot cite a healthy number for a fault, and finds nothing without a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from sparring.languages import Text
from sparring.record.journal import json_numbers
from sparring.record.loop import Line
from sparring.rules._ranges import Range

Drawn = Literal["curves", "evaluations"]
"""Where a plot's values come from: every logged round, or the rounds at which samples were evaluated."""
MAX_CITED = 2
"""How many reasons a sentence names: those of the most members, in the order that the rule gives."""
MAX_DIGITS = 7
"""Digits with which a number that lies close to the end of its range is distinguished from it, at most."""


@dataclass(frozen=True)
class Evidence:
    """One number behind a finding, of each member that the finding holds for."""

    name: str
    """As it is shown: `D(real)`, `diversity`."""
    values: tuple[float, ...]
    """Of those members, in their order."""
    healthy: Range
    phrase: str = ""
    """The number in a sentence, as `they cover {value} of 10 classes`; also with `{low}` or `{high}`, where the healthy
    range is not to follow in brackets. Where it is empty: `diversity is 0.64`."""
    percent: bool = False
    """Whether it is a share, written as `40%`."""

    @cached_property
    def _finite(self) -> np.ndarray:
        values = np.array(self.values)
        return values[np.isfinite(values)]

    @property
    def is_known(self) -> bool:
        """Whether it is known of any member."""
        return bool(len(self._finite))

    @property
    def value(self) -> float:
        """The median over the members, of what is finite."""
        return float(np.median(self._finite)) if len(self._finite) else float("nan")

    @property
    def min(self) -> float:
        return float(self._finite.min()) if len(self._finite) else float("nan")

    @property
    def max(self) -> float:
        return float(self._finite.max()) if len(self._finite) else float("nan")

    @property
    def range(self) -> str:
        """Its healthy range as text: `0.75 to 1.3`."""
        return self.healthy.words(percent=self.percent)

    def speaks(self, fault: bool) -> np.ndarray:
        """Members whose number is a reason to call them sick, or where there is no `fault`, good: bool `(M,)`."""
        values = np.array(self.values)
        return np.isfinite(values) & (self.healthy.contains(values) != fault)

    def cited(self, fault: bool) -> float:
        """The number that a sentence cites: the median over the members that it speaks of."""
        return float(np.median(np.array(self.values)[self.speaks(fault)]))

    def words(self, fault: bool) -> Text:
        """As a reason in a sentence: `diversity is 0.64 (healthy: 0.75 to 1.3)`."""
        value, more = shown(self.cited(fault), self.healthy, self.percent)
        phrase = Text.of(self.phrase or Text("{name} is {value}", name=Text.of(self.name)))
        low, high = (self.healthy.end(end, more, self.percent) for end in (self.healthy.low, self.healthy.high))
        text = phrase.filled(value=value, low=low, high=high)
        if "{low}" not in phrase and "{high}" not in phrase and (healthy := self.healthy.words(more, self.percent)):
            text = Text("{text} (healthy: {range})", text=text, range=healthy)
        count, of = int(self.speaks(fault).sum()), len(self.values)
        if count == of:
            return text
        return Text("{text} in {count} of {of} seeds", text=text, count=f"{count:,}", of=f"{of:,}")

    def plain(self) -> dict[str, Any]:
        """For JSON; an open end of the healthy range is null."""
        numbers = {"value": self.value, "min": self.min, "max": self.max}
        return {
            "name": self.name,
            **{key: json_numbers(number) for key, number in numbers.items()},
            "healthy": [json_numbers(self.healthy.low), json_numbers(self.healthy.high)],
        }


@dataclass(frozen=True)
class Plot:
    """The plot that shows a finding: some values over the rounds, and their healthy range."""

    drawn: Drawn
    names: tuple[str, ...]
    title: str
    healthy: Range
    log: bool = False
    """Whether the axis of the values is logarithmic."""


@dataclass(frozen=True)
class Explanation:
    """A finding in words and numbers."""

    headline: str
    """What is wrong, or right, without a number: `The samples lack variety`."""
    reasons: Sequence[Evidence]
    """The numbers that it may rest on, the most telling first."""
    plot: Plot
    context: Sequence[Evidence] = ()
    """Other numbers that help to understand it; a sentence never gives them as reasons."""
    aside: str = ""
    """What follows the reasons, with its own comma or semicolon: `; it began with seed 0 at round 3,975`."""
    remedies: Sequence[str] = ()
    """Names of those of the rule's remedies that come first, where the story tells which."""
    line: Line | None = None
    """Where in the user's own loop it happens."""
    mended: str = ""
    """That line as it should be, or what to do there."""

    def has_reason(self, fault: bool) -> np.ndarray:
        """Members for which there is a reason, bool `(M,)`; nothing is good of which any reason is unhealthy."""
        if not self.reasons:
            return np.zeros(0, dtype=bool)
        speaking = np.any([reason.speaks(fault) for reason in self.reasons], axis=0)
        if fault:
            return speaking
        return speaking & ~np.any([reason.speaks(True) for reason in self.reasons], axis=0)

    def cited(self, fault: bool) -> tuple[Evidence, ...]:
        """The reasons that the sentence names."""
        speaking = [reason for reason in self.reasons if reason.speaks(fault).any()]
        return tuple(sorted(speaking, key=lambda reason: -int(reason.speaks(fault).sum()))[:MAX_CITED])

    def claim(self, fault: bool) -> Text:
        """One plain sentence with the numbers that it rests on."""
        return Text(
            "{headline}: {reasons}{aside}{where}.",
            headline=Text.of(self.headline),
            reasons=Text.joined([reason.words(fault) for reason in self.cited(fault)], ", and "),
            aside=Text.of(self.aside) if self.aside else "",
            where=Text(", at {line}", line=self.line) if self.line else "",
        )


def evidence(
    name: str, values: np.ndarray, members: np.ndarray, healthy: Range, phrase: str = "", percent: bool = False
) -> Evidence:
    """Evidence from `values` `(P,)` of these members."""
    return Evidence(name, tuple(np.asarray(values, dtype=np.float64)[members].tolist()), healthy, phrase, percent)


def number(value: float, more: int = 0) -> str:
    """Two digits after the point, or two significant ones of very small and very large numbers; and `more` digits."""
    size = abs(value)
    if not np.isfinite(value):
        return "–"
    if value == round(value) and size < 1e7:
        return f"{value:,.0f}"
    if 100 <= size < 1e7:
        return f"{value:,.{more}f}"
    if 1 <= size < 100:
        return f"{value:.{2 + more}f}".rstrip("0").rstrip(".")
    return f"{value:.{2 + more}f}" if 0.01 <= size < 1 else f"{value:.{2 + more}g}"


def shown(value: float, healthy: Range, percent: bool = False) -> tuple[str, int]:
    """A number as text, and how many digits more than usual it and its range take to show on which side it lies."""
    inside = bool(healthy.contains(np.array(value)))
    for more in range(MAX_DIGITS):
        text = f"{value:.{more}%}" if percent else number(value, more)
        low, high = (_read(healthy.end(end, more, percent)) for end in (healthy.low, healthy.high))
        if bool(Range(low, high).contains(np.array(_read(text)))) == inside:
            return text, more
    return str(value), MAX_DIGITS


def _read(text: str) -> float:
    return float(text.rstrip("%").replace(",", ""))
