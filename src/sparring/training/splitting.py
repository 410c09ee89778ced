"""A run whose members differ in numbers, split into an ordinary run for each of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from sparring.analysis.steered import refuse_departed
from sparring.catalogue import OwnPart
from sparring.errors import UsageError
from sparring.recipe import Cell, Recipe
from sparring.record import RunFolder, training_lock
from sparring.record.splitting import Share, folder_of
from sparring.record.splitting import split as write_shares
from sparring.training.about import changed_from_catalogue

CELLS = "cells"
"""Folder in a run's own for the runs that it is split into."""


def split(
    run: RunFolder | str | PathLike[str],
    out: str | PathLike[str] | None = None,
    *,
    folders: Sequence[str | PathLike[str]] | None = None,
) -> list[RunFolder]:
    """Write an ordinary run for each cell of a run: the members that have the same numbers.

    Each has its plain recipe, and its members' curves, evaluations, samples and weights. Every command works on it as
    on any run, and training it further with the same recipe is possible. Its times are those of the whole run.

    Args:
        run: A run whose members differ in numbers (`per_member`), or its folder; it is finished, stopped or killed.
        out: Where the folders go, named by their numbers; `cells` in the run's own folder if not given.
        folders: The folder of each cell, in the order of `Recipe.cells`, in place of `out`.

    Returns:
        The runs, in the order of `Recipe.cells`.

    Raises:
        UsageError: The run has one cell only, was changed while it trained, or a folder holds something else.
        SparringError: It is still being trained, or has no recipe.
    """
    whole = run if isinstance(run, RunFolder) else RunFolder.open(run)
    recipe = Recipe.from_dict(whole.recipe, placeholders=True)
    cells = recipe.cells
    if len(cells) == 1:
        raise UsageError(f"{whole.path}: its members differ in nothing but their seeds, so there is nothing to split")
    refuse_departed(whole, "it has no cells of plain recipes")
    if folders is None:
        home = Path(out) if out is not None else whole.path / CELLS
        folders = [folder_of(home, number, cell.label) for number, cell in enumerate(cells)]
    if len(folders) != len(cells):
        raise UsageError(f"{whole.path} has {len(cells)} cells, and there are {len(folders)} folders for them")
    with training_lock(whole.path):
        shares = [_share(recipe, cell, Path(folder), whole) for cell, folder in zip(cells, folders, strict=True)]
        write_shares(whole, shares)
    return [share.run for share in shares]


def _share(recipe: Recipe, cell: Cell, folder: Path, whole: RunFolder) -> Share:
    plain = recipe.select(cell.members)
    about: dict[str, Any] = {
        "id": plain.id,
        "seeds": list(plain.seeds),
        "changed": changed_from_catalogue(plain),
        # How its rounds are played is decided anew where it is trained further: it has fewer members.
        "compiled": None,
        "group": None,
        "processes": 1,
        "split_from": {"run": str(whole.path.resolve()), "id": recipe.id, "members": len(recipe.seeds)},
    }
    return Share(RunFolder(folder), plain.to_json(), plain.id, about, cell.members, _foreign(recipe, plain))


def _foreign(recipe: Recipe, plain: Recipe) -> tuple[str, ...]:
    """What only other cells' optimizers keep: a momentum, where this cell has none."""
    found: list[str] = []
    for who, field in (("G", "generator_optimizer"), ("D", "discriminator_optimizer")):
        mine = getattr(plain, field)
        if isinstance(mine, OwnPart):
            continue
        every = {kind for cell in recipe.cells for kind in getattr(recipe.select(cell.members[:1]), field).keeps}
        found += [f"{who}.memory.{kind}." for kind in sorted(every - set(mine.keeps))]
    return tuple(found)
