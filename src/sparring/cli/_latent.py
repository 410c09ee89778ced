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
    seeds: Sequence[int],
    examples: np.ndarray,
    settings: dict[str, Any],
    draw: Callable[[Any], Figure],
) -> int:
    """Write the examples and print where they are, or with --json their shape and the settings too."""
    write(out, examples, draw)
    if flags.json:
        return print_json({"out": str(out), "shape": list(examples.shape), "seeds": list(seeds), **settings})
    print(out)
    return OK
