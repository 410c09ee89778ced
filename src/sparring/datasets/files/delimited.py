"""The rows of a CSV or TSV file as text, whatever its encoding and whatever separates its columns."""

from __future__ import annotations

import codecs
import csv
import io
import re
from contextlib import suppress
from itertools import islice

from sparring.datasets.files.numerals import Kind, kind_of

DELIMITERS = ",;\t|"
PREFERRED = "\t;|,"
"""The same, those first that stand less often within a column: a comma may be a decimal comma."""
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks, and the encodings that they say. Excel writes UTF-16 as "Unicode text"."""
FOREIGN = re.compile(rb"[\x80-\xff]+")
"""Characters that are not ASCII, one behind the other."""
ACCENTS = 2
"""As many accented letters may follow one another in a language that Windows-1252 was made for: the `öß` of Größe."""
COMMON_CHINESE = range(0xB0, 0xD8)
"""First bytes of the 3,755 common characters of GB 2312. Small Cyrillic letters of Windows-1251 lie above."""
BLANKS = re.compile(r"[ \t]+")
SEPARATOR = re.compile(r"sep=(.)\r?\n")
"""A first line by which Excel is said what separates columns."""
SAMPLED, SAMPLED_CHARACTERS = 100, 2**16
"""Rows that say what separates columns, and how long these may be together."""


class EncodingError(ValueError):
    """A text whose bytes do not say which encoding it is in."""


def decoded(content: bytes) -> tuple[str, str]:
    """A text, and the name of an encoding that was guessed; empty where its bytes say it.

    Without a byte order mark, it is UTF-8 or what a Western or Chinese Windows writes. Guesses of a library (charset
    normalizer) were wrong for half of such files: they have too few letters beside their numbers.

    Raises:
        EncodingError: It may be in any of many encodings, or is no text.
    """
    marked = next((encoding for mark, encoding in MARKS if content.startswith(mark)), "")
    try:
        if marked:
            return content.decode(marked), ""
        if b"\0" in content:  # UTF-16 without a mark, or no text
            raise EncodingError
        with suppress(UnicodeDecodeError):
            return content.decode("utf-8"), ""
        foreign = FOREIGN.findall(content)
        if _is_chinese(foreign):
            return content.decode("gb18030"), "GBK"
        if max(map(len, foreign)) <= ACCENTS:
            return content.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError as error:
        raise EncodingError from error
    raise EncodingError


def rows_of(text: str) -> list[list[str]]:
    """The cells of each row that has any. Raises csv.Error."""
    delimiter, text = _separated(text)
    return _rows(text, delimiter or max(DELIMITERS, key=text.partition("\n")[0].count))


def table_rows(text: str) -> tuple[list[list[str]], bool]:
    """The same of numbers, and whether blanks separate them, as `numpy.savetxt` writes them.

    Remarks above them, lines that begin with `#`, are left out; the last one is the names of columns where it has as
    many cells, and the rows have no names themselves. Raises csv.Error.
    """
    lines = text.splitlines(keepends=True)
    first = next((k for k, line in enumerate(lines) if line.strip() and not line.startswith("#")), 0)
    remarks, rest = [line for line in lines[:first] if line.strip()], "".join(lines[first:])
    delimiter, rest = _separated(rest)
    rows = [] if delimiter else _rows_with_blanks(rest)
    if by_blanks := bool(rows):
        names = [BLANKS.split(line.strip("# \t\r\n")) for line in remarks[-1:]]
    else:
        rows = _rows(rest, delimiter) if delimiter else rows_of(rest)
        names = [row for line in remarks[-1:] for row in _rows(line, delimiter or ",")]
    if rows and any(kind_of(cell).is_number for cell in rows[0]):
        rows = [*(row for row in names if len(row) == len(rows[0])), *rows]
    return rows, by_blanks


def _rows_with_blanks(text: str) -> list[list[str]]:
    """The cells between blanks where each row has as many, at least two, and all are numbers, but perhaps in the
    first; else nothing."""
    rows = [BLANKS.split(line.strip(" \t")) for line in text.splitlines() if line.strip()]
    if not rows or len(rows[0]) == 1 or {len(row) for row in rows} != {len(rows[0])}:
        return []
    numbers = rows[1:] or rows
    return [] if any(kind_of(cell) is Kind.TEXT for row in numbers for cell in row) else rows


def _separated(text: str) -> tuple[str, str]:
    """What separates the columns of a text, empty where nothing shows it, and the text without a line that says it."""
    said = SEPARATOR.match(text)
    return (said[1], text[said.end() :]) if said else (_delimiter(text), text)


def _rows(text: str, delimiter: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]


def _is_chinese(foreign: list[bytes]) -> bool:
    """Whether these are whole characters of GB 2312, most of them common ones."""
    joined = b"".join(foreign)
    if any(len(each) % 2 for each in foreign) or min(joined) <= 0xA0:
        return False
    common = sum(first in COMMON_CHINESE for first in joined[::2])
    return common > len(joined) / 4


def _delimiter(text: str) -> str:
    """What gives the first rows as many columns each, and of several the one that gives the most numbers; if any."""
    beginning = text[:SAMPLED_CHARACTERS]
    if len(beginning) < len(text):
        beginning = beginning.rpartition("\n")[0] or beginning
    numbers = {delimiter: _numbers(beginning, delimiter) for delimiter in PREFERRED}
    best = max(numbers, key=lambda delimiter: numbers[delimiter])  # the first of equal ones
    return best if numbers[best] >= 0 else ""


def _numbers(text: str, delimiter: str) -> int:
    """How many cells are numbers; -1 where rows differ in length, or have one cell."""
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = [row for row in islice(reader, SAMPLED) if any(row)]
    except csv.Error:
        return -1
    if {len(row) for row in rows} - {1} and len({len(row) for row in rows}) == 1:
        return sum(kind_of(cell).is_number for row in rows for cell in row)
    return -1
