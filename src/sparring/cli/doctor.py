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
        tyro.conf.Positional[Path], flag("A folder of images, an archive of them, an array, or a table.", "PATH")
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
    from sparring.datasets.files.tables import is_table
    from sparring.record import write_atomically

    if is_table(flags.folder):
        return _examine_table(flags)
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


def _examine_table(flags: DoctorFlags) -> int:
    """The same of a file of numbers."""
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
    if flags.json:
        return print_json({**table.summary(), "out": out})
    for line in table.lines():
        print(line)
    print(f"\nsparring train --data {quoted(str(flags.folder), sys.stdout.encoding)}")
    if out:
        print(out)
    return OK
