"""Numbers in a file: the rows of a CSV, TSV, Parquet or Arrow file, or of a two-dimensional NumPy array."""

from __future__ import annotations

import csv
import hashlib
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sparring.datasets.files.contents import shown, some
from sparring.datasets.files.delimited import EncodingError, decoded, rows_of
from sparring.datasets.files.fitness import copies_line
from sparring.datasets.files.memory import as_size, available_memory
from sparring.datasets.files.numerals import Kind, UnclearError, WrittenColumn, has_decimal_comma, kind_of, marks_of
from sparring.datasets.files.paths import expanded
from sparring.datasets.files.rows import FILES, RowFile
from sparring.datasets.files.summary import FEW
from sparring.errors import SparringError, UsageError, reason_of, shortened

TEXTS, ARRAYS = (".csv", ".tsv", ".txt"), (".npy", ".npz")
MEMORY_SHARE = 0.5
"""Of the free memory that a file may take; text takes about as much again while it is read."""
LARGEST = float(np.finfo(np.float32).max)
"""The largest number that networks and samples can have."""


@dataclass(frozen=True, eq=False)
class TableFile:
    """The numbers of a file, and what was left out of them."""

    path: Path
    rows: np.ndarray
    """float32 `(N, K)`, all of them finite."""
    columns: tuple[str, ...]
    """Their names: those of the file, or `1`, `2`, ..."""
    not_numbers: tuple[str, ...] = ()
    """Columns that hold something else."""
    incomplete: tuple[int, ...] = ()
    """Rows in which a number is missing, counted from 1."""
    infinite: tuple[int, ...] = ()
    """Rows in which one is infinite, and none missing."""
    too_large: tuple[int, ...] = ()
    """Other rows in which one is larger than float32 can hold."""
    notes: tuple[str, ...] = ()
    """What a user should know about how the file was read."""

    @property
    def content(self) -> str:
        """A hash of the numbers and their names."""
        digest = hashlib.blake2b(f"{self.rows.shape} {self.columns}".encode(), digest_size=10)
        digest.update(np.ascontiguousarray(self.rows).data)
        return digest.hexdigest()

    def summary(self) -> dict[str, Any]:
        """The same for JSON."""
        count, width = self.rows.shape
        return {
            "path": str(self.path),
            "rows": count,
            "columns": list(self.columns),
            "numbers": width,
            "not_numbers": list(self.not_numbers),
            "incomplete": len(self.incomplete),
            "infinite": len(self.infinite),
            "too_large": len(self.too_large),
            "notes": list(self.notes),
            "constant": list(self.constant),
            "repeated": self.repeated,
            "do_first": [self.obstacle] if self.obstacle else [],
        }

    @property
    def constant(self) -> tuple[str, ...]:
        """Columns of one number only."""
        same = (self.rows == self.rows[0]).all(0)
        return tuple(name for name, is_same in zip(self.columns, same, strict=True) if is_same)

    @property
    def repeated(self) -> int:
        """Rows that stand there before."""
        return len(self.rows) - len(np.unique(self.rows, axis=0))

    @property
    def obstacle(self) -> str:
        """Why there is nothing to learn in them, and what to do; empty where there is."""
        return copies_line(len(self.rows), len(self.rows) - self.repeated, "row")

    def lines(self) -> list[str]:
        """What to say of it: one line, and one each of what is left out, with a count and the first three."""
        count, width = self.rows.shape
        named = "" if all(name.isdecimal() for name in self.columns) else f" ({some(self.columns)})"
        said = [f"{_count(count, 'row')} of {_count(width, 'number')}{named}", *self.notes]
        if self.not_numbers:
            columns = _count(len(self.not_numbers), "column")
            said.append(f"left out: {columns} without numbers ({some(self.not_numbers)})")
        unusable = {
            "a missing number": self.incomplete,
            "an infinite number": self.infinite,
            f"a number larger than {LARGEST:.2g}, which float32 cannot hold": self.too_large,
        }
        for what, rows in unusable.items():
            if rows:
                which = some([f"row {number:,}" for number in rows])
                said.append(f"left out: {_count(len(rows), 'row')} with {what} ({which})")
        if constant := self.constant:
            said.append(f"{_count(len(constant), 'column')} of one number only ({some(constant)})")
        if repeated := self.repeated:
            said.append(f"{_count(repeated, 'row')} that {'is' if repeated == 1 else 'are'} a copy of another")
        if count < FEW:
            said.append(f"few ({count:,}): expect copies of them rather than new rows")
        if self.obstacle:
            said.append(f"warning: {self.obstacle}")
        return said


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def is_table(path: str | Path) -> bool:
    """Whether a path names a file of numbers: a table by its ending, rows without images, or an array by its shape."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in TEXTS:
        return path.is_file()
    if suffix[1:] in FILES and path.is_file():
        try:
            return not RowFile.open(path).image_columns
        except SparringError:
            return False
    if suffix not in ARRAYS or not path.is_file():
        return False
    try:
        return _array(path)[0].ndim == 2
    except SparringError:
        return False  # what is wrong is said where it is read as images


@dataclass(frozen=True)
class Columns:
    """The columns of a file, before their numbers are read."""

    names: tuple[str, ...]
    """Of those that hold numbers."""
    read: Callable[[Sequence[int]], np.ndarray]
    """The numbers `(N, K)` of the columns at these places, NaN where one is missing."""
    left: tuple[str, ...] = ()
    """Names of those that hold something else."""
    notes: tuple[str, ...] = ()


def read_table(path: str | Path, columns: str = "all") -> TableFile:
    """The numbers of a file.

    Args:
        path: A .csv, .tsv or .txt file, whose first line may hold the names of columns; a .parquet, .arrow or .feather
            file; or an .npy or .npz array `(N, K)`.
        columns: `all` that hold numbers, or names or numbers (from 1) of some, separated by commas.

    Raises:
        SparringError: The file cannot be read, holds no numbers, or does not fit in memory.
        UsageError: There is no such column, or it holds no numbers.
    """
    found = expanded(path)
    if not found.is_file():
        raise SparringError(
            f"{found} does not exist: name a .csv, .tsv or .parquet file, or an .npy or .npz array of rows"
        )
    _check_memory(found)
    if found.suffix.lower() in ARRAYS:
        numbers, notes = _array(found)
        if numbers.ndim != 2:
            raise SparringError(f"{found} holds an array of shape {numbers.shape}, not rows of numbers (N, K)")
        if not numbers.size:
            raise SparringError(f"{found} holds an array of shape {numbers.shape}, which is empty: save one with rows")
        names = tuple(str(k + 1) for k in range(numbers.shape[1]))
        whole = list(range(len(names)))

        def read(places: Sequence[int]) -> np.ndarray:
            return numbers if places == whole else numbers[:, places]

        return _chosen(found, Columns(names, read, notes=notes), columns)
    if found.suffix.lower()[1:] in FILES:
        return _chosen(found, _rows(RowFile.open(found)), columns)
    return _chosen(found, _text(found), columns)


def _rows(file: RowFile) -> Columns:
    """Those of a file whose columns have types."""
    from pyarrow import types

    def is_numeric(kind: Any) -> bool:
        return types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)

    def read(places: Sequence[int]) -> np.ndarray:
        values = (file.column(names[k]) for k in places)
        columns = [np.array([np.nan if value is None else float(value) for value in column]) for column in values]
        return np.stack(columns, 1)

    if not sum(file.counts):
        raise SparringError(f"{file.path} holds no rows")
    names = tuple(field.name for field in file.schema if is_numeric(field.type))
    return Columns(names, read, tuple(name for name in file.schema.names if name not in names))


def _check_memory(path: Path) -> None:
    size, free = path.stat().st_size, available_memory()
    if size > MEMORY_SHARE * free:
        raise SparringError(f"{path} needs about {as_size(2 * size)} of memory, of which {as_size(free)} are free")


def _array(path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """A view of the file's array, of numbers; of several the largest with two dimensions, and a note that says so."""
    notes: tuple[str, ...] = ()
    try:
        if path.suffix.lower() == ".npy":
            array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        else:
            with np.load(path, allow_pickle=False) as loaded:
                arrays = {name: np.asarray(loaded[name]) for name in loaded.files}
            best = max(arrays, key=lambda name: (arrays[name].ndim == 2, arrays[name].size), default="")
            array = arrays.get(best, np.empty(0))
            if others := [name for name in arrays if name != best]:
                notes = (f"numbers are those of the array {shown(best)}; not used: {some(others)}",)
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise SparringError(f"{path} is no array that can be read ({shortened(error)}): save it again") from error
    if array.dtype.kind not in "biuf":
        raise SparringError(f"{path} holds {array.dtype} values, which are no numbers")
    return array, notes


