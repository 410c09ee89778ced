"""Show a run's summary: its numbers over seeds."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.cli.flags import Json, RunDir, Spoken, parse, print_json, print_rich
from sparring.cli.main import OK


@dataclass
class ShowFlags:
    """Flags of `show`."""

    run: RunDir
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Print the run's summary."""
    flags = parse(ShowFlags, "show", arguments, __doc__ or "")
    from sparring import report
    from sparring.record import RunFolder

    opened = RunFolder.open(flags.run)
    if flags.json:
        return print_json(report.summary(opened))
    print_rich(report.run_text(opened))
    return OK
