"""Code for a recipe's rounds, compiled before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sparring.game.assembly import game_of, part_of, threads_for
from sparring.game.compile.plan import compile_ahead as compile_game
from sparring.game.runtime import preserving_torch_rng, resolve_device, threads_set
from sparring.progress import expected_progress
from sparring.recipe import Recipe, find_recipe


@dataclass(frozen=True)
class CompiledAhead:
    """What came of compiling a recipe."""

    recipe: str
    seeds: int
    threads: int
    compiled: bool
    message: str
    """One line: how long it took and what it gains, or why there is no code."""


def compile_ahead(
    recipe: Recipe | str, *, data_dir: str | Path | None = None, device: str = "auto", threads: int | None = None
) -> CompiledAhead:
    """Compile the training step of a recipe, and use it from now on when that recipe is trained on this machine.

    Args:
        recipe: A recipe, or the name of one. Code depends on networks, batch, number of seeds and threads.
        data_dir: Folder with the data set's files; else SPARRING_DATA, else they are downloaded once.
        device: The device that it will be trained on; on a GPU there is nothing to compile ahead.
        threads: Threads of torch that it will be trained with; chosen by the work if not given.

    Returns:
        Whether there is code now, and a line about it.

    Raises:
        SparringError: The data cannot be read.
    """
    recipe = find_recipe(recipe) if isinstance(recipe, str) else recipe
    device = resolve_device(device)
    data, open_data = recipe.data.with_opener(Path(data_dir) if data_dir is not None else None, device)
    recipe = recipe.replace(data=data)
    source = open_data()
    threads = threads or threads_for(recipe)
    with preserving_torch_rng(), threads_set(threads):
        made = compile_game(
            game_of(recipe, source, device), recipe.id, part_of(recipe, source, device), expected_progress
        )
    return CompiledAhead(recipe.name, len(recipe.seeds), threads, made.compiled, made.message)
