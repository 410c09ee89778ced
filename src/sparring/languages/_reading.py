"""Reading a text that was put together in English: the message and the fields that it was made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

FIELD = re.compile(r"\{(\w+)\}")
FEW, OF_ALL = 3, 8
"""Letters that messages explain of a field, and of a whole text, at least: `{a} and {b}` alone is what anybody says."""


@dataclass(frozen=True)
class Reading:
    """A text as a message with fields, which are read likewise."""

    text: str
    message: str
    """The text itself where it was made of no message that is known."""
    fields: Mapping[str, Reading]
    letters: int
    """Of all messages in it: how much of the text they explain."""


def read(text: str, messages: tuple[str, ...]) -> Reading:
    """The reading of a text in which these messages explain most of it."""
    reading = _read(text, messages)
    return Reading(text, text, {}, 0) if reading.fields and reading.letters < OF_ALL else reading


@lru_cache(maxsize=4096)
def _read(text: str, messages: tuple[str, ...]) -> Reading:
    best = Reading(text, text, {}, 0)
    for message, words, letters in _parts(messages):
        if all(word in text for word in words) and (found := _pattern(message).fullmatch(text)):
            fields = {name: _read(value, messages) for name, value in found.groupdict().items()}
            known = letters + sum(each.letters for each in fields.values())
            if known > max(best.letters, FEW - 1):
                best = Reading(text, message, fields, known)
    return best


@lru_cache(maxsize=8)
def _parts(messages: tuple[str, ...]) -> list[tuple[str, list[str], int]]:
    """Each message with what stands between its fields, and how many letters that has; the longest first."""
    found = [(message, FIELD.split(message)[::2]) for message in messages]
    counted = [(message, words, sum(map(str.isalpha, "".join(words)))) for message, words in found if any(words)]
    return sorted(counted, key=lambda each: -each[2])


@cache
def _pattern(message: str) -> re.Pattern[str]:
    """Of what a message becomes with its fields; one that comes again is the same."""
    parts, pattern = FIELD.split(message), ""
    for index, part in enumerate(parts):
        if index % 2:
            pattern += f"(?P={part})" if part in parts[1:index:2] else f"(?P<{part}>.*?)"
        else:
            pattern += re.escape(part)
    return re.compile(pattern, re.DOTALL)
