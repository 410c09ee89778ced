"""Numbers in a file: the rows of a CSV, TSV, Parquet or Arrow file, or of a two-dimensional NumPy array."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sparring.datasets._scaling import SIGNAL, finer_than_float32
from sparring.datasets.files.contents import shown, some
from sparring.datasets.files.counted import n_columns, n_numbers, n_rows
from sparring.datasets.files.fitness import copies_line
from sparring.datasets.files.label_files import LABEL_COLUMNS
from sparring.datasets.files.memory import as_size, available_memory
from sparring.datasets.files.paths import expanded
from sparring.datasets.files.rows import FILES, RowFile
from sparring.datasets.files.summary import FEW
from sparring.datasets.files.table_texts import Columns, columns_of
from sparring.datasets.files.table_types import INDEX, columns_with_types
from sparring.errors import SparringError, UsageError, shortened

TEXTS, ARRAYS = (".csv", ".tsv", ".txt"), (".npy", ".npz")
MEMORY_SHARE = 0.5
"""Of the free memory that a file may take; text takes about as much again while it is read."""
LARGEST = float(np.finfo(np.float32).max)
"""The largest number that networks and samples can have."""
SPARSE = LOST = 0.5
"""Share of a column's numbers that may be missing, and share of the rows that may be left out."""


@dataclass(frozen=True, eq=False)
class TableFile:
    """The numbers of a file, and what was left out of them."""

    path: Path
    rows: np.ndarray
    """float32 `(N, K)`, float64 where float32 is too coarse; all of them finite."""
    columns: tuple[str, ...]
    """Their names: those of the file, or `1`, `2`, ..."""
    not_numbers: tuple[str, ...] = ()
    """Columns that hold something else."""
    sparse: tuple[str, ...] = ()
    """Columns of numbers of which most are missing."""
    same: tuple[str, ...] = ()
    """Columns of one number only that are left out: D would know by the last bit of it what is real."""
    longer: tuple[int, ...] = ()
    """Rows with more cells than there are columns, counted from 1."""
    incomplete: tuple[int, ...] = ()
    """Other rows in which a number is missing."""
    lacking: str = ""
    """In which column it is, if in most of them it is in the same."""
    infinite: tuple[int, ...] = ()
    """Others in which one is infinite."""
    too_large: tuple[int, ...] = ()
    """Others in which one is larger than float32 can hold."""
    by_column: bool = True
    """Whether each column is scaled by itself, not all alike as the points of a signal."""
    rounded: tuple[str, ...] = ()
    """Columns of different numbers that float32 makes equal, and that are not to be scaled."""
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
            "mostly_missing": list(self.sparse),
            "longer": len(self.longer),
            "incomplete": len(self.incomplete),
            "infinite": len(self.infinite),
            "too_large": len(self.too_large),
            "notes": list(self.notes),
            "constant": [*self.same, *self.constant],
            "repeated": self.repeated,
            "do_first": [self.obstacle] if self.obstacle else [],
        }

    @property
    def constant(self) -> tuple[str, ...]:
        """Columns of one number only, beside those that are left out."""
        same = (self.rows == self.rows[0]).all(0)
        return tuple(name for name, is_same in zip(self.columns, same, strict=True) if is_same)

    @property
    def repeated(self) -> int:
        """Rows that stand there before."""
        return len(self.rows) - len(np.unique(self.rows, axis=0))

    @property
    def obstacle(self) -> str:
        """Why there is nothing to learn in them, and what to do; empty where there is."""
        count = len(self.rows)
        lost = len(self.longer) + len(self.incomplete) + len(self.infinite) + len(self.too_large)
        if lost > LOST * (count + lost):
            repair = "repair them, or choose columns that are complete (--data 'table(FILE, columns=\"a,b\")')"
            return f"{lost:,} of {count + lost:,} rows are left out: {repair}"
        if self.not_numbers and len(self.columns) == 1 and self._are_classes(self.columns[0]):
            return f"only classes are left ({shown(self.columns[0])}): there is nothing to learn but how many each has"
        return copies_line(count, count - self.repeated, "row")

    def _are_classes(self, name: str) -> bool:
        """Whether the only column is one of classes, by its name and its numbers."""
        different = len(np.unique(self.rows))
        whole = bool((self.rows == np.round(self.rows)).all())
        return _letters(name) in LABEL_COLUMNS and _letters(name) != "y" and whole and 2 * different <= len(self.rows)

    def lines(self) -> list[str]:
        """What to say of it: one line, and one each of what is left out, with a count and the first three."""
        count, width = self.rows.shape
        named = "" if all(name.isdecimal() for name in self.columns) else f" ({some(self.columns)})"
        several = f"{count:,} rows of {width:,} numbers{named}"
        said = [several if min(count, width) > 1 else f"{n_rows(count)} of {n_numbers(width)}{named}", *self.notes]
        if self.not_numbers:
            columns = n_columns(len(self.not_numbers))
            said.append(f"left out: {columns} without numbers ({some(self.not_numbers)})")
        if self.sparse:
            columns = n_columns(len(self.sparse))
            said.append(f"left out: {columns} in which most numbers are missing ({some(self.sparse)})")
        if self.same:
            said.append(f"left out: {n_columns(len(self.same))} of one number only ({some(self.same)})")
        unusable = {
            "more cells than there are names of columns": self.longer,
            "a missing number": self.incomplete,
            "an infinite number": self.infinite,
            f"a number larger than {LARGEST:.2g}, which float32 cannot hold": self.too_large,
        }
        for what, rows in unusable.items():
            if rows:
                which = some([f"row {number:,}" for number in rows])
                where = f", {self.lacking}" if self.lacking and rows is self.incomplete else ""
                said.append(f"left out: {n_rows(len(rows))} with {what} ({which}){where}")
        if self.rounded:
            columns = n_columns(len(self.rounded))
            said.append(f"{columns} whose numbers float32 rounds, as nothing scales them ({some(self.rounded)})")
        if constant := self.constant:
            said.append(f"{n_columns(len(constant))} of one number only ({some(constant)})")
        if repeated := self.repeated:
            copies = "1 row that is" if repeated == 1 else f"{repeated:,} rows that are"
            said.append(f"{copies} a copy of another")
        if count < FEW:
            said.append(f"few ({count:,}): expect copies of them rather than new rows")
        if self.obstacle:
            said.append(f"warning: {self.obstacle}")
        return said


