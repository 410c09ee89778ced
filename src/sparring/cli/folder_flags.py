"""How a user's own images are read, as flags of `train` and `doctor`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from sparring import catalogue
from sparring.cli.flags import Switch, flag
from sparring.errors import UsageError

if TYPE_CHECKING:
    from sparring.datasets import Dataset


@dataclass
class FolderFlags:
    """Settings of a folder, an archive or an array of images: fields of the data set `folder`."""

    size: Annotated[int, flag("Side to train at, in pixels.", "PIXELS", "chosen by the images")] = 0
    fit: Annotated[Literal["crop", "pad", "stretch"], flag("How images of other shapes are made to fit.")] = "crop"
    background: Annotated[str, flag("Color behind transparent pixels: #rrggbb or a name.", "COLOR")] = "#000000"
    colors: Annotated[Literal["auto", "gray", "rgb"], flag("auto: gray if no image has color.")] = "auto"
    alpha: Annotated[
        Switch, flag("Keep transparency, as a fourth channel.", default="if the images are mostly transparent")
    ] = False
    no_alpha: Annotated[Switch, flag("Draw what is transparent on the background.", default="see --alpha")] = False
    frames: Annotated[Literal["first", "all"], flag("Which frames of animated files, or pages, are images.")] = "first"
    levels: Annotated[
        str, flag("Levels that become black and white: full, used, or LOW:HIGH, such as 0:4095.", "LEVELS")
    ] = "full"
    resample: Annotated[
        Literal["auto", "bicubic", "nearest"],
        flag("How images get another size; auto: to the nearest pixel if they are pixel art."),
    ] = "auto"
    labels: Annotated[
        str,
        flag("Where classes come from: auto, folders, none, or a column of a CSV file beside the images.", "LABELS"),
    ] = "auto"
    leave_out: Annotated[
        str, flag("List of images to leave out, as `sparring doctor --trim` writes it.", "FILE", "none")
    ] = ""


NAMES = tuple(field.name for field in dataclasses.fields(FolderFlags))


def given(flags: Any) -> dict[str, Any]:
    """The settings that are not the default: field of `folder` -> value. Raises UsageError where two contradict."""
    if flags.alpha and flags.no_alpha:
        raise UsageError("--alpha keeps transparency and --no-alpha does not: give one of them")
    found = {f.name: value for f in dataclasses.fields(FolderFlags) if (value := getattr(flags, f.name)) != f.default}
    return {**found, "alpha": False} if found.pop("no_alpha", False) else found


def given_in(arguments: Sequence[str]) -> dict[str, Any]:
    """The same, of arguments that are not parsed yet; a value that does not fit is left to the parser."""
    found: dict[str, Any] = {}
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, equals, value = argument.partition("=")
        field = name.removeprefix("--").replace("-", "_")
        if not name.startswith("--") or field not in NAMES:
            continue
        text = value if equals else following
        if field == "size":
            found |= {field: int(text)} if text.isdecimal() else {}
        else:
            found |= {"alpha": field == "alpha"} if field in ("alpha", "no_alpha") else {field: text}
    return found


def with_settings(data: Dataset, settings: dict[str, Any]) -> Dataset:
    """Images of the user's own with these settings.

    Raises UsageError for other data, and for a value that does not fit.
    """
    if not settings:
        return data
    name = catalogue.name_of(type(data))
    if name != "folder":
        flag_name = f"--{next(iter(settings))}".replace("_", "-")
        raise UsageError(f"{flag_name} is for images of your own (--data DIR), not for {name or 'this data'}")
    fields = {f.name: getattr(data, f.name) for f in dataclasses.fields(data)}  # pyright: ignore[reportArgumentType]
    # What was found holds for the settings before.
    kept = {field: value for field, value in fields.items() if not field.startswith("found_")}
    return catalogue.make("datasets", "folder", {**kept, **settings})
