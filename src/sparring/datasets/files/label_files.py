"""Files of labels beside images: dataset.json of StyleGAN, metadata.jsonl, and CSV with one row for each image."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from sparring.datasets.files.contents import Contents, shown, some, why
from sparring.datasets.files.delimited import EncodingError, decoded, rows_of
from sparring.datasets.files.formats import ending

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


@dataclass(frozen=True)
class LabelFile:
    """What a file says about the classes of images."""

    name: str
    labels: Mapping[str, str]
    """Image -> its class, for those that it labels."""
    complete: bool = False
    """Whether it describes the whole data set, so that without labels in it there are no classes."""
    notes: tuple[str, ...] = ()


class Finder:
    """Finds the image that a file of labels means.

    Args:
        names: Those of the images.
    """

    def __init__(self, names: Sequence[str]):
        self._names = frozenset(names)
        self._by_last: dict[str, list[str]] = defaultdict(list)
        for name in names:
            self._by_last[name.rpartition("/")[2]].append(name)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for last, names in self._by_last.items():
            found[last.rpartition(".")[0] or last] += names
        return found

    def find(self, text: str, folder: str = "") -> str | None:
        """The image, named by its path from `folder` or from the top, or by the end of its path where only one fits;
        with or without its ending."""
        path = text.strip().replace("\\", "/").removeprefix("./").strip("/")
        if not path:
            return None
        for whole in (f"{folder}{path}", path):
            if whole in self._names:
                return whole
        last = path.rpartition("/")[2]
        candidates = self._by_last.get(last) or self._by_stem.get(last, ())
        if len(candidates) > 1:
            stem = path.rpartition(".")[0] or path
            candidates = [name for name in candidates if f"/{name}".endswith((f"/{path}", f"/{stem}", f"/{path}."))]
        return candidates[0] if len(candidates) == 1 else None


def label_files(contents: Contents, names: Sequence[str], column: str = "") -> list[LabelFile]:
    """What the files beside images say about their classes.

    Args:
        contents: Where images and other files lie.
        names: Those of the images that can be read.
        column: Which column holds the classes; one of the usual names if empty.
    """
    finder, found = Finder(names), list[LabelFile]()
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
    labels, vectors = dict[str, str](), 0
    for path, value in pairs:
        image = finder.find(str(path), folder)
        if image is None or value is None:
            continue
        label = _one_label(value)
        if label is None:
            vectors += 1
        else:
            labels[image] = label
    notes = (f"{shown(name)} has vectors in place of labels, which are not used",) if vectors and not labels else ()
    if pairs and not labels and not vectors:
        notes = (f"{shown(name)} names none of the images, so it gives no classes",)
    return LabelFile(name, labels, complete, notes)


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
    hits = [_hits(rows[:TRIED], index, finder, folder) for index in range(width)]
    if not any(hits):
        return LabelFile(name, {})
    rows = [[*row, *[""] * (width - len(row))] for row in rows]
    header = list(map(_letters, rows[0]))
    best = max(hits)
    files = min((i for i in range(width) if hits[i] == best), key=lambda i: _rank(header[i], FILE_COLUMNS))
    has_header = header[files] in FILE_COLUMNS or finder.find(rows[0][files], folder) is None
    others = [index for index in range(width) if index != files]
    if column:
        named = [i for i in others if has_header and rows[0][i].strip() == column]
        chosen = named[0] if named else None
    else:
        usual = sorted((i for i in others if header[i] in LABEL_COLUMNS), key=lambda i: _rank(header[i], LABEL_COLUMNS))
        chosen = (usual or (others if len(others) == 1 else [None]))[0]
    if chosen is None and has_header and not column and (one_hot := _one_hot(rows, others)):
        pairs = [[row[files], label] for row, label in zip(rows[1:], one_hot, strict=True)]
        return _labeled(name, pairs, 0, 1, finder, folder)
    if chosen is None:
        columns = [cell.strip() for index, cell in enumerate(rows[0]) if index != files] if has_header else []
        note = f"{shown(name)} has no column label, class or category: --labels COLUMN names one of {some(columns)}"
        return LabelFile(name, {}, False, (note,) if columns and not column else ())
    return _labeled(name, rows[has_header:], files, chosen, finder, folder)


def _labeled(
    name: str, rows: Sequence[Sequence[str]], files: int, chosen: int, finder: Finder, folder: str
) -> LabelFile:
    labels, several = dict[str, str](), set[str]()
    for row in rows:
        image, label = finder.find(row[files], folder), _whole_number(row[chosen].strip())
        if image is None or not label:
            continue
        if labels.setdefault(image, label) != label:
            several.add(image)
    notes = (f"{shown(name)} gives {len(several):,} images several labels: the first is used",) if several else ()
    return LabelFile(name, labels, False, notes)


def _one_hot(rows: Sequence[Sequence[str]], columns: Sequence[int]) -> list[str] | None:
    """The column in which each row has its only 1, by its name; None where rows are not like that."""
    found: list[str] = []
    for row in rows[1:]:
        values = [_whole_number(row[index].strip()) for index in columns]
        if values.count("1") != 1 or values.count("0") != len(values) - 1:
            return None
        found.append(rows[0][columns[values.index("1")]].strip())
    return found


def _hits(rows: Iterable[Sequence[str]], index: int, finder: Finder, folder: str) -> int:
    """How many different images a column names: a column of classes may seem to name a few."""
    return len({finder.find(row[index], folder) for row in rows if index < len(row)} - {None})


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