def _letters(name: str) -> str:
    return "".join(filter(str.isalpha, name.lower()))


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


def read_table(path: str | Path, columns: str = "all", scale: str = "auto", before: Collection[str] = ()) -> TableFile:
    """The numbers of a file.

    Args:
        path: A .csv, .tsv or .txt file, whose first line may hold the names of columns; a .parquet, .arrow or .feather
            file; or an .npy or .npz array `(N, K)`.
        columns: `all` that hold numbers, or names of some or their places in the file (from 1), separated by commas.
        scale: How numbers will be scaled: `columns`, `signals` or `none`; `auto` takes more than 16 columns without
            names for signals.
        before: Columns that a run was begun with, which stay also where they have one number only.

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
        whole = list(range(numbers.shape[1]))

        def read(places: Sequence[int]) -> np.ndarray:
            return numbers if places == whole else numbers[:, places]

        opened = Columns(tuple(str(k + 1) for k in whole), tuple(whole), read, notes=notes)
    elif found.suffix.lower()[1:] in FILES:
        opened = columns_with_types(RowFile.open(found))
    else:
        opened = columns_of(found)
    return _chosen(found, opened, columns, scale, before)


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


def _chosen(path: Path, columns: Columns, asked: str, scale: str, before: Collection[str]) -> TableFile:
    """The columns that are asked for, and the rows in which none of them is missing, infinite or too large."""
    left, sparse, notes = (), (), columns.notes
    if is_all := asked.strip() == "all":
        places = [k for k in range(len(columns.names)) if k not in columns.index]
        left = tuple(name for name in columns.others if name not in columns.lists)
        notes += _index_notes(columns)
        if columns.lists and all(_letters(columns.names[k]) in LABEL_COLUMNS for k in places):
            only = f"no column of numbers but {some([columns.names[k] for k in places])}"
            what = only if places else "no column with one number in each row"
            raise SparringError(f"{path} holds {what}; {columns.notes[0]}")
    else:
        places = [_place(path, each.strip(), columns) for each in asked.split(",")]
    if not places:
        images = ", and none of images as bytes, one in each row" if path.suffix.lower()[1:] in FILES else ""
        raise SparringError(f"{path} holds no column of numbers ({some(columns.every)}){images}")
    numbers, names = columns.read(places), tuple(columns.names[k] for k in places)
    unnamed = names[0] == "1" and all(map(str.isdecimal, names))
    by_column = scale != "signals" if scale != "auto" else not (unnamed and len(names) > SIGNAL)
    gaps = np.isnan(numbers)
    scarce = gaps.mean(0) > SPARSE
    if is_all and scarce.any() and not scarce.all():
        sparse = tuple(name for name, is_scarce in zip(names, scarce, strict=True) if is_scarce)
        names = tuple(name for name, is_scarce in zip(names, scarce, strict=True) if not is_scarce)
        numbers, gaps = numbers[:, ~scarce], gaps[:, ~scarce]
    good, (longer, incomplete, unbounded, large) = _usable(path, numbers, gaps, columns.longer)
    lacking = _lacking(gaps[[row - 1 for row in incomplete]], names)
    rows = numbers[good]
    same = (rows == rows[:1]).all(0) & (is_all and by_column) & ~np.isin(names, list(before))
    constant = tuple(name for name, is_same in zip(names, same, strict=True) if is_same and not same.all())
    if constant:
        names = tuple(name for name, is_same in zip(names, same, strict=True) if not is_same)
        rows = rows[:, ~same]
    rows = np.ascontiguousarray(rows)
    finer = finer_than_float32(rows, by_column)
    rounded = tuple(name for name, is_finer in zip(names, finer, strict=False) if is_finer and scale == "none")
    rows = rows.astype(np.float64 if finer.any() and scale != "none" else np.float32, copy=False)
    reasons = {"longer": longer, "incomplete": incomplete, "infinite": unbounded, "too_large": large}
    return TableFile(
        path,
        rows,
        names,
        left,
        sparse,
        constant,
        **reasons,
        lacking=lacking,
        by_column=by_column,
        rounded=rounded,
        notes=notes,
    )


def _lacking(gaps: np.ndarray, names: Sequence[str]) -> str:
    """In which of several columns a number is missing, where it is so in most rows."""
    counts = gaps.sum(0)
    column = int(counts.argmax())
    if len(names) == 1 or 2 * counts[column] <= len(gaps):
        return ""
    name = shown(names[column])
    return f"in the column {name}" if counts[column] == len(gaps) else f"mostly in the column {name}"


def _index_notes(columns: Columns) -> tuple[str, ...]:
    """What to say of an index, which is left out."""
    names = [columns.names[k] for k in columns.index]
    if not names:
        return ()
    if INDEX.fullmatch(names[0]):
        return (f"left out: {n_columns(len(names))} in which pandas keeps the index ({some(names)})",)
    return ("left out: the first column, which has no name and numbers the rows",)


def _usable(
    path: Path, numbers: np.ndarray, gaps: np.ndarray, too_long: Sequence[int]
) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """Which rows can be used, and the others by reason: too long, a number missing, infinite, or too large."""
    longer = np.zeros(len(numbers), bool)
    longer[list(too_long)] = True
    missing, infinite = gaps.any(1), np.isinf(numbers).any(1)
    wide = numbers.dtype.kind == "f" and numbers.dtype.itemsize > np.dtype(np.float32).itemsize
    too_large = (np.abs(numbers) > LARGEST).any(1) if wide else np.zeros(len(numbers), bool)
    good = ~(longer | missing | infinite | too_large)
    if not good.any():
        raise _no_row(path, [bool(rows.any()) for rows in (missing, infinite, too_large & ~infinite)])
    parts = (longer, missing & ~longer, infinite & ~missing & ~longer, too_large & ~infinite & ~missing & ~longer)
    return good, [tuple((np.flatnonzero(part) + 1).tolist()) for part in parts]


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


def _place(path: Path, asked: str, columns: Columns) -> int:
    """Which of the columns of numbers is asked for, by its name or its place among all columns."""
    if asked in columns.names:
        return columns.names.index(asked)
    place = int(asked) - 1 if asked.isdecimal() and asked not in columns.others else -1
    if place in columns.places:
        return columns.places.index(place)
    asked = columns.every[place] if 0 <= place < len(columns.every) else asked
    if asked in columns.others:
        raise UsageError(f"the column {asked} of {path} holds no numbers")
    raise UsageError(f"{path} has no column {asked!r}; it has {some(columns.names)}")
