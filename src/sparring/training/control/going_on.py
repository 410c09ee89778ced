"""How a game goes on with settings that were changed after its run began."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparring.errors import SparringError, UsageError
from sparring.game.assembly import restore, state_of
from sparring.game.game import Game
from sparring.game.numbers import PREFIX
from sparring.recipe import Recipe
from sparring.recipe.changing import with_plain
from sparring.record import RunFolder
from sparring.record.steering import Steering, is_whole


def in_force(recipe: Recipe, run: RunFolder, checkpoint: tuple[int, Any] | None) -> Recipe:
    """The recipe that a game is built of where a run is resumed, or begun: with what its branchings changed.

    Numbers that were set are set again, so that they are computed with as they were then.

    Raises SparringError where the checkpoint with which a branch began is gone, and its objective or tricks changed
    there: rounds before it are its trunk's.
    """
    if not run.exists:
        return recipe
    steering, round = run.story.steering, checkpoint[0] if checkpoint else 0
    branch = steering.branch
    if branch is not None and branch.round > round and any(map(is_whole, branch.settings)):
        raise SparringError(
            f"{run.path} has lost the checkpoint of round {branch.round:,} with which it began: branch it off "
            f"{branch.run} again"
        )
    return _built_of(recipe, steering, round)


def _built_of(recipe: Recipe, steering: Steering, round: int) -> Recipe:
    return with_plain(recipe, steering.recipe_at(recipe.to_dict(), round, numbers=False))


def as_saved(recipe: Recipe, run: RunFolder, checkpoint: tuple[int, Any]) -> Recipe:
    """The recipe with which a checkpoint may have been saved: what was changed after its round is not in it."""
    return _built_of(recipe, run.story.steering, checkpoint[0] - 1)


def take_up(game: Game, recipe: Recipe, before: Recipe, round: int, state: dict[str, np.ndarray]) -> None:
    """Put a game of `recipe` into the state that one of the recipe `before` had after `round` rounds.

    Where a branch has other optimizers or tricks, these begin anew; those that it shares keep their memory. Numbers are
    the recipe's: what was set is known from the journal, and is set again by it.
    """
    own = {name: array.shape for name, array in state_of(game).items()}
    if own == {name: array.shape for name, array in without_numbers(state).items()}:
        restore_plain(game, round, state)
        return
    moved = dict(state_of(game))
    renamed = _trick_names(before, recipe)
    for name, array in state.items():
        index = name.split(".")[1] if name.startswith("trick.") else None
        new = name if index is None else name.replace(f"trick.{index}.", f"trick.{renamed.get(int(index), 'gone')}.", 1)
        # A momentum that was set is remembered, though the recipe has none until it is set again.
        is_memory = new.startswith(("G.memory.", "D.memory.")) and new not in own
        if (own.get(new) == array.shape or is_memory) and _is_same_part(new, before, recipe):
            moved[new] = array
    restore_plain(game, round, moved)


def restore_plain(game: Game, round: int, state: dict[str, np.ndarray]) -> None:
    """Put a game into the state of a checkpoint, without the numbers that were set by then."""
    restore(game, round, without_numbers(state))


def without_numbers(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A checkpoint's state without numbers that were set: the journal says which these are, and when."""
    return {name: array for name, array in state.items() if not name.startswith(PREFIX)}


def _trick_names(before: Recipe, after: Recipe) -> dict[int, int]:
    """Index of a trick among those before -> its index now; the first of a kind is the first."""
    left = list(enumerate(after.tricks))
    found: dict[int, int] = {}
    for index, trick in enumerate(before.tricks):
        same = next((each for each in left if type(each[1]) is type(trick)), None)
        if same is not None:
            found[index] = same[0]
            left.remove(same)
    return found


def _is_same_part(name: str, before: Recipe, after: Recipe) -> bool:
    """Whether what remembers this is of one class in both recipes."""
    for who, field in (("G", "generator_optimizer"), ("D", "discriminator_optimizer")):
        if name.startswith(f"{who}.memory."):
            return type(getattr(before, field)) is type(getattr(after, field))
    return True


def set_numbers(game: Game, numbers: Sequence[tuple[str, Any]]) -> None:
    """Set numbers of a game between two rounds, all or none. Raises UsageError where one cannot be set."""
    before: list[tuple[str, Any]] = []
    try:
        for path, value in numbers:
            now = game.numbers.value(path)
            game.set_number(path, value)
            before.append((path, now))
    except UsageError:
        for path, value in reversed(before):
            game.set_number(path, value)
        raise
