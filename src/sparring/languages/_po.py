"""A reader of gettext's source files: the entries of a .po without contexts and plurals."""

from __future__ import annotations

import ast
from collections.abc import Mapping


def read_po(text: str) -> Mapping[str, str]:
    """Each msgid with its msgstr, without the header and what is not translated yet.

    Args:
        text: Of the file: comments, `msgid "..."` and `msgstr "..."`, each followed by lines of further strings.

    Raises:
        ValueError: A line is none of these, or a message is there twice.
    """
    entries, parts = dict[str, str](), dict[str, list[str]]()
    kind = ""
    for number, line in enumerate([*text.splitlines(), 'msgid ""'], 1):
        word, _, rest = line.strip().partition(" ")
        if word in ("msgid", "msgstr"):
            if word == "msgid" and parts:
                _add(entries, parts)
                parts = {}
            kind = word
            parts[kind] = [_unquoted(rest, number)]
        elif line.startswith('"'):
            parts[kind].append(_unquoted(line.strip(), number))
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"line {number} is no line of a .po file: {line}")
    return {message: translation for message, translation in entries.items() if message and translation}


def _add(entries: dict[str, str], parts: Mapping[str, list[str]]) -> None:
    message = "".join(parts["msgid"])
    if message in entries:
        raise ValueError(f"the message {message!r} is there twice")
    entries[message] = "".join(parts.get("msgstr", []))


def _unquoted(text: str, number: int) -> str:
    """A quoted string, whose escapes are those of C and Python."""
    value = ast.literal_eval(text) if text[:1] == text[-1:] == '"' else None
    if not isinstance(value, str):
        raise ValueError(f"line {number} has no string in quotes: {text}")
    return value
