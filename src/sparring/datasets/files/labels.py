"""The class of each image: from a file of labels beside the images, from an array, or from subfolders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sparring.datasets.files.contents import Contents, few_of, shown, some
from sparring.datasets.files.label_files import LabelFile, label_files
from sparring.errors import UsageError

NONE = "(none)"
"""The class of images without one, where others have one."""
SPLITS = frozenset(("train", "training", "test", "testing", "val", "valid", "validation", "eval", "dev"))
"""Subfolders that divide data, and are no classes."""
PART = 1_000
"""Images in each subfolder of data sets that are divided by number, as FFHQ is: 00000, 01000, ... or 00000, 00001."""
MIN_SHARE = 0.5
"""Share of the images that a file must label where there are subfolders too."""
FEW = 10
"""Images below which classes may have one image each."""
MIN_IN_CLASS = 1_000
"""Images that each class must have for training to use classes unasked. With few, class-conditional training loses the
variety that training without classes has (Shahbazi et al., "Collapse by conditioning", ICLR 2022; docs/choosing.md)."""
MAX_IMBALANCE = 2
"""How many times as many images as the smallest the largest class may have for that: G is asked for all classes alike,
so with unlike ones its samples are in other proportions than the data."""
AUTO, FOLDERS, NO_CLASSES = "auto", "folders", "none"
"""What the setting `labels` can be beside the name of a column."""


@dataclass(frozen=True)
class Labels:
    """Classes, and each image's."""

    classes: tuple[str, ...] = ()
    of: Mapping[str, int] | None = None
    """Name of an image file -> index of its class; None without classes."""
    source: str = ""
    """Where they come from: `subfolders`, or a file's name."""
    files: tuple[str, ...] = ()
    """Files that were read for it."""
    notes: tuple[str, ...] = ()
    """What a user should know, a clause each."""

    def of_each(self, names: Sequence[str]) -> np.ndarray | None:
        """The class of each of these images, int64 `(N,)`; None without classes."""
        return None if self.of is None else np.array([self.of[name] for name in names], dtype=np.int64)


def labels_of(contents: Contents, names: Sequence[str], asked: str = AUTO) -> Labels:
    """The classes of the images `names`.

    Args:
        contents: Where they lie.
        names: Those that can be read.
        asked: `auto`: those that a file of arrays or rows brings along, or a file of labels, or else subfolders;
            `folders`; `none`; or the name of a column in a file of labels or rows.

    Raises:
        UsageError: No file has a column of that name.
    """
    if asked == NO_CLASSES or not names:
        return Labels()
    if asked == FOLDERS:
        return by_folder(names)
    if contents.given is not None and asked in (AUTO, contents.given_from):
        given = dict(zip(contents.names, contents.given, strict=True))
        source = f"the column {shown(contents.given_from)}" if contents.given_from else "its labels"
        return _labels({name: given[name] for name in names}, names, source, numeric=bool(contents.given_from))
    found = label_files(contents, names, "" if asked == AUTO else asked)
    if asked != AUTO and not any(file.labels for file in found):
        raise UsageError(
            f"labels={asked}: no CSV file in {contents.path} names the images and has a column {shown(asked)!r}; "
            f"give a column's name, or {AUTO}, {FOLDERS} or {NO_CLASSES}"
        )
    folders = by_folder(names)
    merged: dict[str, str] = {}
    for file in found:
        merged = {**file.labels, **merged}
    notes = tuple(note for file in found for note in file.notes)
    if merged and (asked != AUTO or not folders.classes or len(merged) >= MIN_SHARE * len(names)):
        used = tuple(file.name for file in found if file.labels)
        source = shown(used[0]) + (f" and {len(used) - 1:,} more" if len(used) > 1 else "")
        made = _labels(merged, names, source, numeric=True)
        return replace(made, files=used, notes=(*notes, *_of_several([f for f in found if f.labels]), *made.notes))
    if any(file.complete for file in found):  # it says that there are no classes
        folders = Labels()
    elif contents.kind == "folder" and not folders.classes and not folders.notes:
        notes = (*notes, *_in_one_subfolder(names))
    unused = tuple(_unused(file, len(names)) for file in found if file.labels)
    return replace(folders, notes=(*notes, *unused, *folders.notes))


def _of_several(files: Sequence[LabelFile]) -> tuple[str, ...]:
    """Which of several files labels how many images, and where they contradict each other."""
    if len(files) < 2:
        return ()
    parts: list[str] = []
    differ: dict[str, None] = {}
    merged: dict[str, str] = {}
    for file in files:
        only = set(file.labels.values())
        alike = f", all {shown(only.pop())}" if len(only) == 1 < len(file.labels) else ""
        parts.append(f"{shown(file.name)} ({len(file.labels):,}{alike})")
        differ |= {image: None for image, label in file.labels.items() if merged.get(image, label) != label}
        merged = {**file.labels, **merged}
    notes = [f"files that label images: {few_of(parts, len(parts))}"]
    if differ:
        many = "1 image" if len(differ) == 1 else f"{len(differ):,} images"
        notes.append(f"these files give {many} different labels: the first is used ({some(list(differ))})")
    return tuple(notes)


