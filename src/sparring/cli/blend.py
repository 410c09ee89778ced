"""Latent interpolation between two latent vectors, or among four."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from sparring.cli._latent import say_state, write_and_print
from sparring.cli.flags import (
    Json,
    Members,
    OutFile,
    RunDir,
    Source,
    Spoken,
    check_count,
    flag,
    integers,
    members,
    out_file,
    parse,
)
from sparring.errors import UsageError

MAX_STEPS = 1_000


@dataclass
class BlendFlags:
    """Flags of `blend`."""

    run: RunDir
    z_seeds: Annotated[str, flag("Two latent vectors, or four as the corners of a square: 1,2,3,4.", "Z_SEEDS")] = "0,1"
    out: OutFile = None
    steps: Annotated[int, flag("Examples from one to the next, both included.", "N")] = 9
    path: Annotated[
        Literal["linear", "spherical"], flag("A straight line, or an arc along which the length changes evenly.")
    ] = "linear"
    seeds: Members = ""
    source: Source = None
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Write the examples of the interpolation."""
    flags = parse(BlendFlags, "blend", arguments, __doc__ or "")
    z_seeds = integers("--z-seeds", flags.z_seeds)
    out = out_file(flags, "blend")
    chosen = members(flags.seeds)
    if len(z_seeds) not in (2, 4):
        raise UsageError(f"--z-seeds takes 2 or 4 latent vectors, not {len(z_seeds)}")
    check_count("--steps", flags.steps, low=2, high=MAX_STEPS)
    from sparring.analysis.latent_tools.blend import blend
    from sparring.analysis.latent_tools.inputs import generated, generators_and_latents

    say_state(flags.run, chosen)
    recipe, G, z = generators_and_latents(flags.run, z_seeds, chosen, flags.source)
    examples = generated(G, blend(z, flags.steps, flags.path))
    settings = {"z_seeds": list(z_seeds), "steps": flags.steps, "path": flags.path}
    return write_and_print(
        flags,
        out,
        recipe,
        examples,
        settings,
        lambda figures: figures.blend(examples, recipe.seeds, z_seeds, flags.path),
    )
