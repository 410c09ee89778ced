"""Check a folder of images, and see what training would see."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from sparring import catalogue
from sparring.cli.flags import Json, check_suffix, flag, parse, print_json, print_rich
from sparring.cli.main import OK


@dataclass
class DoctorFlags:
    """Flags of `doctor`."""

    folder: Annotated[tyro.conf.Positional[Path], flag("A folder of images.", "DIR")]
    out: Annotated[Path | None, flag("Write a contact sheet.", "FILE.png", "none")] = None
    size: Annotated[int, flag("Side to train at, in pixels.", "PIXELS", "chosen by the images")] = 0
    fit: Annotated[Literal["crop", "pad", "stretch"], flag("How images of other shapes are made square.")] = "crop"
    background: Annotated[str, flag("Color behind transparent pixels: #rrggbb or a name.", "COLOR")] = "#000000"
    colors: Annotated[Literal["auto", "gray", "rgb"], flag("auto: gray if no image has color.")] = "auto"
    json: Json = False


def run(arguments: list[str]) -> int:
    """Print the examination, and the command that trains on the folder."""
    flags = parse(DoctorFlags, "doctor", arguments, __doc__ or "")
    if flags.out:
        check_suffix(flags.out, ".png")
    from sparring import report
    from sparring.analysis.doctor import Examination
    from sparring.record import write_atomically

    settings = {name: getattr(flags, name) for name in ("size", "fit", "background", "colors")}
    examination = Examination.of(flags.folder, catalogue.make("datasets", "folder", {"path": "", **settings}).settings)
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
