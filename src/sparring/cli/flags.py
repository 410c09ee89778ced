"""What every command shares: reading its flags, the fields of a recipe as flags, and printing JSON."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import itertools
import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import tyro

from sparring import catalogue
from sparring.errors import UsageError

if TYPE_CHECKING:
    from sparring.recipe import Recipe

Json = Annotated[bool, tyro.conf.arg(help="Print one JSON document on stdout.")]
Source = Annotated[Path | None, tyro.conf.arg(help="Where the file of a user's own recipe is now, if it moved.")]
RunDir = Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN", help="The folder of a run.")]
Members = Annotated[str, tyro.conf.arg(help="Only the members of these seeds: 3, or 0,3, or 2-5; else all.")]
NumpyOrPicture = Annotated[Path, tyro.conf.arg(help="FILE.png: a picture; FILE.npy: float32 numbers in data units.")]

MOST_LISTED = 100_000
"""Longest list of numbers that a flag takes."""


def parse(flags: Any, command: str, arguments: list[str]) -> Any:
    """Flags of a command. Raises UsageError, in one line, for a flag or a value that does not fit."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            made, unknown = tyro.cli(
                flags, prog=f"sparring {command}", args=arguments, return_unknown_args=True, add_help=True
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        raise UsageError(f"{_sentence(said.getvalue())} (`sparring {command} --help` tells the flags)") from stop
    if unknown:
        names = [f"--{f.name.replace('_', '-')}" for f in dataclasses.fields(flags)]
        raise UsageError(f"{catalogue.unknown('flags', unknown[0], names)} (`sparring {command} --help`)")
    return made


def _sentence(box: str) -> str:
    """What tyro says inside its frame, up to the first rule, on one line."""
    lines = [line.strip("│ ") for line in re.sub(r"\x1b\[[0-9;]*m", "", box).splitlines()]
    kept: list[str] = []
    for line in lines:
        if line.startswith("╭"):
            continue
        if not line or line[0] in "─╰":
            break
        kept.append(line)
    return " ".join(kept)


def with_settings(flags: type[Any], recipe: Recipe) -> Any:
    """`flags`, and one for every field of the recipe with the value it has there."""
    from sparring.recipe import KIND_OF

    helps = catalogue.field_docs("recipe.definition", "Recipe")
    hints = get_type_hints(flags, include_extras=True)
    fields: list[Any] = [(f.name, hints[f.name], f) for f in dataclasses.fields(flags)]
    for f in dataclasses.fields(recipe):
        if f.name in ("name", "origin"):
            continue
        value = getattr(recipe, f.name)
        shelf = KIND_OF.get(f.name)
        known = f" One of: {', '.join(catalogue.entries(shelf))}." if shelf else ""
        if isinstance(value, bool | int):
            kind: Any = type(value)
        elif shelf and isinstance(value, tuple):
            kind = tuple[str, ...]
        else:
            kind = str
        fields.append(
            (f.name, Annotated[kind, tyro.conf.arg(help=helps[f.name] + known)], field(default=spelled(f.name, value)))
        )
    return dataclasses.make_dataclass(flags.__name__, fields, kw_only=True)


def changed(recipe: Recipe, flags: Any) -> Recipe:
    """The recipe with the fields that a flag changed."""
    from sparring.recipe import KIND_OF

    changes: dict[str, Any] = {}
    for f in dataclasses.fields(recipe):
        if f.name in ("name", "origin"):
            continue
        given, held = getattr(flags, f.name), getattr(recipe, f.name)
        if given == spelled(f.name, held):
            continue
        if f.name == "seeds":
            changes["seeds"] = seeds_of(given)
        elif f.name == "data":
            changes["data"] = read_data(given, held)
        elif shelf := KIND_OF.get(f.name):
            several = not isinstance(given, str)
            changes[f.name] = read_all(shelf, given) if several else catalogue.read(shelf, given)
        else:
            changes[f.name] = given
    return recipe.replace(**changes)


def read_data(text: str, held: Any) -> Any:
    """A data set by its name, or the folder of images at a path; a name is never taken for a folder.

    It keeps the span that the recipe's own data is `held` to, unless it says one: G's last layer was chosen for it.
    """
    name = text.partition("(")[0].strip()
    is_path = name not in catalogue.entries("datasets") and ("/" in text or os.sep in text or Path(text).is_dir())
    made = catalogue.make("datasets", "folder", {"path": text}) if is_path else catalogue.read("datasets", text)
    spans = "span" in {f.name for f in dataclasses.fields(made)} and "span" not in text.partition("(")[2]
    return dataclasses.replace(made, span=held.span) if spans else made


def spelled(name: str, value: Any) -> Any:
    from sparring.recipe import KIND_OF

    if name == "seeds":
        return str(len(value)) if value == tuple(range(len(value))) else ",".join(map(str, value))
    if name not in KIND_OF:
        return value
    if not isinstance(value, tuple):
        return catalogue.to_text(value)
    runs = [(text, len(list(same))) for text, same in itertools.groupby(map(catalogue.to_text, value))]
    return tuple(text if count == 1 else f"{text}*{count}" for text, count in runs)


def read_all(shelf: str, texts: Sequence[str]) -> tuple[Any, ...]:
    """Leaves in a row; `g_fools_d*200` is two hundred of them."""
    found: list[Any] = []
    for text in texts:
        repeated = re.fullmatch(r"(.+)\*(\d+)", text)
        found += [catalogue.read(shelf, repeated[1] if repeated else text)] * int(repeated[2] if repeated else 1)
    return tuple(found)


def seeds_of(text: str) -> tuple[int, ...]:
    """`8` is 0 to 7, `3-10` both ends included, `1,5,9` these."""
    try:
        if re.fullmatch(r"\d+", text):
            return tuple(range(int(text)))
        if found := re.fullmatch(r"(\d+)-(\d+)", text):
            return tuple(range(int(found[1]), int(found[2]) + 1))
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--seeds takes a count (8), a range (3-10) or a list (1,5,9), not {text!r}") from None


def numbers_of(flag: str, text: str) -> tuple[int, ...]:
    """`3,17,20-25` is 3, 17 and 20 to 25, both ends included."""
    found: list[range] = []
    for part in text.split(","):
        read = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        if read is None or len(part) > 40:
            raise UsageError(f"{flag} takes whole numbers and ranges (3,17,20-25), not {text!r}")
        found.append(range(int(read[1]), int(read[2] or read[1]) + 1))
        if not found[-1]:
            raise UsageError(f"{flag}: the range {part.strip()} ends before it begins")
    if sum(map(len, found)) > MOST_LISTED:
        raise UsageError(f"{flag} takes at most {MOST_LISTED:,} numbers at once")
    return tuple(number for some in found for number in some)


def values_of(flag: str, text: str) -> tuple[float, ...]:
    """`-3,0,3`."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = (math.nan,)
    if not all(map(math.isfinite, values)):
        raise UsageError(f"{flag} takes numbers (-3,0,3), not {text!r}")
    return values


def members_of(text: str) -> tuple[int, ...] | None:
    return numbers_of("--seeds", text) if text else None


def ending(out: Path) -> str:
    """`.npy` or `.png`. Raises UsageError for a file of another kind, before anything is reckoned."""
    if out.suffix not in (".npy", ".png"):
        raise UsageError(f"--out must end in .npy or .png, not {out.suffix or 'in nothing'!r}")
    return out.suffix


def print_json(value: Any) -> int:
    """Returns the exit status of success."""
    print(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))
    return 0
