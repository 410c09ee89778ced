"""How a game goes on with settings that were changed after its run began."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparring.game.assembly import restore, state_of
from sparring.game.compile.plan import plan
from sparring.game.game import Game
from sparring.progress import expected_progress
from sparring.recipe import Recipe
from sparring.recipe.changing import with_plain
from sparring.record import RunFolder
from sparring.training.trainer import Trainer


def in_force(recipe: Recipe, run: RunFolder, checkpoint: tuple[int, Any] | None) -> Recipe:
    """The recipe in force where a run is resumed, or begun: with what was changed up to there."""
    if not run.exists:
        return recipe
    return with_plain(recipe, run.story.steering.recipe_at(recipe.to_dict(), checkpoint[0] if checkpoint else 0))


def as_saved(recipe: Recipe, run: RunFolder, checkpoint: tuple[int, Any]) -> Recipe:
    """The recipe with which a checkpoint may have been saved: what was changed after its round is not in it."""
    return with_plain(recipe, run.story.steering.recipe_at(recipe.to_dict(), checkpoint[0] - 1))


def take_up(game: Game, recipe: Recipe, before: Recipe, round: int, state: dict[str, np.ndarray]) -> None:
    """Put a game of `recipe` into the state that one of the recipe `before` had after `round` rounds.

    Where a branch has other optimizers or tricks, these begin anew; those that it shares keep their memory.
    """
    own = {name: array.shape for name, array in state_of(game).items()}
    if own == {name: array.shape for name, array in state.items()}:
        restore(game, round, state)
        return
    moved = dict(state_of(game))
    renamed = _trick_names(before, recipe)
    for name, array in state.items():
        index = name.split(".")[1] if name.startswith("trick.") else None
        new = name if index is None else name.replace(f"trick.{index}.", f"trick.{renamed.get(int(index), 'gone')}.", 1)
        if own.get(new) == array.shape and _is_same_part(new, before, recipe):
            moved[new] = array
    restore(game, round, moved)


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


def go_on_with(trainer: Trainer, part: Callable[[int], Game], recipe: Recipe) -> None:
    """Change the settings of a game between two rounds. Raises SparringError where it could not be played."""
    game = trainer.game
    game.objective, game.tricks = recipe.objective, recipe.tricks
    game.moves, game.batch, game.rounds = recipe.round, recipe.batch, recipe.rounds
    game.players["G"].optimizer = recipe.generator_optimizer
    game.players["D"].optimizer = recipe.discriminator_optimizer
    trainer.recipe = recipe
    about = trainer.run.about
    if about.get("compiled"):
        how = plan(game, True, recipe.id, part, about.get("group") or game.G.size, expected_progress)
        trainer.play_to = how.play_to
