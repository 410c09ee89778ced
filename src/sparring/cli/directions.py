"""Find directions of the latent space, and what each moves.

Eigenvectors of mean JᵀJ, principal components of features, what the first layer amplifies, and directions toward
classes, side by side: how much each changes samples, what it moves, and in how many other seeds a direction does the
same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from sparring.cli._latent import say_state
from sparring.cli.flags import (
    DataDir,
    Json,
    Members,
    RunDir,
    Source,
    Spoken,
    check_count,
    check_suffix,
    flag,
    integers,
    members,
    parse,
    print_json,
    print_rich,
)
from sparring.cli.main import OK

STEPS = 5
"""Places along a direction that are drawn."""


@dataclass
class DirectionsFlags:
    """Flags of `directions`."""

    run: RunDir
    out: Annotated[Path | None, flag("FILE.png: the picture.", "FILE", "RUN/figures/directions.png")] = None
    top: Annotated[int, flag("How many directions of each way.", "N")] = 5
    dims: Annotated[str, flag("Single dimensions beside them, from 1: 5,25.", "DIMS", "those of the recipe")] = ""
    count: Annotated[int, flag("Latent vectors that derivatives and changes are means over.", "N")] = 64
    samples: Annotated[int, flag("Samples that components and classes are found from.", "N")] = 1_000
    data_dir: DataDir = None
    seeds: Members = ""
    source: Source = None
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Print the first seed's table, and draw it."""
    flags = parse(DirectionsFlags, "directions", arguments, __doc__ or "")
    check_count("--top", flags.top)
    check_count("--count", flags.count, low=2)
    check_count("--samples", flags.samples, low=2)
    dims = integers("--dims", flags.dims) if flags.dims else None
    out = flags.out or flags.run / "figures" / "directions.png"
    check_suffix(out, ".png")
    seeds = members(flags.seeds)
    from sparring.analysis.latent_tools.directions.across import all_across
    from sparring.analysis.latent_tools.directions.survey import survey
    from sparring.analysis.latent_tools.explored import DIRECTIONS
    from sparring.record import RunFolder

    opened = RunFolder.open(flags.run)
    say_state(flags.run, seeds)
    made = survey(opened, flags.top, dims, flags.count, flags.samples, seeds, flags.data_dir, flags.source)
    _draw(made, out)
    said = {"out": str(out), **made.plain(), "across": all_across(made)}
    if flags.out is None:  # where the explorer looks for them
        opened.write_text(DIRECTIONS, json.dumps(said))
    if flags.json:
        return print_json(said)
    from sparring.report.terminal.directions import directions_text

    print_rich(directions_text(made, 0))
    print(out)
    return OK


def _draw(made: Any, out: Path) -> None:
    from sparring.analysis.latent_tools.directions.survey import WAYS, along
    from sparring.record import write_atomically
    from sparring.report.figures.directions import Row, directions
    from sparring.report.figures.drawing import as_png

    rows = [
        Row(each.way, each.label, each.what, along(made, 0, each, STEPS), each.effect.change.numpy())
        for each in made.members[0]
    ]
    headline = f"Latent vector 0, from {-made.reach:.3g} to {made.reach:.3g} along each direction, and the mean change"
    png = as_png(directions(rows, WAYS, made.recipe.seeds[0], headline))
    write_atomically(out, lambda path: path.write_bytes(png))
