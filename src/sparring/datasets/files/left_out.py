"""Images that a list leaves out of a user's data: a text file with a name on each line, outside of the data itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sparring.datasets.files.contents import Contents, shown, some
from sparring.errors import SparringError

COMMENT = "# "
"""How lines begin that name nothing; they come first."""


def without_listed(contents: Contents, file: Path) -> Contents:
    """The contents without the images that a list names, and a note on how many these are.

    Raises SparringError for a list that cannot be read, that names no image here, or that names them all.
    """
    listed = names_in(file)
    wanted = set(listed)
    keep = [index for index, image in enumerate(contents.images) if image.name not in wanted]
    count, here = len(contents.images) - len(keep), set(contents.names)
    if listed and not count:
        raise SparringError(
            f"{file} leaves out {some(listed)}, none of which is in {contents.path}: name the list that goes with it"
        )
    if contents.images and not keep:
        raise SparringError(f"{file} leaves out all {count:,} images in {contents.path}: name fewer in it")
    note = f"{count:,} {'image is' if count == 1 else 'images are'} left out, as {shown(file.name)} says"
    if absent := [name for name in listed if name not in here]:
        note += f"; it names {len(absent):,} that are not here: {some(absent)}"
    given = contents.given
    return replace(
        contents,
        images=tuple(contents.images[index] for index in keep),
        given=None if given is None else tuple(given[index] for index in keep),
        notes=(*contents.notes, note),
    )


def names_in(file: Path) -> list[str]:
    """The names in a list, in its order. Raises SparringError where it cannot be read."""
    try:
        lines = file.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SparringError(f"cannot read {file}, the list of images to leave out ({reason})") from error
    first = next((index for index, line in enumerate(lines) if not line.startswith(COMMENT)), len(lines))
    return [line.removesuffix("\r") for line in lines[first:] if line.strip()]


def as_list(names: Sequence[str], about: str) -> bytes:
    """The content of such a list, with a first line on what it is."""
    return "\n".join([COMMENT + about, *names, ""]).encode("utf-8", "surrogateescape")
