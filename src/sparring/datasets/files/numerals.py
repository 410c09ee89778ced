"""Numbers as text: with a decimal point or a decimal comma, and with separators between thousands or without."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "-", "?"})
"""What stands for a missing number, in lower case."""
NUMERIC = 0.5
"""Share of a column's entries that must be numbers, or missing, for the others to count as missing."""
SPACED = re.compile(r"[+-]?[1-9]\d{0,2}(?:[ \u00a0\u202f'\u2019]\d{3})+(?:[.,]\d*)?")
"""Thousands with spaces or apostrophes between: 1 234,5 in French and 1'234.5 in Swiss tables."""
SPACES = re.compile(r"[ \u00a0\u202f'\u2019]")
DECIMAL_COMMA = re.compile(r"[+-]?(?:\d*,\d+|\d+,|\d{1,3}(?:\.\d{3})+,\d*)(?:[eE][+-]?\d+)?")
THOUSANDS_COMMAS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")
THOUSANDS_POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")


class Kind(Enum):
    """How an entry of a table is written."""

    MISSING = "missing"
    TEXT = "text"
    WHOLE = "a number without point or comma"
    POINT = "a number in which the point marks decimals, or the comma thousands"
    COMMA = "a number in which the comma marks decimals, or the point thousands"
    MAYBE_POINT = "1.234"
    MAYBE_COMMA = "1,234"

    @property
    def is_number(self) -> bool:
        """Whether it is any kind of number."""
        return self not in (Kind.MISSING, Kind.TEXT)


def kind_of(entry: str) -> Kind:
    """How an entry is written, blanks around it not counted."""
    number, text = _float(entry), entry
    if number is None:
        text = _plain(entry)
        number = _float(text)
    if number is not None and number == number:
        if "." not in text:
            return Kind.WHOLE
        return Kind.MAYBE_POINT if THOUSANDS_POINTS.fullmatch(text.strip()) else Kind.POINT
    text = text.strip()
    if text.lower() in MISSING:
        return Kind.MISSING
    may_be_comma = DECIMAL_COMMA.fullmatch(text) or THOUSANDS_POINTS.fullmatch(text)
    if THOUSANDS_COMMAS.fullmatch(text):
        return Kind.MAYBE_COMMA if may_be_comma else Kind.POINT
    return Kind.COMMA if may_be_comma else Kind.TEXT


@dataclass(frozen=True)
class WrittenColumn:
    """A column of a table as text."""

    name: str
    entries: Sequence[str]

    @cached_property
    def kinds(self) -> list[Kind]:
        """How each entry is written."""
        return [kind_of(entry) for entry in self.entries]

    @cached_property
    def found(self) -> dict[Kind, str]:
        """The first entry of each kind."""
        kinds = self.kinds  # looked for in the list: an Enum's hash is slow
        return {kind: self.entries[kinds.index(kind)].strip() for kind in Kind if kind in kinds}

    @cached_property
    def is_numeric(self) -> bool:
        """Whether it holds numbers, few other words and what is missing."""
        others = self.kinds.count(Kind.TEXT)
        return any(kind.is_number for kind in self.found) and others < (1 - NUMERIC) * len(self.kinds)

    @property
    def is_spaced(self) -> bool:
        """Whether a blank stands in every number, as between thousands or columns."""
        return all(" " in entry.strip() and SPACED.fullmatch(entry.strip()) for entry in self.entries)

    def numbers(self, decimal_comma: bool) -> np.ndarray:
        """float64 `(N,)`, NaN for what is missing."""
        pairs = zip(self.entries, self.kinds, strict=True)
        none = (Kind.MISSING, Kind.TEXT)
        return np.array([np.nan if kind in none else _value(entry, decimal_comma) for entry, kind in pairs])


class UnclearError(ValueError):
    """Numbers that may be read in two manners; the message names some of them."""


def marks_of(columns: Iterable[WrittenColumn]) -> set[Kind]:
    """What the numbers of a table say of its points and commas: `POINT`, `COMMA`, both or nothing."""
    return {kind for column in columns if column.is_numeric for kind in column.found} & {Kind.POINT, Kind.COMMA}


def has_decimal_comma(column: WrittenColumn, marks: set[Kind]) -> bool:
    """Whether a column is written with decimal commas, by its own entries or else by the `marks_of` the whole table.

    Raises:
        UnclearError: It has both, or nothing says what its commas are.
    """
    found = column.found
    sure, unsure = (Kind.POINT, Kind.COMMA), (Kind.MAYBE_POINT, Kind.MAYBE_COMMA)
    point, comma = sure if any(kind in found for kind in sure) else unsure
    if point in found and comma in found:
        raise UnclearError(f"{found[point]} and {found[comma]}")
    if point in sure:
        return comma in found
    if Kind.MAYBE_COMMA in found and len(marks) != 1:
        raise UnclearError(found[Kind.MAYBE_COMMA])
    return marks == {Kind.COMMA}


def _plain(entry: str) -> str:
    """Without blanks around it or between thousands, and with a plain minus sign."""
    text = entry.strip().replace("\u2212", "-")
    return SPACES.sub("", text) if SPACED.fullmatch(text) else text


def _float(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)  # Python takes _ between digits
    except ValueError:
        return None


def _value(entry: str, decimal_comma: bool) -> float:
    value = None if decimal_comma else _float(entry)
    if value is not None and not math.isinf(value):
        return value  # nearly always
    text = _plain(entry)
    if decimal_comma and ("," in text or THOUSANDS_POINTS.fullmatch(text)):
        text = text.replace(".", "").replace(",", ".")
    elif not decimal_comma:
        text = text.replace(",", "")
    value = float(text)
    # A number too large even for float64 is not infinite.
    return math.copysign(sys.float_info.max, value) if math.isinf(value) and "inf" not in text.lower() else value
