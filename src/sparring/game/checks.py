"""What a game refuses before its first round, because its parts do not fit together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import nn

from sparring.errors import UsageError
from sparring.game.chain import is_chain
from sparring.game.moves import d_sees_fake, d_sees_mixture, d_sees_real
from sparring.game.runtime import preserving_torch_rng
from sparring.recipe import Recipe

if TYPE_CHECKING:
    from sparring.game.game import Game

BATCH_NORMALIZATION = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
FLOAT32, ALWAYS_FREE = 4, 2**28
"""Bytes of a number, and how many of memory need no question."""
SINGLE_SIDED = (d_sees_real, d_sees_fake, d_sees_mixture)
"""Moves in which D does not see a batch of real and a batch of generated examples in one step."""


def check_round(game: Game) -> None:
    """Raises UsageError where something needs real and generated examples in one step of D, and a move has only one."""
    moves = [move.__name__ for move in game.moves if move in SINGLE_SIDED]
    needing = [type(game.objective).__name__] if game.objective.relativistic else []
    needing += [type(trick).__name__ for trick in game.tricks if trick.joint_step]
    if d_sees_mixture in game.moves:
        needing += [type(t).__name__ for t in game.tricks if t.reshapes or "penalty" in t.hooks]
        needing += ["a class-conditional game"] if game.classes else []
    if moves and needing:
        raise UsageError(
            f"{needing[0]} needs real and fake examples side by side in one step of D, which {moves[0]} does not show "
            "it: use the round d_sees_both g_fools_d"
        )


def check_sharing(game: Game) -> None:
    """Raises UsageError where processes are to share every batch, and the batch or something in the game forbids it."""
    if game.world.size == 1:
        return
    if game.batch % game.world.size:
        raise UsageError(
            f"{game.world.size} processes cannot share a batch of {game.batch} evenly: take a batch that "
            f"{game.world.size} divides"
        )
    whole = [type(trick).__name__ for trick in game.tricks if trick.mixes_examples]
    whole += [d_sees_mixture.__name__] if d_sees_mixture in game.moves else []
    if whole:
        raise UsageError(f"{whole[0]} needs the whole batch in one process, so processes cannot share a batch with it")


def check_tricks(game: Game) -> None:
    """Raises UsageError for a trick that does not work with this batch, these classes or this optimizer."""
    for trick in game.tricks:
        trick.check(game.batch // game.world.size, game.classes)
    for who, player in game.players.items():
        for trick, now in game.tricks_at("step"):
            trick.step(player.optimizer, who, now)


def check_memory(game: Game) -> None:
    """Raises UsageError for a batch of which the outputs of all layers alone do not fit into memory.

    They stay there until the backward pass. Without this the system may end the process, and says nothing to anybody.
    """
    if game.rng.device.type != "cpu":  # others say so themselves
        return
    # The smaller of a layer's input and output: of an embedding one row is there, not the whole table.
    of_g, of_d = (
        sum(min(weight.shape[1:3]) for weight in player.networks.parameters if weight.dim() > 2)
        for player in (game.players["G"], game.players["D"])
    )
    batch = game.batch // game.world.size
    needed = FLOAT32 * game.G.size * batch * (game.latent.size + game.classes + of_g + 2 * of_d)
    if needed < ALWAYS_FREE:
        return
    from sparring.datasets.files.memory import as_size, available_memory

    free = available_memory()
    if needed > free:
        raise UsageError(
            f"a batch of {game.batch:,} takes at least {as_size(needed)} of memory, of which {as_size(free)} are free: "
            "take a smaller batch, or fewer seeds"
        )


def check_examples_are_independent(make: Callable[[], nn.Module], recipe: Recipe, who: str) -> None:
    """Raises UsageError for a user's own network whose output for one example depends on others of the batch.

    The layers of a chain know how to ask for the whole batch. Any other network is called on a batch and on half of it.
    """
    with preserving_torch_rng(), torch.no_grad():
        network = make()
        if is_chain(network):
            return
        shape = (recipe.latent.size + recipe.classes,) if who == "G" else recipe.data.shape
        for trick in recipe.tricks if who == "D" else ():
            shape = trick.shape(shape)
        inputs = [torch.randn(4, *shape)]
        if who == "D" and recipe.classes:
            inputs.append(nn.functional.one_hot(torch.arange(4) % recipe.classes, recipe.classes).float())
        whole, half = network(*inputs)[:2], network(*(each[:2] for each in inputs))
    if not torch.allclose(whole, half, rtol=1e-4, atol=1e-6):
        raise UsageError(
            f"{who}'s network does not treat every example by itself (batch normalization or dropout of a user's own "
            "module does not), so processes cannot share a batch: train with as many seeds as processes instead"
        )


def single_examples(recipe: Recipe, processes: int = 1) -> bool:
    """Whether some step gives a network a single example, as far as the recipe says."""
    return recipe.batch // processes <= 1 or d_sees_mixture in recipe.round


def normalizes_batches(network: nn.Module) -> bool:
    """Whether it has batch normalization, which makes the examples of a batch depend on each other."""
    return any(isinstance(layer, BATCH_NORMALIZATION) for layer in network.modules())
