"""Files of labels beside images: dataset.json of StyleGAN, metadata.jsonl, and CSV with one row for each image."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

from sparring.datasets.files.contents import Contents, shown, some, why
from sparring.datasets.files.delimited import EncodingError, decoded, rows_of
from sparring.datasets.files.formats import ending, named_as_image
from sparring.datasets.files.named_images import Finder, images_meant

FILE_COLUMNS = (
    *("file", "filename", "filepath", "image", "imagepath", "imagename", "imagefile", "imagefilename", "path", "img"),
    *("imgpath", "imgname", "picture", "photo", "imageid", "fname", "name", "id"),
)
LABEL_COLUMNS = (
    *("label", "class", "category", "target", "classname", "labelname", "categoryname", "classlabel", "labels"),
    *("classid", "labelid", "categoryid", "classes", "categories", "y"),
)
"""Names of columns, in lower case and of letters only, that are looked for in this order."""
JSON_FILES = ("dataset.json", "labels.json")
MAX_BYTES = 2**28
"""Larger files are not read."""
TRIED = 1_000
"""Rows in which the column of file names is looked for."""
ROW_NUMBERS = ("", "unnamed", "index", "rowid", "rownumber", "no", "nr")
"""Names, of letters only, of columns that may number the rows: `0` of such a one is not the image `0.png`."""
NAMES_SEVERAL = "each name in {} fits several images or none, so it gives no classes: write their folders and endings"
NAMES_NONE = "{} names none of the images, so it gives no classes"


@dataclass(frozen=True)
class LabelFile:
    """What a file says about the classes of images."""

    name: str
    labels: Mapping[str, str]
    """Image -> its class, for those that it labels."""
    complete: bool = False
    """Whether it describes the whole data set, so that without labels in it there are no classes."""
    notes: tuple[str, ...] = ()


def label_files(contents: Contents, names: Sequence[str], column: str = "") -> list[LabelFile]:
    """What the files beside images say about their classes.

    Args:
        contents: Where images and other files lie.
        names: Those of the images that can be read.
        column: Which column holds the classes; one of the usual names if empty.
    """
    others = [name for name, _ in contents.broken if named_as_image(name) is not False]
    finder = Finder(sorted({*names, *contents.names, *contents.left_out, *others}), names)
    found = list[LabelFile]()
    for entry in contents.stray:
        folder, _, last = entry.name.rpartition("/")
        inside = f"{folder}/" if folder else ""
        is_json, kind = last.lower() in JSON_FILES, ending(last)
        if not (is_json or kind in ("csv", "tsv", "jsonl")) or entry.bytes > MAX_BYTES:
            continue
        try:
            with contents.open(entry.name)() as file:
                text = _text(file.read())
            if is_json:
                found.append(_of_json(entry.name, json.loads(text), finder, inside))
            else:
                rows = _json_lines(text) if kind == "jsonl" else rows_of(text)
                found.append(_of_rows(entry.name, rows, finder, inside, column))
        except (OSError, ValueError, csv.Error, RecursionError) as error:
            if "labels" in last.lower() or is_json:
                note = f"{shown(entry.name)} cannot be read ({' '.join(why(error).split())}), so it gives no classes"
                found.append(LabelFile(entry.name, {}, False, (note,)))
    return [file for file in found if file.labels or file.notes or file.complete]


def _of_json(name: str, plain: Any, finder: Finder, folder: str) -> LabelFile:
    """`{"labels": [["00000/img00000000.png", 6], ...]}`, as StyleGAN writes it, or `{"a.png": "cat", ...}`."""
    complete = isinstance(plain, dict) and "labels" in plain
    given = plain["labels"] if complete else plain
    pairs: list[tuple[Any, Any]] = []
    if isinstance(given, dict):
        pairs = list(cast(dict[Any, Any], given).items())
    elif isinstance(given, list):
        pairs = [(p[0], p[1]) for p in cast(list[Any], given) if isinstance(p, list) and len(cast(list[Any], p)) == 2]
    values = [None if value is None else _one_label(value) for _, value in pairs]
    file = _labeled(name, [str(path) for path, _ in pairs], values, finder, folder, complete=complete)
    if file.labels or not pairs:
        return file
    if any(value is not None and finder.find(str(path), folder) for path, value in pairs):
        return LabelFile(name, {}, complete, (f"{shown(name)} has vectors in place of labels, which are not used",))
    return LabelFile(name, {}, complete, (NAMES_NONE.format(shown(name)),))


def _one_label(value: Any) -> str | None:
    """A class as text; of a one-hot vector the index of its 1; None for other vectors."""
    if isinstance(value, list):
        numbers = cast(list[Any], value)
        if len(numbers) == 1:
            return _one_label(numbers[0])
        return str(numbers.index(1)) if sorted(map(str, numbers)) == ["0"] * (len(numbers) - 1) + ["1"] else None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return None if isinstance(value, dict) else str(value).strip()


def _of_rows(name: str, rows: Sequence[Sequence[str]], finder: Finder, folder: str, column: str) -> LabelFile:
    """A table with a row for each image, with or without a row of column names."""
    rows = [row for row in rows if any(row)]
    width = max(map(len, rows), default=0)
    rows = [[*row, *[""] * (width - len(row))] for row in rows]
    header = list(map(_letters, rows[0])) if rows else []
    tried = [_Tried.of(index, rows, header[index], finder, folder) for index in range(width)]
    files = _column_of_files([each for each in tried if each.hits])
    if files is None:
        is_meant = set(header) & set(FILE_COLUMNS) and (set(header) & set(LABEL_COLUMNS) or "label" in name.lower())
        cells = (row[index] for index in range(width) if header[index] in FILE_COLUMNS for row in rows[1:TRIED])
        several = is_meant and any(len(finder.candidates(cell, folder)) > 1 for cell in cells)
        note = NAMES_SEVERAL if several else NAMES_NONE
        return LabelFile(name, {}, False, (note.format(shown(name)),) if is_meant else ())
    has_header = header[files] in FILE_COLUMNS or finder.find(rows[0][files], folder) is None
    others = [index for index in range(width) if index != files]
    if column:
        named = [i for i in others if has_header and rows[0][i].strip() == column]
        chosen = named[0] if named else None
    else:
        usual = sorted((i for i in others if header[i] in LABEL_COLUMNS), key=lambda i: _rank(header[i], LABEL_COLUMNS))
        chosen = (usual or (others if len(others) == 1 else [None]))[0]
    doubts = _in_doubt(name, tried, files, rows[0] if has_header else None)
    if chosen is None and has_header and not column and (one_hot := _one_hot(rows, others)):
        return _labeled(name, [row[files] for row in rows[1:]], one_hot, finder, folder, doubts)
    if chosen is None:
        columns = [cell.strip() for index, cell in enumerate(rows[0]) if index != files] if has_header else []
        note = f"{shown(name)} has no column label, class or category: --labels COLUMN names one of {some(columns)}"
        return LabelFile(name, {}, False, (note,) if columns and not column else ())
    rows = rows[has_header:]
    found = [_whole_number(row[chosen].strip()) for row in rows]
    return _labeled(name, [row[files] for row in rows], found, finder, folder, doubts)


def _labeled(
    name: str,
    texts: Sequence[str],
    classes: Sequence[str | None],
    finder: Finder,
    folder: str,
    notes: tuple[str, ...] = (),
    complete: bool = False,
) -> LabelFile:
    """The class of each image that a file names, and the first class of one that has several."""
    labels, several = dict[str, str](), dict[str, None]()
    meant = images_meant(name, texts, finder, folder)
    for image, label in zip(meant.images, classes, strict=True):
        if image and label and labels.setdefault(image, label) != label:
            several[image] = None
    if several:
        many = "1 image" if len(several) == 1 else f"{len(several):,} images"
        notes += (f"{shown(name)} gives {many} several labels: the first is used ({some(list(several))})",)
    return LabelFile(name, labels, complete, (*notes, *meant.notes) if labels else notes)


@dataclass(frozen=True)
class _Tried:
    """A column of a file, and the images that its first rows may name."""

    index: int
    header: str
    found: tuple[str | None, ...]
    exact: bool
    """Whether most of its names of images have their ending."""
    numbers_rows: bool
    each_once: bool
    """Whether no two rows name the same image: a column of classes may seem to name a few."""

    @classmethod
    def of(cls, index: int, rows: Sequence[Sequence[str]], header: str, finder: Finder, folder: str) -> _Tried:
        cells = [row[index].strip() for row in rows[:TRIED]]
        found = [finder.find(cell, folder) for cell in cells]
        images = [each.image for each in found if each]
        exact = 2 * sum(each.exact for each in found if each) > len(images)
        numbers = [int(cell) if cell.isascii() and cell.isdecimal() else -1 for cell in cells[1:]]
        counts = len(numbers) > 1 and all(one + 1 == next_ for one, next_ in pairwise(numbers))
        numbers_rows = header in ROW_NUMBERS or counts
        names = tuple(each and each.image for each in found)
        return cls(index, header, names, exact, numbers_rows and not exact, len(set(images)) == len(images))

    @property
    def hits(self) -> int:
        """How many different images it names."""
        return len({*self.found} - {None})

    def differs(self, other: _Tried) -> list[str]:
        """The images that it names in rows in which another column names others."""
        return [mine for mine, its in zip(self.found, other.found, strict=True) if mine and its and mine != its]

    def goes_before(self, other: _Tried) -> bool:
        """Whether it is the column of names rather than one that names more images, but others."""
        if self.exact != other.exact:
            return self.exact and (other.numbers_rows or 2 * self.hits >= other.hits)
        return other.numbers_rows and not self.numbers_rows and self.each_once and 2 * self.hits >= other.hits


def _column_of_files(tried: Sequence[_Tried]) -> int | None:
    """The column that names most images; of several the one with the first of the usual names."""
    if not tried:
        return None
    best = min(tried, key=lambda each: (-each.hits, _rank(each.header, FILE_COLUMNS)))
    for other in sorted(tried, key=lambda each: (-each.hits, _rank(each.header, FILE_COLUMNS))):
        if other.header not in LABEL_COLUMNS and other.goes_before(best) and other.differs(best):
            best = other
    return best.index


def _in_doubt(name: str, tried: Sequence[_Tried], files: int, header: Sequence[str] | None) -> tuple[str, ...]:
    """That another column names other images, where nothing says which of the two is meant."""
    notes: list[str] = []
    chosen = tried[files]
    usual = chosen.header in FILE_COLUMNS
    for other in tried:
        same = other.exact == chosen.exact and other.numbers_rows == chosen.numbers_rows
        if other is chosen or not same or not (other.exact or other.each_once) or other.header in LABEL_COLUMNS:
            continue
        images = chosen.differs(other)
        if images and not (usual and other.header not in FILE_COLUMNS):
            one, two = (shown(header[k].strip()) if header else f"{k + 1:,}" for k in (files, other.index))
            notes.append(
                f"{shown(name)} names images in the columns {one} and {two}, which differ in {len(images):,} rows: "
                f"{one} is used ({some(images)})"
            )
    return tuple(notes)


def _one_hot(rows: Sequence[Sequence[str]], columns: Sequence[int]) -> list[str] | None:
    """The column in which each row has its only 1, by its name; None where rows are not like that."""
    found: list[str] = []
    for row in rows[1:]:
        values = [_whole_number(row[index].strip()) for index in columns]
        if values.count("1") != 1 or values.count("0") != len(values) - 1:
            return None
        found.append(rows[0][columns[values.index("1")]].strip())
    return found


def _rank(name: str, names: Sequence[str]) -> int:
    return names.index(name) if name in names else len(names)


def _letters(cell: str) -> str:
    return "".join(filter(str.isalpha, cell.lower()))


def _whole_number(label: str) -> str:
    """Spreadsheets write the class 3 as 3.0."""
    whole, dot, rest = label.partition(".")
    return whole if dot and whole.isdecimal() and rest and not rest.strip("0") else label


def _json_lines(text: str) -> list[list[str]]:
    """Objects, one a line, as a table."""
    lines = [cast(dict[str, Any], json.loads(line)) for line in text.splitlines() if line.strip()]
    columns = list(dict.fromkeys(key for line in lines for key in line))
    return [columns, *([str(line.get(key, "")) for key in columns] for line in lines)]


def _text(content: bytes) -> str:
    with suppress(EncodingError):
        return decoded(content)[0]
    with suppress(UnicodeDecodeError):
        return content.decode("gbk")
    return content.decode("latin-1")
