"""From a recipe to a game: networks are made and tried, members born, the work weighed; a game's state, out and in."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sparring.errors import SparringError, UsageError, in_one_line
from sparring.game.chain import is_chain
from sparring.game.game import Game, Player
from sparring.game.population import Population
from sparring.game.runtime import preserving_torch_rng
from sparring.game.world import ALONE, World
from sparring.networks import Network, Shape
from sparring.networks.layers import ClassEmbedding, Conditional, Flattened, Projection, SpectralNorm
from sparring.optimizers import Memory
from sparring.recipe import Recipe
from sparring.rng import RandomStreams

EMBEDDING = 32
"""Numbers that a generator learns for each class it may be told."""
AVERAGED = "G.averaged."
"""Before the names of the weights that G's examples are made with, in a checkpoint, where they are not its own."""


def game_of(
    recipe: Recipe,
    source: Any,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    world: World = ALONE,
) -> Game:
    """The game that a recipe describes, before its first round; in a world of several, this process's view of it."""
    rng = RandomStreams(recipe.seeds, device, dtype)
    init_rng = RandomStreams(recipe.seeds)

    def player(make: Callable[[], nn.Module], optimizer: Any, who: str) -> Player:
        for_layers, sharing = rng.share(world.rank, world.size).for_layers(who), world if world.size > 1 else None
        if sharing:
            _refuse_to_share(make, recipe, who)
        networks = Population(
            make, init_rng.torch_seeds(who), for_layers, device, dtype, sharing, precision_of(recipe, dtype)
        )
        return Player(networks, optimizer)

    return Game(
        players={
            "G": player(maker_of_generators(recipe), recipe.generator_optimizer, "G"),
            "D": player(maker_of_discriminators(recipe), recipe.discriminator_optimizer, "D"),
        },
        objective=recipe.objective,
        source=source,
        latent=recipe.latent,
        rng=rng,
        moves=recipe.round,
        batch=recipe.batch,
        rounds=recipe.rounds,
        tricks=recipe.tricks,
        classes=recipe.classes,
        world=world,
    )


def part_of(recipe: Recipe, source: Any, device: str | torch.device = "cpu") -> Callable[[int], Game]:
    """Makes the same game of so many of its members, the first."""
    return lambda members: game_of(recipe.replace(seeds=recipe.seeds[:members]), source, device)


def precision_of(recipe: Recipe, dtype: torch.dtype = torch.float32) -> torch.dtype:
    """What networks reckon in whose weights are `dtype`: as the recipe says of float32, else in that."""
    return getattr(torch, recipe.precision) if dtype == torch.float32 else dtype


def _refuse_to_share(make: Callable[[], nn.Module], recipe: Recipe, who: str) -> None:
    """Raises UsageError for a user's own network that does not treat every example by itself.

    Layers of a chain know how to ask for the whole batch; what others do is found out by showing them part of one.
    """
    with preserving_torch_rng(), torch.no_grad():
        network = make()
        if is_chain(network):
            return
        shape = (recipe.latent.size + recipe.classes,) if who == "G" else recipe.data.shape
        for trick in recipe.tricks if who == "D" else ():
            shape = trick.shape(shape)
        shown = [torch.randn(4, *shape)]
        if who == "D" and recipe.classes:
            shown.append(torch.nn.functional.one_hot(torch.arange(4) % recipe.classes, recipe.classes).float())
        together, apart = network(*shown)[:2], network(*(each[:2] for each in shown))
    if not torch.allclose(together, apart, rtol=1e-4, atol=1e-6):
        raise UsageError(
            f"{who}'s network does not treat every example by itself (batch normalization or dropout of a user's own "
            "module does not), so processes cannot share a batch: train with as many seeds as processes instead"
        )


def maker_of_generators(recipe: Recipe) -> Callable[[], nn.Module]:
    """A function that makes one generator: `(B, latent size)`, with one-hot classes behind it if told, -> examples.

    A network leaf learns EMBEDDING numbers for each class, which stand behind the latent vector; of one that takes no
    more numbers than the latent vector has, they are added to it.
    """
    latent, shape, classes = recipe.latent.size, recipe.data.shape, recipe.classes
    if not classes or not isinstance(recipe.generator, Network):
        return maker(recipe.generator, (latent + classes,), shape)
    width = EMBEDDING
    try:
        make = maker(recipe.generator, (latent + width,), shape)
    except SparringError:
        width = 0
        make = maker(recipe.generator, (latent,), shape)
    return lambda: nn.Sequential(ClassEmbedding(latent, classes, width), make())


