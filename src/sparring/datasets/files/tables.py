"""Numbers in a file: the rows of a CSV, TSV, Parquet or Arrow file, or of a two-dimensional NumPy array."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sparring.datasets.files.contents import some
from sparring.datasets.files.memory import as_size, available_memory
from sparring.datasets.files.paths import expanded
from sparring.datasets.files.rows import FILES, RowFile
from sparring.datasets.files.summary import FEW
from sparring.errors import SparringError, UsageError, reason_of, shortened

TEXTS, ARRAYS = (".csv", ".tsv"), (".npy", ".npz")
DELIMITERS = ",;\t|"
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})
"""What stands for a missing number, in lower case."""
NUMERIC = 0.5
"""Share of a column's entries that must be numbers, or missing, for the others to count as missing."""
MEMORY_SHARE = 0.5
"""Of the free memory that a file may take; text takes about as much again while it is read."""


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
    """Rows in which a number is missing or infinite, counted from 1."""

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
            "constant": list(self.constant),
            "repeated": self.repeated,
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

    def lines(self) -> list[str]:
        """What to say of it: one line, and one each of what is left out, with a count and the first three."""
        count, width = self.rows.shape
        named = f" ({some(self.columns)})" if self.columns and not self.columns[0].isdecimal() else ""
        said = [f"{_count(count, 'row')} of {_count(width, 'number')}{named}"]
        if self.not_numbers:
            columns = _count(len(self.not_numbers), "column")
            said.append(f"left out: {columns} without numbers ({some(self.not_numbers)})")
        if self.incomplete:
            rows = some([f"row {number:,}" for number in self.incomplete])
            said.append(f"left out: {_count(len(self.incomplete), 'row')} with a missing number ({rows})")
        if constant := self.constant:
            said.append(f"{_count(len(constant), 'column')} of one number only ({some(constant)})")
        if repeated := self.repeated:
            said.append(f"{_count(repeated, 'row')} that {'is' if repeated == 1 else 'are'} a copy of another")
        if count < FEW:
            said.append(f"few ({count:,}): expect copies of them rather than new rows")
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
        return _array(path).ndim == 2
    except SparringError:
        return False  # what is wrong is said where it is read as images


def read_table(path: str | Path, columns: str = "all") -> TableFile:
    """The numbers of a file.

    Args:
        path: A .csv or .tsv file, whose first line may hold the names of columns; a .parquet, .arrow or .feather file;
            or an .npy or .npz array `(N, K)`.
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
        numbers = _array(found)
        if numbers.ndim != 2:
            raise SparringError(f"{found} holds an array of shape {numbers.shape}, not rows of numbers (N, K)")
        names = tuple(str(k + 1) for k in range(numbers.shape[1]))
        return _chosen(found, numbers.astype(np.float32), names, (), columns)
    if found.suffix.lower()[1:] in FILES:
        return _chosen(found, *_rows(RowFile.open(found)), columns)
    return _chosen(found, *_text(found), columns)


def _rows(file: RowFile) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """What `_text` gives, of a file whose columns have types."""
    from pyarrow import types

    names = [field.name for field in file.schema if types.is_integer(field.type) or types.is_floating(field.type)]
    left = tuple(name for name in file.schema.names if name not in names)
    columns = [np.array([np.nan if value is None else value for value in file.column(name)]) for name in names]
    numbers = np.stack(columns, 1) if columns else np.empty((sum(file.counts), 0))
    return numbers.astype(np.float32), tuple(names), left


def _check_memory(path: Path) -> None:
    size, free = path.stat().st_size, available_memory()
    if size > MEMORY_SHARE * free:
        raise SparringError(f"{path} needs about {as_size(2 * size)} of memory, of which {as_size(free)} are free")


def _array(path: Path) -> np.ndarray:
    """A view of the file's array, of numbers; of several the largest with two dimensions."""
    try:
        if path.suffix.lower() == ".npy":
            array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        else:
            with np.load(path, allow_pickle=False) as loaded:
                arrays = [np.asarray(loaded[name]) for name in loaded.files]
            array = max(arrays, key=lambda each: (each.ndim == 2, each.size), default=np.empty(0))
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise SparringError(f"{path} is no array that can be read ({shortened(error)}): save it again") from error
    if array.dtype.kind not in "biuf":
        raise SparringError(f"{path} holds {array.dtype} values, which are no numbers")
    return array


def _text(path: Path) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Numbers `(N, K)`, NaN where one is missing; the names of these columns, and of those that hold none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise SparringError(f"cannot read {path}: {reason_of(error)}") from error
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    try:
        lines = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise SparringError(f"{path} is no table that can be read ({error})") from error
    if not lines:
        raise SparringError(f"{path} holds no rows")
    has_names = not any(_is_number(entry) for entry in lines[0])
    width = max(map(len, lines))
    head = [*lines[0], *([""] * (width - len(lines[0])))] if has_names else [""] * width
    names = [name.strip() or str(k + 1) for k, name in enumerate(head)]
    rows = lines[1:] if has_names else lines
    if not rows:
        raise SparringError(f"{path} has names of columns, and no rows")
    columns = [_column([row[k] if k < len(row) else "" for row in rows]) for k in range(width)]
    kept = [k for k, column in enumerate(columns) if column is not None]
    numbers = np.stack([column for column in columns if column is not None], 1) if kept else np.empty((len(rows), 0))
    left = tuple(name for k, name in enumerate(names) if k not in kept)
    return numbers.astype(np.float32), tuple(names[k] for k in kept), left


def _is_number(entry: str) -> bool:
    try:
        float(entry)
    except ValueError:
        return False
    return True


def _column(entries: Sequence[str]) -> np.ndarray | None:
    """float64 `(N,)`, NaN for what is missing; None for a column of something else."""
    plain = [entry.strip() for entry in entries]
    numbers = np.array([float(entry) if _is_number(entry) else np.nan for entry in plain])
    missing = np.array([entry.lower() in MISSING for entry in plain])
    is_number = np.array([_is_number(entry) for entry in plain])
    others = ~(is_number | missing)
    return numbers if is_number.any() and others.mean() < 1 - NUMERIC else None


def _chosen(path: Path, numbers: np.ndarray, names: tuple[str, ...], left: tuple[str, ...], columns: str) -> TableFile:
    """The columns that are asked for, and the rows in which none of them is missing."""
    if columns.strip() != "all":
        asked = [each.strip() for each in columns.split(",")]
        places = [_place(path, each, names, left) for each in asked]
        numbers, names, left = numbers[:, places], tuple(names[k] for k in places), ()
    if not numbers.shape[1]:
        raise SparringError(f"{path} holds no column of numbers ({some(left)})")
    complete = np.isfinite(numbers).all(1)
    if not complete.any():
        raise SparringError(f"{path}: in every row a number is missing; choose columns that are complete")
    incomplete = tuple((np.flatnonzero(~complete) + 1).tolist())
    return TableFile(path, np.ascontiguousarray(numbers[complete]), names, left, incomplete)


def _place(path: Path, asked: str, names: tuple[str, ...], left: tuple[str, ...]) -> int:
    if asked in names:
        return names.index(asked)
    if asked in left:
        raise UsageError(f"the column {asked} of {path} holds no numbers")
    if asked.isdecimal() and 1 <= int(asked) <= len(names):
        return int(asked) - 1
    raise UsageError(f"{path} has no column {asked!r}; it has {some(names)}")
