"""Characters that a terminal or file cannot write are replaced by ones that every encoding has; nothing fails on them.

Windows consoles write cp1252 or GBK, `LC_ALL=C` may mean ASCII, and a file's name may be no text at all: Python gives
each of its undecodable bytes as half of a surrogate pair, which not even UTF-8 can write.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import shlex
import unicodedata
from typing import Any

ERRORS = "sparring-replace"
"""The name by which Python's codecs know the replacement, as in `text.encode("ascii", errors=ERRORS)`."""
PLAIN = {
    **dict(zip("→←≤≥±…", ("->", "<-", "<=", ">=", "+-", "..."), strict=True)),
    **dict(zip("↑↓×−–—·•○≈‘’“”", "^vx---.*o~''\"\"", strict=True)),
    **dict(zip("▁▂▃▄▅▆▇█▀ ░▒▓", "_.,-~=+#^ .:*", strict=True)),
    **dict(zip("─━╸╺│┃╭╮╰╯", "----||++++", strict=True)),
    **dict(zip("ıøØæß", ("i", "o", "O", "ae", "ss"), strict=True)),
}
"""What this package writes, in ASCII; for blocks of a rising height, characters with more and more ink."""
BRAILLE = range(0x2800, 0x2900)
"""Dots of a scatter plot."""
FIRST_BYTE = 0xDC00
"""Code point of the surrogate that stands for an undecodable byte, less the byte."""
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, which would break a line or color a terminal, and undecodable bytes."""


def tolerant(*streams: Any) -> None:
    """Let text streams replace what they cannot write from now on; what is no ordinary text stream stays as it is."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def writable(text: str, encoding: str | None) -> bool:
    """Whether an encoding (UTF-8 for None) has every character of a text."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str) -> str:
    """A file's name as part of a line: with undecodable bytes and control characters, line breaks too, as escapes."""
    return UNPRINTABLE.sub(lambda found: _plain(found.group()), text)


def encodable(text: str) -> str:
    """Text as UTF-8 can write it, and figures can draw it: with undecodable bytes as escapes."""
    return text.encode("utf-8", ERRORS).decode()


def quoted(text: object, encoding: str | None = None) -> str:
    """One word of a shell's command, so that what is printed can be pasted.

    Args:
        text: A path or any other argument.
        encoding: Of the terminal, UTF-8 for None. Characters that it lacks, undecodable bytes and control characters
            are written as the escapes that bash, zsh and ksh read in `$'...'`.
    """
    word = str(text)
    if writable(word, encoding) and not UNPRINTABLE.search(word.replace("\n", "").replace("\t", "")):
        return shlex.quote(word)
    made = (chr(b) if 0x20 <= b < 0x7F and b not in b"\\'" else f"\\x{b:02x}" for b in os.fsencode(word))
    return f"$'{''.join(made)}'"


def _plain(character: str) -> str:
    """One character in ASCII: its likeness, its letter without accents, or an escape."""
    code = ord(character)
    if character in PLAIN:
        return PLAIN[character]
    if code in BRAILLE:
        return ":" if code > BRAILLE.start else " "
    if 0x80 <= code - FIRST_BYTE <= 0xFF:
        return f"\\x{code - FIRST_BYTE:02x}"
    if code < 0x20 or 0x7F <= code < 0xA0:
        return repr(character)[1:-1]
    letters = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return letters or character.encode("ascii", "backslashreplace").decode()


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


codecs.register_error(ERRORS, _replace)
