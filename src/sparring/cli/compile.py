"""Compile the training step of recipes ahead of time.

`sparring train RECIPE` then uses the code at once. Code is kept in the user's cache. It depends on networks, batch,
number of seeds and threads (chosen here as `train` does), and on the versions of torch and of the processor.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated

import tyro

from sparring.cli.flags import REQUIRED, DataDir, Json, Spoken, flag, parse, print_json
from sparring.cli.main import FAILED, OK
from sparring.errors import UsageError


@dataclass
class CompileFlags:
    """Flags of `compile`."""

    recipes: Annotated[
        tyro.conf.Positional[tuple[str, ...]], flag("Names of recipes, or files.", "RECIPE ...", REQUIRED)
    ]
    seeds: Annotated[
        str, flag("Seeds that will be trained: a count (8), a range (3-10) or a list (1,5,9).", "N", "the recipe's")
    ] = ""
    data_dir: DataDir = None
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Compile one recipe after another, and print a line for each."""
    flags = parse(CompileFlags, "compile", arguments, (__doc__ or "").strip())
    if not flags.recipes:
        raise UsageError("say what to compile: sparring compile RECIPE ... (`sparring recipes` lists them)")
    from sparring.recipe import find_recipe
    from sparring.training.ahead import compile_ahead

    recipes = [find_recipe(name) for name in flags.recipes]
    made = []
    for recipe in recipes:
        chosen = recipe.replace(seeds=flags.seeds) if flags.seeds else recipe
        made.append(compile_ahead(chosen, data_dir=flags.data_dir))
        if not flags.json:
            print(f"{made[-1].recipe}: {made[-1].message}")
    if flags.json:
        print_json([dataclasses.asdict(each) for each in made])
    return OK if all(each.compiled for each in made) else FAILED
