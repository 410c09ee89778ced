"""Diagnose a run: what went wrong or right, with evidence."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.cli.flags import Json, RunDir, Spoken, parse, print_json, print_rich
from sparring.cli.main import OK


@dataclass
class DiagnoseFlags:
    """Flags of `diagnose`."""

    run: RunDir
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Print the diagnosis."""
    flags = parse(DiagnoseFlags, "diagnose", arguments, __doc__ or "")
    from sparring.analysis.diagnosis import diagnose
    from sparring.record import RunFolder

    opened = RunFolder.open(flags.run)
    diagnosis = diagnose(opened)
    if flags.json:
        return print_json(diagnosis.plain(opened.path))
    from sparring import report

    print_rich(report.diagnosis_text(opened, diagnosis))
    return OK
