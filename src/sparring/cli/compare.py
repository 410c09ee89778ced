"""Compare runs on one page: settings, curves, metrics and samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from sparring.cli.flags import REQUIRED, Spoken, Switch, check_suffix, flag, parse, print_json
from sparring.cli.main import OK


@dataclass
class CompareFlags:
    """Flags of `compare`."""

    runs: Annotated[
        tyro.conf.Positional[tuple[Path, ...]],
        flag("Folders of runs; a folder that holds runs stands for all in it.", "RUN RUN ...", REQUIRED),
    ]
    out: Annotated[Path | None, flag("The page to write.", "FILE.html", "compare.html beside the first run")] = None
    language: Spoken = ""
    json: Annotated[Switch, flag("Print the numbers as JSON; write the page only with --out.", default="")] = False


def run(arguments: list[str]) -> int:
    """Write the comparison page and print where it is, or print its numbers."""
    flags = parse(CompareFlags, "compare", arguments, __doc__ or "")
    if flags.out:
        check_suffix(flags.out, ".html")
    from sparring import report

    comparison = report.Comparison.of(flags.runs)
    out = flags.out or (None if flags.json else comparison.folder / "compare.html")
    if out:
        report.write_comparison(comparison, out)
    if flags.json:
        return print_json({"out": str(out) if out else None, **report.comparison_summary(comparison)})
    print(out)
    return OK