def maker_of_discriminators(recipe: Recipe) -> Callable[[], nn.Module]:
    """A function that makes one discriminator: examples, as the tricks let it see them, and classes if told, -> scores.

    Raises SparringError for a network leaf that does not end in one linear layer, where classes are to be told.
    """
    shape, classes = recipe.data.shape, recipe.classes
    for trick in recipe.tricks:
        shape = trick.shape(shape)
    if not classes:
        return maker(recipe.discriminator, shape, ())
    if not isinstance(recipe.discriminator, Network):
        return maker(recipe.discriminator, shape, (), classes)
    make = maker(recipe.discriminator, shape, ())

    def projecting() -> nn.Module:
        network = make()
        *body, score, _ = network if isinstance(network, nn.Sequential) and len(network) > 1 else (None, None)
        plain = score.layer if isinstance(score, SpectralNorm) else score
        if not isinstance(score, nn.Linear | SpectralNorm) or not isinstance(plain, nn.Linear):
            raise SparringError(f"{type(recipe.discriminator).__name__} cannot be told classes: its end is not linear")
        return Conditional(*body, Projection(score, classes))

    return projecting


def maker(part: Any, takes: Shape, gives: Shape, classes: int = 0) -> Callable[[], nn.Module]:
    """A function that makes one network from a leaf, a module class, a function or a module.

    Raises SparringError when what it makes does not map `(B, *takes)` to `(B, *gives)`; a score may also be `(B, 1)`.
    With `classes` it is given one-hot classes `(B, classes)` as well.
    """

    def make() -> nn.Module:
        if isinstance(part, Network):
            return part.build(takes, gives)
        made = _reborn(part) if isinstance(part, nn.Module) else part()
        if not isinstance(made, nn.Module):
            raise SparringError(f"a network must be an nn.Module or make one; {part!r} made {type(made).__name__}")
        if gives:
            return made
        return Flattened(made) if classes else nn.Sequential(made, nn.Flatten(0))

    name = getattr(part, "__name__", type(part).__name__)
    with preserving_torch_rng(), torch.no_grad():
        try:
            network = make()
        except SparringError:
            raise
        except Exception as error:
            raise SparringError(f"{name} cannot be made: {in_one_line(error)}") from error
        try:
            told = (torch.zeros(2, classes),) if classes else ()
            given = tuple(network(torch.zeros(2, *takes), *told).shape)
        except Exception as error:
            raise SparringError(f"{name} does not take examples of shape {takes}: {in_one_line(error)}") from error
    if given != (2, *gives):
        wanted = f"(B, {', '.join(map(str, gives))})" if gives else "(B,) or (B, 1)"
        raise SparringError(f"{name} must give {wanted}; given two examples it gives {given}")
    return make


def _reborn(module: nn.Module) -> nn.Module:
    """A copy with fresh weights, for a user who gave a module rather than a way to make one."""
    fresh = copy.deepcopy(module)
    for layer in fresh.modules():
        reset = getattr(layer, "reset_parameters", None)
        if reset is not None:
            reset()
        elif any(True for _ in layer.parameters(recurse=False)):
            raise SparringError(
                f"{type(layer).__name__} has weights but no reset_parameters(), so members cannot differ; "
                "give the class, or a function that makes the network"
            )
    return fresh


def state_of(game: Game) -> dict[str, np.ndarray]:
    """All that a game needs to go on, `(P, ...)`: weights, buffers, and the memory of optimizers and tricks.

    Random streams need no state: they are a function of seed, round and purpose.
    """
    state: dict[str, Tensor] = {}
    for who, player in game.players.items():
        state |= {f"{who}.{name}": tensor for name, tensor in player.networks.state().items()}
        state |= _named(f"{who}.memory", player.memory)
    for index, memory in enumerate(game.memories):
        state |= _named(f"trick.{index}", memory)
    averaged = game.averaged()
    if averaged is not None:
        state |= {f"{AVERAGED}{name}": tensor for name, tensor in game.G.named(averaged).items()}
    return {name: tensor.detach().cpu().numpy() for name, tensor in state.items()}


def _named(prefix: str, memory: Memory) -> dict[str, Tensor]:
    """A memory's tensors under the names that they have in a checkpoint."""
    return {f"{prefix}.{kind}.{k}": tensor for kind, tensors in memory.items() for k, tensor in enumerate(tensors)}


def restore(game: Game, round: int, state: dict[str, np.ndarray]) -> None:
    """Put a game into the state that `state_of` returned after `round` rounds."""
    for who, player in game.players.items():
        player.networks.load(weights_of(state, who))
        _restore(_named(f"{who}.memory", player.memory), state)
    for index, memory in enumerate(game.memories):
        _restore(_named(f"trick.{index}", memory), state)
    game.round = round


def _restore(tensors: dict[str, Tensor], state: dict[str, np.ndarray]) -> None:
    for name, tensor in tensors.items():
        tensor.copy_(torch.from_numpy(state[name]).view_as(tensor))


def weights_of(state: dict[str, np.ndarray], who: str) -> dict[str, Tensor]:
    """One player's weights and buffers out of a checkpoint."""
    return {
        name.removeprefix(f"{who}."): torch.from_numpy(array)
        for name, array in state.items()
        if name.startswith(f"{who}.") and not name.startswith((f"{who}.memory.", AVERAGED))
    }


def weights_to_show(state: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """G's weights and buffers out of a checkpoint, averaged ones where a trick kept such."""
    averaged = {n.removeprefix(AVERAGED): torch.from_numpy(a) for n, a in state.items() if n.startswith(AVERAGED)}
    return weights_of(state, "G") | averaged
