"""Reading a text that was put together in English: the message and the fields that it was made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

FIELD = re.compile(r"\{(\w+)\}")
FEW, OF_ALL = 3, 8
"""Letters that messages explain of a field, and of a whole text, at least: `{a} and {b}` alone is what anybody says."""
WEAK = 4
"""Characters besides spaces up to which what stands between fields, as in `{a} of {b}`, may as well be in a name."""
DEPTH = 10
"""Messages within each other that are looked for: a text of the user's may have any number of colons."""
MAX_REPEATING = 1_000
"""Characters of a text up to which a message with a field that comes again is looked for: it may have to go back."""


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
def _read(text: str, messages: tuple[str, ...], depth: int = DEPTH) -> Reading:
    best = Reading(text, text, {}, 0)
    for message, words, letters in _parts(messages) if depth else []:
        if all(word in text for word in words) and (found := _matched(message, text)):
            fields = {name: _read(value, messages, depth - 1) for name, value in found.groupdict().items()}
            known = letters + sum(each.letters for each in fields.values())
            if known > max(best.letters, FEW - 1) and not (_is_weak(words) and any(map(_is_prose, fields.values()))):
                best = Reading(text, message, fields, known)
    return best


def _is_weak(words: list[str]) -> bool:
    """Whether so little stands between fields that a name may have it too; a colon by itself does not."""
    said = "".join("".join(words).split())
    return len(said) <= WEAK and any(map(str.isalpha, said)) and len(words) > 2


def _is_prose(field: Reading) -> bool:
    """Whether a field is several words of which no message is known."""
    return " " in field.text and not field.letters and any(map(str.isalpha, field.text))


@lru_cache(maxsize=8)
def _parts(messages: tuple[str, ...]) -> list[tuple[str, list[str], int]]:
    """Each message with what stands between its fields, and how many letters that has; the longest first."""
    found = [(message, FIELD.split(message)[::2]) for message in messages]
    counted = [(message, words, sum(map(str.isalpha, "".join(words)))) for message, words in found if any(words)]
    return sorted(counted, key=lambda each: -each[2])


def _matched(message: str, text: str) -> re.Match[str] | None:
    pattern, repeats = _pattern(message)
    return None if repeats and len(text) > MAX_REPEATING else pattern.fullmatch(text)


@cache
def _pattern(message: str) -> tuple[re.Pattern[str], bool]:
    """Of what a message becomes with its fields, and whether one comes again, which is then the same.

    Where none does, a field ends where what follows it is first found, and is not tried longer: if the rest does not
    fit then, it fits nowhere. Trying all would take time that grows with the power of how many fields there are.
    """
    first, *rest = FIELD.split(message)
    names, words = rest[::2], rest[1::2]
    repeats, pattern = len(set(names)) < len(names), re.escape(first)
    for index, (name, word) in enumerate(zip(names, words, strict=True)):
        field = f"(?P={name})" if name in names[:index] else f"(?P<{name}>.*?)"
        is_last = index == len(names) - 1
        pattern += f"{field}{re.escape(word)}" if repeats or is_last else f"(?>{field}{re.escape(word)})"
    return re.compile(pattern, re.DOTALL), repeats
