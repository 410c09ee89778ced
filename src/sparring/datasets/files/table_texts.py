"""The columns of a CSV or TSV file: their names, which of them hold numbers, and these numbers."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from sparring.datasets.files.delimited import EncodingError, decoded, table_rows
from sparring.datasets.files.numerals import Kind, UnclearError, WrittenColumn, has_decimal_comma, kind_of, marks_of
from sparring.errors import SparringError, reason_of


@dataclass(frozen=True)
class Columns:
    """The columns of a file, before their numbers are read."""

    every: tuple[str, ...]
    """Names of all of them."""
    places: tuple[int, ...]
    """Where those that hold numbers stand among them, from 0."""
    read: Callable[[Sequence[int]], np.ndarray]
    """The numbers `(N, K)` of some of the latter, NaN where one is missing."""
    index: tuple[int, ...] = ()
    """Those of the latter that only number the rows."""
    longer: tuple[int, ...] = ()
    """Rows with more cells than there are columns, from 0."""
    notes: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    """Names of those of the others that hold several numbers in each row."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of those that hold numbers."""
        return tuple(self.every[place] for place in self.places)

    @cached_property
    def others(self) -> tuple[str, ...]:
        """Names of those that hold something else."""
        return tuple(name for place, name in enumerate(self.every) if place not in self.places)


def columns_of(path: Path) -> Columns:
    """Those of a CSV or TSV file. Raises SparringError for one that cannot be read."""
    try:
        text, guess = decoded(path.read_bytes())
        lines, by_blanks = table_rows(text)
    except OSError as error:
        raise SparringError(f"cannot read {path}: {reason_of(error)}") from error
    except EncodingError as error:
        raise SparringError(
            f"{path} is no table that can be read (its text is neither UTF-8 nor UTF-16 with a byte order mark): save "
            "it as UTF-8, in Excel as CSV UTF-8"
        ) from error
    except csv.Error as error:
        raise SparringError(f"{path} is no table that can be read ({error})") from error
    if not lines:
        raise SparringError(f"{path} holds no rows")
    head, rows = _head_and_rows(path, lines)
    width = max(map(len, lines))
    names = [name.strip() or str(k + 1) for k, name in enumerate([*head, *[""] * (width - len(head))])]
    every = [WrittenColumn(names[k], [row[k] if k < len(row) else "" for row in rows]) for k in range(width)]
    longer: tuple[int, ...] = ()
    if head and any(kind.is_number for column in every[len(head) :] for kind in column.found):
        longer = tuple(k for k, row in enumerate(rows) if _length(row) > len(head))
        every = every[: len(head)]
    if len(every) == 1 and every[0].is_spaced:
        number = every[0].entries[0].strip()
        raise SparringError(
            f"{path}: the column {every[0].name} holds {number}, where a blank may separate "
            "columns or thousands: separate columns by commas, and write nothing between thousands"
        )
    places = tuple(k for k, column in enumerate(every) if column.is_numeric)

    def read(chosen: Sequence[int]) -> np.ndarray:
        marks = marks_of(every)
        return np.stack([_numbers(path, every[places[k]], marks) for k in chosen], 1)

    foreign = bool(guess) and not all(name.isascii() for name in names)
    notes = [f"names of columns are read as {guess}: if they look wrong, save the file as UTF-8"] if foreign else []
    notes += ["blanks are taken to separate columns"] if by_blanks else []
    index = (0,) if _numbers_rows(head, every) else ()
    return Columns(tuple(column.name for column in every), places, read, index, longer, tuple(notes))


def _head_and_rows(path: Path, lines: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """The names of columns, or empty ones, and the other lines."""
    if not _has_names(lines):
        return [], lines
    head, rows = lines[0], lines[1:]
    if not rows:
        raise SparringError(f"{path} has names of columns, and no rows")
    longer = [len(row) for row in rows if _length(row) > len(head)]
    if len(longer) > len(rows) / 2:
        raise SparringError(
            f"{path} has fewer names in its first line ({len(head)}) than values in most others ({max(longer)}): "
            "delete lines above the names; where numbers have decimal commas, separate columns by semicolons"
        )
    return head, rows


def _has_names(lines: Sequence[Sequence[str]]) -> bool:
    """Whether the first line names columns: it holds no number, or years and the like beside a word over numbers."""
    first = [kind_of(entry) for entry in lines[0]]
    if not any(kind.is_number for kind in first):
        return True
    numbers = [entry.strip() for entry, kind in zip(lines[0], first, strict=True) if kind.is_number]
    if not all(map(str.isdecimal, numbers)) or len(set(numbers)) < len(numbers):
        return False
    words = [k for k, kind in enumerate(first) if kind is Kind.TEXT]
    return any(all(k < len(row) and kind_of(row[k]).is_number for row in lines[1:]) for k in words)


def _numbers_rows(head: Sequence[str], columns: Sequence[WrittenColumn]) -> bool:
    """Whether the first of several columns is an index, as pandas writes it: it has no name where others have one, and
    another whole number in each row."""
    if len(columns) == 1 or not head or head[0].strip():
        return False
    numbers = [entry.strip() for entry in columns[0].entries]
    return len(set(numbers)) == len(numbers) and all(number.removeprefix("-").isdecimal() for number in numbers)


def _length(row: Sequence[str]) -> int:
    """Up to the last cell with something in it."""
    return max((k + 1 for k, cell in enumerate(row) if cell.strip()), default=0)


def _numbers(path: Path, column: WrittenColumn, marks: set[Kind]) -> np.ndarray:
    try:
        return column.numbers(has_decimal_comma(column, marks))
    except UnclearError as error:
        raise SparringError(
            f"{path}: the column {column.name} holds {error}, where a comma may mark decimals or thousands: write "
            "decimal points, and nothing between thousands"
        ) from error
