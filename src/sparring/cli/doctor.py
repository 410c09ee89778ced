"""Check images of your own, and see what training would see."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from sparring import catalogue
from sparring.cli.flags import Json, Spoken, check_suffix, flag, parse, print_json, print_rich
from sparring.cli.folder_flags import FolderFlags, given
from sparring.cli.main import FAILED, OK
from sparring.errors import UsageError
from sparring.languages import said_again

if TYPE_CHECKING:
    from sparring.analysis.doctor import Examination
    from sparring.analysis.trimming import Trimmed
    from sparring.datasets.folder import Folder


@dataclass
class DoctorFlags:
    """Flags of `doctor`."""

    folder: Annotated[
        tyro.conf.Positional[Path], flag("A folder of images, an archive of them, an array, or a table.", "PATH")
    ]
    out: Annotated[Path | None, flag("Write a contact sheet.", "FILE.png", "none")] = None
    trim: Annotated[
        float | None,
        flag("Find this share of least typical images, list them in FILE.txt and draw them.", "SHARE", "none"),
    ] = None
    list: Annotated[Path | None, flag("Where --trim writes its list.", "FILE.txt", "./NAME-left-out.txt")] = None
    images: FolderFlags = field(default_factory=FolderFlags)
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Print the examination, and the command that trains on the folder, or what to do first."""
    flags = parse(DoctorFlags, "doctor", arguments, __doc__ or "")
    if flags.out:
        check_suffix(flags.out, ".png")
    from sparring import report
    from sparring.analysis.doctor import Examination
    from sparring.datasets.files.tables import is_table
    from sparring.record import write_atomically

    if is_table(flags.folder):
        return _examine_table(flags)
    if flags.list and flags.trim is None:
        raise UsageError("--list is where --trim writes: give the share of images to leave out with --trim")
    data = catalogue.make("datasets", "folder", {"path": str(flags.folder), **given(flags.images)})
    listed = _place_of_list(flags) if flags.trim is not None else None
    examination = Examination.of(flags.folder, data.settings)
    trimmed = _trimmed(examination, data, flags.trim, listed) if listed else None
    out = flags.out or (listed.with_suffix(".png") if listed else None)
    if out:
        sheet = report.contact_sheet(examination, trimmed)
        write_atomically(out, lambda path: sheet.save(path, format="PNG"))
    if trimmed:
        settings = replace(examination.settings, leave_out=str(listed))
        examination = replace(examination, survey=replace(examination.survey, settings=settings))
    status = OK if examination.good and not examination.obstacles else FAILED
    if flags.json:
        trim = {"left_out": trimmed.left_out, "list": str(listed), "judge": trimmed.judge} if trimmed else None
        print_json({**examination.summary(), "trim": trim, "out": str(out) if out else None})
        return status
    print_rich(report.doctor_text(examination, trimmed))
    if status == OK:
        print(f"\n{examination.command(sys.stdout.encoding)}")
    for made in filter(None, (listed, out)):
        print(made)
    return status


def _place_of_list(flags: DoctorFlags) -> Path:
    """Where the list of images to leave out goes, never into the data itself. Raises UsageError where that is."""
    from sparring.datasets.files.paths import expanded

    folder = expanded(flags.folder)
    if flags.images.leave_out:
        raise UsageError("--trim examines all images: leave out --leave-out")
    if flags.list and flags.list.suffix != ".txt":
        raise UsageError(f"--list must end in .txt, not {flags.list.suffix or 'in nothing'!r}")
    name = folder.name if folder.is_dir() else folder.name.partition(".")[0]
    place = flags.list or Path(f"{name or 'images'}-left-out.txt")
    if folder in expanded(place).parents:
        raise UsageError(f"--trim writes nothing into {flags.folder}: say where with --list FILE.txt")
    return place


def _trimmed(examination: Examination, data: Folder, share: float | None, place: Path) -> Trimmed:
    """The least typical images, listed in a file."""
    from sparring.analysis.trimming import least_typical
    from sparring.datasets.files.left_out import as_list
    from sparring.record import write_atomically

    trimmed = least_typical(examination, data, share or 0.0)
    text = as_list(trimmed.left_out, f"sparring doctor --trim {share:g}: images to leave out, the least typical first")
    write_atomically(place, lambda path: path.write_bytes(text))
    return trimmed


def _examine_table(flags: DoctorFlags) -> int:
    """The same of a file of numbers. Raises UsageError where a flag for images is given."""
    of_images = [name for name in ("trim", "list") if getattr(flags, name) is not None] + list(given(flags.images))
    if of_images:
        name = of_images[0].replace("_", "-")
        raise UsageError(f"--{name} is for images, and {flags.folder} is a table")
    import numpy as np

    from sparring.characters import quoted
    from sparring.datasets.files.tables import read_table
    from sparring.record import write_atomically
    from sparring.record.plots import Numbers, plot

    table = read_table(flags.folder)
    out = str(flags.out) if flags.out else None
    if flags.out:
        sheet = plot(np.empty((0, table.rows.shape[1]), np.float32), Numbers(table.rows, table.columns))
        write_atomically(flags.out, lambda path: sheet.save(path, format="PNG"))
    status = FAILED if table.obstacle else OK
    if flags.json:
        print_json({**table.summary(), "out": out})
        return status
    for line in table.lines():
        print(said_again(line))
    if status == OK:
        print(f"\nsparring train --data {quoted(str(flags.folder), sys.stdout.encoding)}")
    if out:
        print(out)
    return status
