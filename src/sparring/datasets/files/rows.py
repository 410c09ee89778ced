"""Images in the rows of Parquet and Arrow files, as data sets of the Hugging Face `datasets` library keep them."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, cast

from sparring.datasets.files.contents import Contents, Entry, shown, some
from sparring.datasets.files.formats import BEGINNING, BrokenError, ending, format_of
from sparring.datasets.files.label_files import LABEL_COLUMNS
from sparring.errors import SparringError, UsageError, reason_of, shortened

FILES = ("parquet", "arrow", "feather")
IMAGES = ("image", "images", "img", "pixel_values", "picture", "photo")
"""Names of columns of images that are looked for, in this order; else it is the first column that holds some."""
PARTS_KEPT = 4
"""Row groups of Parquet files that stay decoded while others are read: threads read next to one another."""
CACHE = "cache-"
"""Files whose names begin so hold what was computed of the others."""
CHOICES = ("auto", "folders", "none")
"""Values of the setting `labels` that name no column."""


@contextmanager
def arrow_errors(path: Path) -> Generator[None]:
    """One line for a file that cannot be read, or that nothing here can read. Raises SparringError."""
    try:
        import pyarrow
    except ImportError as error:
        raise SparringError(
            f"{path} is a Parquet or Arrow file, which pyarrow reads: pip install 'sparring[data]'"
        ) from error
    try:
        yield
    except pyarrow.ArrowException as error:
        raise SparringError(f"{path} cannot be read ({shortened(error)}): save it again") from error
    except OSError as error:
        raise SparringError(f"cannot read {path}: {reason_of(error)}") from error


@dataclass(frozen=True, eq=False)
class RowFile:
    """A Parquet or Arrow file whose rows are read a part at a time."""

    path: Path
    schema: Any
    """A `pyarrow.Schema`; pyarrow has no types of its own."""
    counts: tuple[int, ...]
    """Rows of each part: a row group, or a record batch."""
    read: Callable[[int, Sequence[str]], Any]
    """Those columns of a part, as a `pyarrow.Table`."""

    @classmethod
    def open(cls, path: Path) -> RowFile:
        """Raises SparringError for a file that cannot be read."""
        with arrow_errors(path):
            return cls._parquet(path) if ending(path.name) == "parquet" else cls._arrow(path)

    @classmethod
    def _parquet(cls, path: Path) -> RowFile:
        from pyarrow import parquet

        file = parquet.ParquetFile(path, memory_map=True)
        counts = tuple(file.metadata.row_group(k).num_rows for k in range(file.num_row_groups))

        def read(part: int, columns: Sequence[str]) -> Any:
            return file.read_row_group(part, columns=list(columns), use_threads=False)

        return cls(path, file.schema_arrow, counts, read)

    @classmethod
    def _arrow(cls, path: Path) -> RowFile:
        """A stream, as `save_to_disk` writes it, or a file. Mapped into memory: parts are read when they are used."""
        import pyarrow
        from pyarrow import ipc

        source = pyarrow.memory_map(str(path))
        try:
            table = ipc.open_stream(source).read_all()
        except pyarrow.ArrowInvalid:
            source.seek(0)
            table = ipc.open_file(source).read_all()
        batches = table.to_batches()

        def read(part: int, columns: Sequence[str]) -> Any:
            return pyarrow.Table.from_batches([batches[part]]).select(list(columns))

        return cls(path, table.schema, tuple(batch.num_rows for batch in batches), read)

    def column(self, name: str) -> list[Any]:
        """All values of a column."""
        with arrow_errors(self.path):
            return [value for part in range(len(self.counts)) for value in self.read(part, [name])[name].to_pylist()]

    @property
    def image_columns(self) -> list[str]:
        """Columns that hold image files, the usual names first."""
        found = [field.name for field in self.schema if _may_hold_images(field.type) and self._holds_image(field.name)]
        return sorted(found, key=lambda name: IMAGES.index(name.lower()) if name.lower() in IMAGES else len(IMAGES))

    def _holds_image(self, name: str) -> bool:
        """Whether the first file in a column is an image; a column of paths alone may be."""
        with arrow_errors(self.path):
            for part, count in enumerate(self.counts):
                if count:
                    files = map(_file_in, self.read(part, [name])[name].slice(0, BEGINNING).to_pylist())
                    stored = next((each for each in files if isinstance(each, bytes)), None)
                    return stored is None or bool(format_of(stored[:BEGINNING]))
        return False

    def class_names(self, column: str) -> list[str] | None:
        """The names of a column's classes, which `datasets` keeps beside the numbers."""
        kept = cast(Mapping[bytes, bytes], self.schema.metadata or {}).get(b"huggingface")
        try:
            names = json.loads(kept or b"{}")["info"]["features"][column]["names"]
        except (ValueError, KeyError, TypeError):
            return None
        return [str(name) for name in names] if isinstance(names, list) else None


