"""Animate a closed path through the latent space.

The path goes through the chosen latent vectors by spherical interpolation and back to the first. Frames are spaced so
that the features of a judge change by the same amount from one to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np

from sparring.cli._latent import say_state
from sparring.cli.flags import (
    DataDir,
    Json,
    Members,
    RunDir,
    Source,
    Spoken,
    check_count,
    flag,
    integers,
    members,
    parse,
    print_json,
)
from sparring.cli.main import OK
from sparring.errors import UsageError
from sparring.languages import Text

if TYPE_CHECKING:
    from PIL.Image import Image

PARTS = 1_000
"""Pieces of work that finding the path counts as."""


@dataclass
class LoopFlags:
    """Flags of `loop`."""

    run: RunDir
    out: Annotated[
        Path | None, flag("FILE.gif, .png (APNG), .webp, or .mp4 with ffmpeg.", "FILE", "RUN/figures/loop.webp")
    ] = None
    z_seeds: Annotated[str, flag("The latent vectors that it passes: 3,17,20-25.", "Z_SEEDS")] = "0-5"
    frames: Annotated[int, flag("Frames.", "N")] = 120
    fps: Annotated[float, flag("Frames in a second.", "N")] = 20.0
    data_dir: DataDir = None
    seeds: Members = ""
    source: Source = None
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Write the animation and print where it is."""
    flags = parse(LoopFlags, "loop", arguments, __doc__ or "")
    z_seeds = integers("--z-seeds", flags.z_seeds)
    check_count("--frames", flags.frames, low=2, high=10_000)
    if not 0.1 <= flags.fps <= 60:
        raise UsageError(f"--fps must lie between 0.1 and 60, not {flags.fps:g}")
    chosen = members(flags.seeds)
    from sparring.analysis.latent_tools.loop import check_stops, loop
    from sparring.report.animation import check_format, save_animation

    check_stops(len(z_seeds))
    out = check_format(flags.out or flags.run / "figures" / "loop.webp")
    from sparring.analysis.judge_choice import judge_for
    from sparring.analysis.latent_tools.inputs import generators_and_latents
    from sparring.analysis.wording import count
    from sparring.progress import progress
    from sparring.record.grid import MAX_MEMBERS, grid

    say_state(flags.run, chosen)
    recipe, G, stops = generators_and_latents(flags.run, z_seeds, chosen, flags.source)
    judge = judge_for(recipe.data, None, flags.data_dir) if len(recipe.data.shape) == 3 else None
    seen = (lambda x: judge(x).features) if judge is not None else lambda x: x.reshape(len(x), -1)
    of = count(len(recipe.seeds), "seed")
    title = Text("making {frames} frames of {seeds}", frames=f"{flags.frames:,}", seeds=of)
    with progress(title, PARTS) as update:
        examples, uneven = loop(G, stops, flags.frames, seen, lambda share: update(int(PARTS * share)))
    pictures: list[Image] = []
    with progress("drawing them", flags.frames, quiet=True) as update:
        for k in range(flags.frames):
            some = examples[:MAX_MEMBERS, k : k + 1]
            pictures.append(grid(some, recipe.seeds[:MAX_MEMBERS], modes=recipe.data.modes))
            update(k + 1)
    save_animation(pictures, out, [1 / flags.fps] * flags.frames)
    if flags.json:
        return print_json(
            {
                "out": str(out),
                "shape": list(examples.shape),
                "seeds": list(recipe.seeds),
                "z_seeds": list(z_seeds),
                "judge": judge.name if judge else None,
                "unevenness": np.round(uneven.astype(float), 4).tolist(),
            }
        )
    print(out)
    return OK
