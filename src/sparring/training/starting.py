"""The weights that a run starts with, where it is to start from another run (fine-tuning).

A run keeps a copy of them, so that it needs the other run only once.
"""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from sparring.errors import SparringError, UsageError, shortened
from sparring.game.game import Game
from sparring.game.transfer import Fit, load_where_it_fits
from sparring.recipe import Recipe, StartFrom
from sparring.record import RunFolder

Arrays = dict[str, np.ndarray]
"""G, D and G's averaged weights, named as in a checkpoint, with the members of the recipe along their first axis."""
MAX_NAMED = 3
"""Tensors that did not fit and are named in a sentence."""


def settled(recipe: Recipe, run: RunFolder) -> Recipe:
    """The recipe with the checkpoint settled that it starts from: as it is now, or was when `run` began.

    Raises SparringError when there is no such run or checkpoint, UsageError when it lacks a member that is needed.
    """
    start = recipe.start_from
    if start is None:
        return recipe
    stored = run.recipe.get("start_from") if run.exists else None
    if stored and _same_place(start, StartFrom(**stored)):
        return recipe.replace(start_from=StartFrom(**stored))
    if start.weights and run.start.is_file():
        return recipe
    source = RunFolder.open(start.run)
    path = _checkpoint(source, start)
    found = dataclasses.replace(
        start, run=str(source.path.resolve()), round=int(path.stem.rpartition("-")[2]), weights=_hash(path)
    )
    if start.weights not in ("", found.weights):
        raise SparringError(
            f"{start.run} has trained on since: the weights of round {start.round} that this recipe starts with are "
            "no longer there"
        )
    _rows(recipe.replace(start_from=found), source)
    return recipe.replace(start_from=found)


def start_weights(recipe: Recipe, run: RunFolder) -> Arrays | None:
    """The weights to start with: the run's own copy, else those of the other run. None for a run that draws its own."""
    start = recipe.start_from
    if start is None:
        return None
    if run.start.is_file():
        return run.load_file(run.start)
    source = RunFolder.open(start.run)
    path = _checkpoint(source, start)
    if _hash(path) != start.weights:
        raise SparringError(f"{start.run} has trained on in this moment: run the same command again")
    rows = _rows(recipe, source)
    arrays = source.load_file(path)
    return {name: each[rows] for name, each in arrays.items() if name[:2] in ("G.", "D.") and _is_weight(name)}


def start_with(game: Game, recipe: Recipe, arrays: Arrays) -> Fit:
    """Load them into a game before its first round. Raises UsageError where nothing fits."""
    fit = load_where_it_fits(game, arrays)
    if fit.is_empty:
        raise UsageError(f"no weights of {recipe.start_from} fit this recipe's networks: {_unfit(fit)}")
    return fit


def event_of(start: StartFrom, fit: Fit) -> dict[str, Any]:
    """What the journal says of it."""
    return {
        "run": start.run,
        "checkpoint": start.round,
        "seed": start.seed,
        "best": start.best,
        "weights": start.weights,
        "loaded": {what: list(counts) for what, counts in fit.loaded.items()},
        "anew": list(fit.anew),
    }


def sentence(start: StartFrom, fit: Fit) -> str:
    """For the user, in one line."""
    which = "" if start.seed is None else f", seed {start.seed}"
    whose = f"starts with the weights of {start.run}{which}, round {start.round:,}"
    return f"{whose}; {_unfit(fit)}" if fit.anew else whose


def _unfit(fit: Fit) -> str:
    named = [
        f"{name} is {'missing' if there is None else there} there, {here} here"
        for name, (there, here) in list(fit.anew.items())[:MAX_NAMED]
    ]
    more = len(fit.anew) - len(named)
    rest = f" and {more:,} more" if more > 0 else ""
    counts = ", ".join(f"{what} {loaded} of {of}" for what, (loaded, of) in fit.loaded.items())
    return f"tensors that fit: {counts}; the others are drawn anew ({'; '.join(named)}{rest})"


def _same_place(start: StartFrom, stored: StartFrom) -> bool:
    mine, theirs = (Path(each.run).resolve() for each in (start, stored))
    asked = (mine, start.seed, start.best) == (theirs, stored.seed, stored.best)
    return asked and start.weights in ("", stored.weights)


def _checkpoint(source: RunFolder, start: StartFrom) -> Path:
    found = ([source.best] if source.best else []) if start.best else source.checkpoints()
    if not found:
        if start.best:
            raise SparringError(f"{start.run} has no best checkpoint: its samples were never evaluated")
        raise SparringError(f"{start.run} has no checkpoint yet")
    return found[-1]


def _rows(recipe: Recipe, source: RunFolder) -> list[int]:
    """The member of the other run that each member starts from."""
    start, theirs = recipe.start_from, source.story.seeds
    assert start is not None
    wanted = recipe.seeds if start.seed is None else (start.seed,) * len(recipe.seeds)
    if start.seed is None and len(theirs) == 1:
        return [0] * len(recipe.seeds)
    if len(set(theirs)) < len(theirs):
        raise UsageError(f"{start.run} has seeds several times, with other numbers: split it, and start from one part")
    if absent := sorted(set(wanted) - set(theirs)):
        raise UsageError(
            f"{start.run} has no seed {absent[0]} to start from: its seeds are "
            f"{shortened(', '.join(map(str, theirs)))}; choose among them, or {start.run}:{theirs[0]} for all"
        )
    return [theirs.index(seed) for seed in wanted]


def _is_weight(name: str) -> bool:
    return not name.startswith(("G.memory.", "D.memory."))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
