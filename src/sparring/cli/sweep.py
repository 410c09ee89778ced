"""Latent traversal: change one latent dimension at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from sparring.cli._latent import write_and_print
from sparring.cli.flags import (
    Json,
    Members,
    OutFile,
    RunDir,
    Source,
    check_suffix,
    decimals,
    flag,
    integers,
    members,
    parse,
)


@dataclass
class SweepFlags:
    """Flags of `sweep`."""

    run: RunDir
    out: OutFile
    dims: Annotated[str, flag("Dimensions to change, from 1: 5,25,45.", "DIMS", "the recipe's own choice")] = ""
    values: Annotated[str, flag("Values that each takes.", "VALUES", "-3,0,3; 0,0.5,1 for a uniform latent")] = ""
    z_seed: Annotated[int, flag("Which latent vector to start from.", "Z_SEED")] = 0
    seeds: Members = ""
    source: Source = None
    json: Json = False


def run(arguments: list[str]) -> int:
    """Write the examples of the traversal."""
    flags = parse(SweepFlags, "sweep", arguments, __doc__ or "")
    dims, values = flags.dims and integers("--dims", flags.dims), flags.values and decimals("--values", flags.values)
    check_suffix(flags.out, ".npy", ".png")
    chosen = members(flags.seeds)
    from sparring.analysis.latent_tools.inputs import checked_dims, default_dims, generated, generators_and_latents
    from sparring.analysis.latent_tools.sweep import sweep

    recipe, G, z = generators_and_latents(flags.run, [flags.z_seed], chosen, flags.source)
    dims = checked_dims(recipe, dims or default_dims(recipe))
    low, high = recipe.latent.reach
    values = values or (low, (low + high) / 2, high)
    examples = generated(G, sweep(z, [dim - 1 for dim in dims], values)[:, 0])
    settings = {"z_seed": flags.z_seed, "dims": list(dims), "values": list(values)}
    return write_and_print(
        flags,
        recipe.seeds,
        examples,
        settings,
        lambda figures: figures.sweep(examples, recipe.seeds, dims, values, flags.z_seed),
    )
