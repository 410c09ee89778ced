"""What the latent commands share: writing their examples as numbers or as a picture.

In commands, pictures and JSON the dimensions of a latent vector count from 1; z seeds and seeds may begin with 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparring.cli.flags import print_json
from sparring.cli.main import OK

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from sparring.recipe import Recipe


def say_state(run: Path, seeds: Sequence[int] | None = None, best: bool = False) -> None:
    """Say on stderr what examples of a run mean little of: members that diverged, and a checkpoint before training."""
    from sparring.analysis.wording import named_seeds
    from sparring.progress import say
    from sparring.record import RunFolder
    from sparring.record.run import round_of

    opened = RunFolder.open(run)
    saved = ([opened.best] if opened.best else []) if best else opened.checkpoints()
    if not saved:
        return
    story, round = opened.story, round_of(saved[-1])
    asked = [m for m in story.diverged if seeds is None or opened.recipe["seeds"][m] in seeds]
    said = [f"{named_seeds([story.names[m] for m in sorted(asked)])} diverged"] if asked else []
    if said or not round:
        said.append(f"this checkpoint is of round {round:,}" + ("" if round else ", before any training"))
        say(f"{run}: {'; '.join(said)}")


def write(out: Path, array: np.ndarray, draw: Callable[[Any], Figure]) -> None:
    """Write `array` as .npy, or the figure that `draw` makes with the module `report.figures.latent` as .png."""
    from sparring.record import write_atomically

    if out.suffix == ".npy":
        from sparring.record.grid import save_array

        write_atomically(out, lambda path: save_array(array, path))
    else:
        from sparring.report.figures import latent
        from sparring.report.figures.drawing import as_png

        png = as_png(draw(latent))
        write_atomically(out, lambda path: path.write_bytes(png))


def write_and_print(
    flags: Any,
    out: Path,
    recipe: Recipe,
    examples: np.ndarray,
    settings: dict[str, Any],
    draw: Callable[[Any], Figure],
) -> int:
    """Write the examples and print where they are, or with --json their shape and the settings too.

    Numbers are written in the units of the data, as `sample` writes them; pictures are drawn in data units.
    """
    write(out, recipe.data.in_own_units(examples) if out.suffix == ".npy" else examples, draw)
    if flags.json:
        return print_json({"out": str(out), "shape": list(examples.shape), "seeds": list(recipe.seeds), **settings})
    print(out)
    return OK