def _text(path: Path) -> Columns:
    """Those of a CSV or TSV file."""
    try:
        text, guess = decoded(path.read_bytes())
        lines = rows_of(text)
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
    numbered = bool(head) and not head[0].strip() and width > 1 and _numbers_rows(every[0].entries)
    every = every[numbered:]
    numeric = [column for column in every if column.is_numeric]
    left = tuple(column.name for column in every if not column.is_numeric)

    def read(places: Sequence[int]) -> np.ndarray:
        marks = marks_of(every)
        return np.stack([_numbers(path, numeric[k], marks) for k in places], 1)

    foreign = bool(guess) and not all(name.isascii() for name in names)
    notes = [f"names of columns are read as {guess}: if they look wrong, save the file as UTF-8"] if foreign else []
    notes += ["left out: the first column, which has no name and numbers the rows"] if numbered else []
    return Columns(tuple(column.name for column in numeric), read, left, tuple(notes))


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


def _numbers_rows(entries: Sequence[str]) -> bool:
    """Whether a column counts from 0 or 1, as the index that pandas writes does."""
    first = entries[0].strip()
    return first in ("0", "1") and all(entry.strip() == str(k) for k, entry in enumerate(entries, int(first)))


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


def _chosen(path: Path, columns: Columns, asked: str) -> TableFile:
    """The columns that are asked for, and the rows in which none of them is missing, infinite or too large."""
    names, left = columns.names, columns.left
    places = list(range(len(names)))
    if asked.strip() != "all":
        places = [_place(path, each.strip(), names, left) for each in asked.split(",")]
        names, left = tuple(names[k] for k in places), ()
    if not places:
        raise SparringError(f"{path} holds no column of numbers ({some(left)})")
    numbers = columns.read(places)
    missing, infinite = np.isnan(numbers).any(1), np.isinf(numbers).any(1)
    wide = numbers.dtype.kind == "f" and numbers.dtype.itemsize > np.dtype(np.float32).itemsize
    too_large = (np.abs(numbers) > LARGEST).any(1) if wide else np.zeros(len(numbers), bool)
    good = ~(missing | infinite | too_large)
    if not good.any():
        raise _no_row(path, [bool(rows.any()) for rows in (missing, infinite, too_large & ~infinite)])
    parts = (missing, infinite & ~missing, too_large & ~infinite & ~missing)
    incomplete, unbounded, large = (tuple((np.flatnonzero(part) + 1).tolist()) for part in parts)
    rows = np.ascontiguousarray(numbers[good].astype(np.float32))
    return TableFile(path, rows, names, left, incomplete, unbounded, large, columns.notes)


def _no_row(path: Path, found: list[bool]) -> SparringError:
    """The error where no row can be used: whether numbers are missing, infinite, too large."""
    if found == [True, False, False]:
        return SparringError(f"{path}: in every row a number is missing; choose columns that are complete")
    if found == [False, True, False]:
        return SparringError(f"{path}: in every row a number is infinite; choose columns that are finite")
    if found == [False, False, True]:
        return SparringError(
            f"{path}: in every row a number is larger than {LARGEST:.2g}, which float32 cannot hold; divide it, or "
            "choose other columns"
        )
    return SparringError(
        f"{path}: in every row a number is missing, infinite or larger than {LARGEST:.2g}; choose other columns"
    )


def _place(path: Path, asked: str, names: tuple[str, ...], left: tuple[str, ...]) -> int:
    if asked in names:
        return names.index(asked)
    if asked in left:
        raise UsageError(f"the column {asked} of {path} holds no numbers")
    if asked.isdecimal() and 1 <= int(asked) <= len(names):
        return int(asked) - 1
    raise UsageError(f"{path} has no column {asked!r}; it has {some(names)}")