def doubt_of(counts: Mapping[str, int]) -> str:
    """Why training had better not use classes of so many images each, a clause; empty where it can."""
    few = sorted((count, name) for name, count in counts.items() if count < MIN_IN_CLASS)
    if not few and counts:
        (least, small), (most, large) = (pick((n, name) for name, n in counts.items()) for pick in (min, max))
        times = most / least
        unlike = (
            f"class {shown(large)} has {times:.1f} times as many images as {shown(small)} (at most {MAX_IMBALANCE})"
        )
        return unlike if times > MAX_IMBALANCE else ""
    if not few:
        return ""
    (count, name), more = few[0], len(few) - 1
    have = f"class {shown(name)} has only 1 image" if count == 1 else f"class {shown(name)} has only {count:,} images"
    others = (f" and {more:,} others too few" if more > 1 else " and 1 other too few") if more else ""
    return f"{have}{others} (each needs {MIN_IN_CLASS:,})"


def by_folder(names: Sequence[str]) -> Labels:
    """Classes by subfolders within the innermost folder that has all images; splits and numbered parts are none."""
    found = classes_of(names)
    return _labels({name: c for name, c in zip(names, found, strict=True) if c != NONE}, names, "subfolders")


def classes_of(names: Sequence[str]) -> list[str]:
    """The subfolder that is the class of each image; NONE for an image in none."""
    paths = _parted([name.split("/")[:-1] for name in names])
    first = {path[0] if path else NONE for path in paths}
    if len(first) > 1 and all(part.lower() in SPLITS for part in first):
        paths = _parted([path[1:] for path in paths])
    elif _is_numbered(names, paths):
        return [NONE] * len(names)
    return [path[0] if path else NONE for path in paths]


def _in_one_subfolder(names: Sequence[str]) -> tuple[str, ...]:
    """That there are no classes because all images lie in one subfolder."""
    first = {name.partition("/")[0] for name in names if "/" in name}
    only = first.pop() if len(first) == 1 and all("/" in name for name in names) else ""
    alone = only and only.lower() not in SPLITS and {name.count("/") for name in names} == {1}
    return (f"all images lie in one subfolder ({shown(only)}), so there are no classes",) if alone else ()


def _parted(paths: Sequence[list[str]]) -> list[list[str]]:
    """Paths from where they part."""
    count = 0
    while paths and all(len(path) > count and path[count] == paths[0][count] for path in paths):
        count += 1
    return [path[count:] for path in paths]


def _is_numbered(names: Sequence[str], paths: Sequence[Sequence[str]]) -> bool:
    """Whether subfolders have a number that follows from those of the images in them."""
    for name, path in zip(names, paths, strict=True):
        digits = "".join(filter(str.isdigit, name.rpartition("/")[2].partition(".")[0]))
        if len(path) != 1 or not path[0].isdecimal() or not digits.isdecimal():
            return False
        if int(path[0]) not in (int(digits) // PART, int(digits) // PART * PART):
            return False
    return len({path[0] for path in paths}) > 1


def _labels(found: Mapping[str, str], names: Sequence[str], source: str, numeric: bool = False) -> Labels:
    """Labels of those images that have one; without classes where they are too many, or only one."""
    given = {name: found.get(name, "") or NONE for name in names}
    counts = Counter(given.values())
    missing = counts.pop(NONE, 0)
    if not counts or len(counts) + bool(missing) < 2:
        return Labels()
    if len(names) >= FEW and sum(count == 1 for count in counts.values()) > len(counts) / 2:
        what = "labels" if source != "subfolders" else "subfolders"
        where = f"{source}: " if source != "subfolders" else ""
        return Labels(notes=(f"{where}{len(counts):,} {what} for {len(names) - missing:,} images are no classes",))
    key = (lambda c: (int(c), c)) if numeric and all(_is_whole(c) for c in counts) else str
    classes = (*([NONE] if missing else []), *sorted(counts, key=key))
    index = {name: number for number, name in enumerate(classes)}
    notes: tuple[str, ...] = ()
    if missing:
        without = "are in no subfolder" if source == "subfolders" else "have no label"
        notes = (f"{missing:,} of {len(names):,} images {without}: they are a class of their own, {NONE}",)
    return Labels(classes, {name: index[c] for name, c in given.items()}, source, (), notes)


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()


def _unused(file: LabelFile, images: int) -> str:
    return f"{shown(file.name)} labels only {len(file.labels):,} of {images:,} images, so subfolders are the classes"
