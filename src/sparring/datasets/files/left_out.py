"""Images that a list leaves out of a user's data: a text file with a name on each line, outside of the data itself."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from sparring.datasets.files.contents import Contents, shown, some
from sparring.errors import SparringError

COMMENT = "# "
"""How lines begin that name nothing; they come first. An image may have such a name too."""


def without_listed(contents: Contents, file: Path) -> Contents:
    """The contents without the images that a list names, and a note on how many these are.

    Raises SparringError for a list that cannot be read, that names no image here, or that names them all.
    """
    here = set(contents.names)
    listed = names_in(file, here)
    wanted = set(listed)
    keep = [index for index, image in enumerate(contents.images) if image.name not in wanted]
    count = len(contents.images) - len(keep)
    if listed and not count:
        raise SparringError(
            f"{file} leaves out {some(listed)}, none of which is in {contents.path}: name the list that goes with it"
        )
    if contents.images and not keep:
        raise SparringError(f"{file} leaves out all {count:,} images in {contents.path}: name fewer in it")
    left = "1 image is" if count == 1 else f"{count:,} images are"
    absent = [name for name in listed if name not in here]
    rest = f"; it names {len(absent):,} that are not here: {some(absent)}" if absent else ""
    note = f"{left} left out, as {shown(file.name)} says{rest}"
    given = contents.given
    return replace(
        contents,
        images=tuple(contents.images[index] for index in keep),
        given=None if given is None else tuple(given[index] for index in keep),
        notes=(*contents.notes, note),
        left_out=tuple(image.name for image in contents.images if image.name in wanted),
    )


def names_in(file: Path, here: Collection[str]) -> list[str]:
    """The names in a list, in its order. Raises SparringError where it cannot be read.

    Args:
        file: The list, as an editor or a shell may have saved it: with a byte-order mark, or `./` before each name.
        here: The names of images that there are.
    """
    try:
        content = file.read_bytes()
        utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16") if utf16 else content.decode("utf-8-sig", "surrogateescape")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SparringError(f"cannot read {file}, the list of images to leave out ({reason})") from error
    lines = [line if line in here else line.removeprefix("./") for line in re.split(r"\r?\n", text) if line.strip()]
    is_comment = (line.startswith(COMMENT) and line not in here for line in lines)
    return lines[next((index for index, comment in enumerate(is_comment) if not comment), len(lines)) :]


def as_list(names: Sequence[str], about: str) -> bytes:
    """The content of such a list, with a first line on what it is."""
    return "\n".join([COMMENT + about, *names, ""]).encode("utf-8", "surrogateescape")
