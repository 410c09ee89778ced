"""Show whether the seeds learned the same latent space.

Images (IMAGES, or held-out ones of the data) and samples of every seed are projected into every seed; distances between
their latent vectors and the strongest directions of the seeds are compared. Writes a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

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
    members,
    parse,
    print_json,
    print_rich,
)
from sparring.cli.main import OK


@dataclass
class SpacesFlags:
    """Flags of `spaces`."""

    run: RunDir
    images: Annotated[
        tyro.conf.Positional[tuple[Path, ...]], flag("Image files.", "[IMAGES ...]", "held-out ones of the data")
    ] = ()
    out: Annotated[Path | None, flag("FILE.html: the page.", "FILE", "RUN/figures/spaces.html")] = None
    count: Annotated[int, flag("Samples of each seed, and held-out images.", "N")] = 16
    restarts: Annotated[int, flag("Latent vectors that each search begins with.", "N")] = 2
    steps: Annotated[int, flag("Steps of a search.", "N")] = 200
    top: Annotated[int, flag("Directions of each seed.", "N")] = 5
    data_dir: DataDir = None
    seeds: Members = ""
    source: Source = None
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Write the page and print the answer."""
    flags = parse(SpacesFlags, "spaces", arguments, __doc__ or "")
    for name in ("restarts", "steps", "top"):
        check_count(f"--{name}", getattr(flags, name))
    check_count("--count", flags.count, low=2)
    out = flags.out or flags.run / "figures" / "spaces.html"
    check_suffix(out, ".html")
    seeds = members(flags.seeds)
    from sparring.analysis.generators import recipe_of
    from sparring.analysis.latent_tools.projected import read_images
    from sparring.analysis.latent_tools.spaces import spaces
    from sparring.record import RunFolder
    from sparring.report.page.spaces import write_spaces

    opened = RunFolder.open(flags.run)
    shape = recipe_of(opened, flags.source).data.shape
    images = read_images(flags.images, shape) if flags.images else None
    names = [path.name for path in flags.images]
    search = flags.count, flags.restarts, flags.steps, flags.top
    say_state(flags.run, seeds)
    found = spaces(opened, images, names, *search, seeds, flags.data_dir, flags.source)
    write_spaces(found, out)
    if flags.json:
        return print_json({"out": str(out), **found.plain()})
    from sparring.report.terminal.spaces import spaces_text

    print_rich(spaces_text(found))
    print(out)
    return OK
