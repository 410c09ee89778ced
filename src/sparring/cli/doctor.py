"""Check images of your own, and see what training would see."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from sparring import catalogue
from sparring.cli.flags import Json, check_suffix, flag, parse, print_json, print_rich
from sparring.cli.folder_flags import FolderFlags, given
from sparring.cli.main import OK


@dataclass
class DoctorFlags:
    """Flags of `doctor`."""

    folder: Annotated[
        tyro.conf.Positional[Path], flag("A folder of images, a zip or tar archive of them, or an array.", "PATH")
    ]
    out: Annotated[Path | None, flag("Write a contact sheet.", "FILE.png", "none")] = None
    images: FolderFlags = field(default_factory=FolderFlags)
    json: Json = False


def run(arguments: list[str]) -> int:
    """Print the examination, and the command that trains on the folder."""
    flags = parse(DoctorFlags, "doctor", arguments, __doc__ or "")
    if flags.out:
        check_suffix(flags.out, ".png")
    from sparring import report
    from sparring.analysis.doctor import Examination
    from sparring.record import write_atomically

    settings = catalogue.make("datasets", "folder", {"path": "", **given(flags.images)}).settings
    examination = Examination.of(flags.folder, settings)
    if flags.out:
        sheet = report.contact_sheet(examination)
        write_atomically(flags.out, lambda path: sheet.save(path, format="PNG"))
    if flags.json:
        return print_json({**examination.summary(), "out": str(flags.out) if flags.out else None})
    print_rich(report.doctor_text(examination))
    if examination.good:
        print(f"\n{examination.command(sys.stdout.encoding)}")
    if flags.out:
        print(flags.out)
    return OK
