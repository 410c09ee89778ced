"""Latent traversal: change one latent dimension at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from sparring.cli._latent import say_state, write_and_print
from sparring.cli.flags import (
    Json,
    Members,
    OutFile,
    RunDir,
    Source,
    Spoken,
    decimals,
    flag,
    integers,
    members,
    out_file,
    parse,
)


@dataclass
class SweepFlags:
    """Flags of `sweep`."""

    run: RunDir
    out: OutFile = None
    dims: Annotated[str, flag("Dimensions to change, from 1: 5,25,45.", "DIMS", "each seed's strongest")] = ""
    values: Annotated[str, flag("Values that each takes.", "VALUES", "-3,0,3; 0,0.5,1 for a uniform latent")] = ""
    z_seed: Annotated[int, flag("Which latent vector to start from.", "Z_SEED")] = 0
    seeds: Members = ""
    source: Source = None
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Write the examples of the traversal."""
    flags = parse(SweepFlags, "sweep", arguments, __doc__ or "")
    dims = integers("--dims", flags.dims) if flags.dims else None
    values = decimals("--values", flags.values) if flags.values else None
    out = out_file(flags, "sweep")
    chosen = members(flags.seeds)
    import torch

    from sparring.analysis.latent_tools.inputs import checked_dims, default_dims, generated, generators_and_latents
    from sparring.analysis.latent_tools.sweep import sweep

    say_state(flags.run, chosen)
    recipe, G, z = generators_and_latents(flags.run, [flags.z_seed], chosen, flags.source)
    each = [list(checked_dims(recipe, dims))] * len(recipe.seeds) if dims else default_dims(recipe, G)
    low, high = recipe.latent.reach
    values = values or (low, (low + high) / 2, high)
    swept = [sweep(z[k : k + 1], [dim - 1 for dim in mine], values)[:, 0] for k, mine in enumerate(each)]
    examples = generated(G, torch.cat(swept))
    same = all(mine == each[0] for mine in each)
    settings = {"z_seed": flags.z_seed, "dims": each[0] if same else each, "values": list(values)}
    return write_and_print(
        flags,
        out,
        recipe,
        examples,
        settings,
        lambda figures: figures.sweep(examples, recipe.seeds, each, values, flags.z_seed),
    )
