"""Project images into the latent space, or test for memorization.

With IMAGES: the latent vector of each seed whose example is nearest to each, the map of what is missing, and the image
edited along the two most sensitive directions. Without: whether training images are found more easily than held-out
ones, with an interval, for every seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

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
class ProjectFlags:
    """Flags of `project`."""

    run: RunDir
    images: Annotated[
        tyro.conf.Positional[tuple[Path, ...]], flag("Image files.", "[IMAGES ...]", "test memorization")
    ] = ()
    out: Annotated[Path | None, flag("FILE.png: the picture.", "FILE", "RUN/figures/project.png")] = None
    count: Annotated[int, flag("Without IMAGES: images of each kind.", "N")] = 64
    restarts: Annotated[int, flag("Latent vectors that each search begins with.", "N")] = 4
    steps: Annotated[int, flag("Steps of the search.", "N")] = 200
    data_dir: DataDir = None
    seeds: Members = ""
    source: Source = None
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Print the errors, and write the picture."""
    flags = parse(ProjectFlags, "project", arguments, __doc__ or "")
    for name in ("count", "restarts", "steps"):
        check_count(f"--{name}", getattr(flags, name))
    out = flags.out or flags.run / "figures" / "project.png"
    check_suffix(out, ".png")
    seeds = members(flags.seeds)
    from sparring.record import RunFolder

    opened = RunFolder.open(flags.run)
    say_state(flags.run, seeds)
    return _project(opened, flags, seeds, out) if flags.images else _test(opened, flags, seeds)


def _test(run: Any, flags: Any, seeds: tuple[int, ...] | None) -> int:
    from sparring.analysis.latent_tools.projected import memorization_of, plain_test

    search = flags.count, flags.restarts, flags.steps
    recipe, results, where = memorization_of(run, *search, seeds, flags.data_dir, flags.source)
    if flags.json:
        return print_json(plain_test(recipe, results, where))
    from sparring.report.terminal.projection import memorization_text

    print_rich(memorization_text(recipe.seeds, results, where))
    return OK


def _project(run: Any, flags: Any, seeds: tuple[int, ...] | None, out: Path) -> int:
    from sparring.analysis.generators import recipe_of
    from sparring.analysis.latent_tools.projected import projected, read_images
    from sparring.record import write_atomically
    from sparring.report.figures.drawing import as_png
    from sparring.report.figures.projection import projections
    from sparring.report.terminal.projection import projection_text

    images = read_images(flags.images, recipe_of(run, flags.source).data.shape)
    names = [path.name for path in flags.images]
    found = projected(run, images, names, flags.restarts, flags.steps, seeds, flags.data_dir, flags.source)
    png = as_png(projections(found))
    write_atomically(out, lambda path: path.write_bytes(png))
    if flags.json:
        return print_json({"out": str(out), **found.plain()})
    print_rich(projection_text(found))
    print(out)
    return OK
