"""Rank latent dimensions by how much they change samples, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from sparring.cli._latent import say_state, write
from sparring.cli.flags import (
    Json,
    Members,
    RunDir,
    Source,
    Spoken,
    check_count,
    decimals,
    flag,
    integers,
    members,
    out_file,
    parse,
    print_json,
    print_rich,
)
from sparring.cli.main import OK
from sparring.errors import UsageError


@dataclass
class InfluenceFlags:
    """Flags of `influence`."""

    run: RunDir
    out: Annotated[
        Path | None,
        flag(
            "FILE.png: maps; FILE.npy: float32 (P, 2, size, *shape), mean absolute change and mean change.",
            "FILE",
            "a picture in RUN/figures",
        ),
    ] = None
    dims: Annotated[str, flag("Only these dimensions, from 1: 5,25,45.", "DIMS", "the strongest")] = ""
    top: Annotated[int, flag("How many of the strongest to list for each seed.", "N")] = 6
    values: Annotated[str, flag("Each goes from the first to the second.", "LOW,HIGH", "-3,3; 0,1 if uniform")] = ""
    count: Annotated[int, flag("Average over this many latent vectors (0, 1, 2, ...) of each member.", "N")] = 64
    seeds: Members = ""
    source: Source = None
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Print the ranking and write the maps."""
    flags = parse(InfluenceFlags, "influence", arguments, __doc__ or "")
    asked = integers("--dims", flags.dims) if flags.dims else None
    ends, out = _check(flags), out_file(flags, "influence")
    chosen = members(flags.seeds)
    import torch

    from sparring.analysis.latent_tools.influence import influence
    from sparring.analysis.latent_tools.inputs import checked_dims, generators_and_latents
    from sparring.analysis.latent_tools.ranking import ranking_summary

    say_state(flags.run, chosen)
    recipe, G, z = generators_and_latents(flags.run, range(flags.count), chosen, flags.source)
    low, high = ends or recipe.latent.reach
    found = influence(G, z, low, high, recipe.latent.size)
    dims = checked_dims(recipe, asked) if asked else None
    listed = [list(dims)] * len(recipe.seeds) if dims else (found.order[:, : flags.top] + 1).tolist()
    maps, share = torch.stack([found.moved, found.change], 1).numpy(), found.share.numpy()
    indices = [[dim - 1 for dim in each] for each in listed]
    write(out, maps, lambda figures: figures.influence(maps[:, 1], share, recipe.seeds, indices, (low, high)))
    if flags.json:
        return print_json(
            {
                "out": str(out),
                "shape": [len(recipe.seeds), 2, *found.change.shape[1:]],
                "seeds": list(recipe.seeds),
                "values": [low, high],
                "count": flags.count,
                "members": ranking_summary(found, recipe.seeds, dims),
            }
        )
    from sparring.report.terminal.influence import influence_text

    print_rich(influence_text(found, recipe.seeds, listed, (low, high), flags.count))
    print(out)
    return OK


def _check(flags: Any) -> tuple[float, ...]:
    """The two ends of --values, or none. Raises UsageError for what does not fit, before anything is loaded."""
    ends = decimals("--values", flags.values) if flags.values else ()
    if flags.values and (len(ends) != 2 or ends[0] >= ends[1]):
        raise UsageError(f"--values takes a lower and a higher value (-3,3), not {flags.values!r}")
    check_count("--top", flags.top)
    check_count("--count", flags.count)
    return ends
