"""Split a run whose members differ in numbers into a run for each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from sparring.cli.flags import Json, RunDir, Spoken, flag, parse, print_json
from sparring.cli.main import OK


@dataclass
class SplitFlags:
    """Flags of `split`."""

    run: RunDir
    out: Annotated[Path | None, flag("Where the runs go.", "DIR", "cells, in the run's own folder")] = None
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Write the runs, and print their folders."""
    flags = parse(SplitFlags, "split", arguments, __doc__ or "")
    from sparring.recipe import Recipe
    from sparring.record import RunFolder
    from sparring.training.splitting import split

    whole = RunFolder.open(flags.run)
    runs = split(whole, flags.out)
    cells = Recipe.from_dict(whole.recipe, placeholders=True).cells
    rows = [(str(made.path), cell.label, list(cell.seeds)) for made, cell in zip(runs, cells, strict=True)]
    if flags.json:
        return print_json([{"run": path, "numbers": label, "seeds": seeds} for path, label, seeds in rows])
    for path, label, _ in rows:
        print(f"{path}  {label}")
    return OK
