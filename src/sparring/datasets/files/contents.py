"""What lies at a path that a user names as data: image files, other files, and entries that cannot be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from sparring.characters import printable
from sparring.datasets.files.formats import BEGINNING, KINDS, BrokenError, format_of, named_as_image
from sparring.errors import SparringError

NAMED = 3
"""Files of a kind that a message lists by name; it counts the others."""
REASONS = 6
"""Reasons why files are broken that a message lists; it counts the others."""
LONGEST_NAME = 60
"""Characters of a file's name that a message shows."""
CLUTTER = ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information")
"""Folders that systems make unasked; like names that begin with a dot, they are passed over in silence."""
ARRAYS = (".npy", ".npz")
TABLES = (".csv", ".tsv")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True)
class Entry:
    """A file: in a folder, in an archive, or an item of an array."""

    name: str
    """Its path inside, with slashes."""
    bytes: int
    stamp: int
    """Changes when the file is written: a modification time or a checksum."""


@dataclass(frozen=True)
class Contents:
    """The files at a path, by name, without hidden ones."""

    path: Path
    kind: str
    """`folder`, `zip archive`, `tar archive`, `array`, or what has rows: `Parquet file` or `Arrow file`."""
    images: tuple[Entry, ...]
    broken: tuple[tuple[str, str], ...]
    """Entries that are no files, or that cannot be opened, and why."""
    stray: tuple[Entry, ...]
    """Files that are no images, judged by their names or first bytes."""
    opener: Callable[[str], AbstractContextManager[IO[bytes]]] = field(compare=False)
    given: tuple[str, ...] | None = None
    """Classes that a file of arrays or rows brings along, one for each image; an empty one is none."""
    notes: tuple[str, ...] = ()
    """What a user should know about how this was read."""
    leveled: bool = False
    """Whether levels have been brought to 8 bits already."""
    given_from: str = ""
    """The column that they are of, in a file of rows."""
    left_out: tuple[str, ...] = ()
    """Images that a list leaves out."""

    def open(self, name: str) -> Callable[[], AbstractContextManager[IO[bytes]]]:
        """What opens the file of that name."""
        return partial(self.opener, name)

    @property
    def names(self) -> list[str]:
        """Those of images."""
        return [image.name for image in self.images]


def sorted_out(
    path: Path,
    kind: str,
    entries: Sequence[Entry],
    broken: Mapping[str, str],
    opener: Callable[[str], AbstractContextManager[IO[bytes]]],
) -> Contents:
    """Files sorted into images and others, by their names or else by their first bytes."""
    images, stray, unreadable = list[Entry](), list[Entry](), dict(broken)
    for entry in sorted(entries, key=lambda entry: entry.name):
        is_image = named_as_image(entry.name)
        if is_image is None:
            try:
                with opener(entry.name) as file:
                    is_image = bool(format_of(file.read(BEGINNING)))
            except (OSError, BrokenError) as error:
                unreadable[entry.name] = why(error)
                continue
        (images if is_image else stray).append(entry)
    return Contents(path, kind, tuple(images), tuple(sorted(unreadable.items())), tuple(stray), opener)


def is_hidden(name: str) -> bool:
    """Whether a path inside is passed over in silence."""
    return any(part.startswith(".") or part in CLUTTER for part in name.split("/"))


def why(error: Exception) -> str:
    """The reason that an error gives, without the name of a file."""
    return getattr(error, "strerror", None) or str(error)


def no_image(contents: Contents) -> SparringError:
    """The error for a path without any image: it says what is there instead."""
    stray = [entry.name for entry in contents.stray]
    usable = [name for name in stray if "/" not in name and name.lower().endswith((*ARRAYS, *ARCHIVES, *TABLES))]
    if usable and contents.kind == "folder":
        if len(usable) > NAMED and all(name.lower().endswith(".npy") for name in usable):
            return SparringError(
                f"{contents.path} holds no image, but {len(usable):,} arrays ({some(usable)}): stack them into one "
                "array (N, H, W) or (N, H, W, C), and name its .npy file"
            )
        return SparringError(
            f"{contents.path} holds no image itself, but {some(usable)}: name one of these, such as "
            f"{contents.path / usable[0]}"
        )
    only = f", only {some(stray)}" if stray else ""
    only += (
        f"{' and' if stray else ', only'} what cannot be read: {broken_line(contents.broken)}"
        if contents.broken
        else ""
    )
    return SparringError(f"{contents.path} holds no image ({KINDS}){only}: name a folder of images")


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    return few_of([shown(name) for name in names[:NAMED]], len(names))


def few_of(first: Sequence[str], total: int) -> str:
    """The first few of so many things, as a message shows them, and how many more there are."""
    more = total - NAMED
    return ", ".join(first[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


def broken_line(broken: Sequence[tuple[str, str]]) -> str:
    """Broken files, together where the reason is the same."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for name, reason in broken:
        by_reason[reason].append(name)
    groups = sorted(by_reason.items(), key=lambda group: -len(group[1]))
    parts = [
        f"{shown(names[0])} ({why})" if len(names) == 1 else f"{len(names):,} ({why}): {some(names)}"
        for why, names in groups
    ]
    more = len(parts) - REASONS
    rest = f"; and {more:,} other reasons" if more > 1 else "; and 1 other reason" if more == 1 else ""
    return "; ".join(parts[:REASONS]) + rest


def shown(name: str) -> str:
    """A name as a message shows it: on one line, without bytes that are no text, and not too long."""
    legible = printable(name)
    if len(legible) <= LONGEST_NAME:
        return legible
    half = (LONGEST_NAME - 3) // 2
    return f"{legible[:half]}...{legible[-half:]}"
