"""Latent arithmetic with latent vectors: "a - b + c"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro

from sparring.cli._latent import say_state, write_and_print
from sparring.cli.flags import Json, Members, OutFile, RunDir, Source, Spoken, flag, integers, members, out_file, parse
from sparring.errors import UsageError


@dataclass
class ArithmeticFlags:
    """Flags of `arithmetic`."""

    run: RunDir
    expression: Annotated[
        tyro.conf.Positional[str],
        flag("Letters for latent vectors; numbers, +, -, * and parentheses.", '"a - b + c"'),
    ]
    z_seeds: Annotated[
        str, flag("Which latent vectors the letters are, in order of first appearance: 3,7,1.", "Z_SEEDS", "0, 1, ...")
    ] = ""
    out: OutFile = None
    seeds: Members = ""
    source: Source = None
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Write the examples of the operands and of the result."""
    # An expression that begins with a minus is no flag.
    given = [f" {a}" if a[:1] == "-" and a[1:2] != "-" and a != "-h" else a for a in arguments]
    flags = parse(ArithmeticFlags, "arithmetic", given, __doc__ or "")
    z_seeds = integers("--z-seeds", flags.z_seeds) if flags.z_seeds else None
    out = out_file(flags, "arithmetic")
    chosen = members(flags.seeds)
    from sparring.analysis.latent_tools.arithmetic import arithmetic, letters
    from sparring.analysis.latent_tools.inputs import generated, generators_and_latents

    names = letters(flags.expression)
    z_seeds = tuple(range(len(names))) if z_seeds is None else z_seeds
    if len(names) != len(z_seeds):
        needed = f"{len(names)} latent vectors, for {', '.join(names)}" if len(names) > 1 else f"one, for {names[0]}"
        raise UsageError(f"--z-seeds must give {needed}, not {len(z_seeds)}")
    say_state(flags.run, chosen)
    recipe, G, z = generators_and_latents(flags.run, z_seeds, chosen, flags.source)
    import torch

    result = arithmetic(flags.expression, {letter: z[:, index] for index, letter in enumerate(names)})
    z = torch.cat([z, result[:, None]], 1)
    examples, lengths = generated(G, z), z.norm(dim=-1).numpy()
    operands = dict(zip(names, z_seeds, strict=True))
    return write_and_print(
        flags,
        out,
        recipe,
        examples,
        {"expression": flags.expression, "z_seeds": operands},
        lambda figures: figures.arithmetic(examples, recipe.seeds, flags.expression, operands, lengths),
    )