def row_files(contents: Contents) -> list[Path]:
    """The Parquet and Arrow files in a folder without images."""
    if contents.kind != "folder" or contents.images:
        return []
    names = [entry.name for entry in contents.stray if ending(entry.name) in FILES]
    return [contents.path / name for name in names if not name.rpartition("/")[2].startswith(CACHE)]


def row_contents(path: Path, files: Sequence[Path], labels: str) -> Contents | None:
    """The images in the rows of files, which have the same columns; None where they have none.

    Args:
        path: The file, or the folder that they lie in.
        files: Those that are read; others beside them are not.
        labels: The column of classes; `auto` finds one by its name, `folders` and `none` look for none.

    Raises:
        SparringError: A file cannot be read, or its columns differ from those of the first.
        UsageError: There is no column of that name.
    """
    opened = [RowFile.open(file) for file in files]
    first = opened[0]
    images = first.image_columns
    if not images:
        return None
    for other in opened[1:]:
        if images[0] not in other.schema.names:
            raise SparringError(f"{other.path} has no column {images[0]!r}, as {first.path.name} has: name one of them")
    label = _label_column(path, first, images[0], labels)
    entries, places = _entries(path, opened)
    notes = [f"images are those of the column {shown(images[0])}"]
    if images[1:]:
        notes[0] += f"; not used: {some(images[1:])}"
    given = None if label is None else tuple(_classes(opened, label))
    opener = _opener(opened, places, images[0])
    if ending(first.path.name) == "parquet":
        kind = "Parquet file" if len(files) == 1 else f"{len(files):,} Parquet files"
    else:
        kind = "Arrow file" if len(files) == 1 else f"{len(files):,} Arrow files"
    return Contents(path, kind, entries, (), (), opener, given, tuple(notes), given_from=label or "")


def _entries(path: Path, opened: Sequence[RowFile]) -> tuple[tuple[Entry, ...], dict[str, tuple[int, int, int]]]:
    """A name for each row, and where it is: the file, the part and the row in it."""
    entries, places = list[Entry](), dict[str, tuple[int, int, int]]()
    for number, file in enumerate(opened):
        state = file.path.stat()
        inside = "" if file.path == path else f"{file.path.relative_to(path).as_posix()}: "
        rows = sum(file.counts)
        digits, row = len(str(max(0, rows - 1))), 0
        for part, count in enumerate(file.counts):
            for within in range(count):
                name = f"{inside}row {row:0{digits}}"
                places[name] = number, part, within
                entries.append(Entry(name, state.st_size // rows, state.st_mtime_ns))
                row += 1
    return tuple(entries), places


def _opener(
    opened: Sequence[RowFile], places: Mapping[str, tuple[int, int, int]], column: str
) -> Callable[[str], AbstractContextManager[IO[bytes]]]:
    """What opens the image in a row."""
    reading = threading.Lock()

    @lru_cache(maxsize=PARTS_KEPT)
    def part_of(file: int, part: int) -> Any:
        with arrow_errors(opened[file].path):
            return opened[file].read(part, [column])[column]

    def open_row(name: str) -> AbstractContextManager[IO[bytes]]:
        file, part, row = places[name]
        with reading:
            try:
                stored = _file_in(part_of(file, part)[row].as_py())
            except SparringError as error:
                raise BrokenError(str(error)) from error
        if isinstance(stored, str):
            raise BrokenError("is not in the file, which has only its path")
        if not stored:
            raise BrokenError("is empty")
        return io.BytesIO(stored)

    return open_row


def _file_in(value: Any) -> bytes | str | None:
    """The image file that a row holds; its path, where it holds only that."""
    if isinstance(value, dict):
        stored = cast(dict[str, Any], value)
        return stored.get("bytes") or stored.get("path")
    return value


def _may_hold_images(kind: Any) -> bool:
    """Whether values are bytes, or bytes with a path, as `datasets` writes them."""
    from pyarrow import types

    if types.is_struct(kind):
        names = {kind.field(k).name for k in range(kind.num_fields)}
        return names == {"bytes", "path"}
    return types.is_binary(kind) or types.is_large_binary(kind)


def _label_column(path: Path, file: RowFile, images: str, asked: str) -> str | None:
    """The column of classes: the one that is asked for, or one with a usual name."""
    others = [name for name in file.schema.names if name != images]
    if asked in CHOICES[1:]:
        return None
    if asked != CHOICES[0]:
        if asked not in others:
            raise UsageError(f"labels={asked}: {path} has no such column; it has {some(others) or 'no other'}")
        return asked
    letters = {"".join(filter(str.isalpha, name.lower())): name for name in others}
    return next((letters[name] for name in LABEL_COLUMNS if name in letters), None)


def _classes(opened: Sequence[RowFile], column: str) -> Iterator[str]:
    """The class of each row, by name where it has one; nothing where there is none."""
    for file in opened:
        names = file.class_names(column) or []
        for value in file.column(column) if column in file.schema.names else [None] * sum(file.counts):
            if isinstance(value, int) and names:
                yield names[value] if 0 <= value < len(names) else ""  # -1 is no class there
            else:
                yield "" if value is None else str(value)
