"""From a recipe to a game: its networks are built and tried out. Also: a game's state, saved and restored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sparring.datasets._clusters import in_clusters
from sparring.errors import SparringError, in_one_line
from sparring.game.checks import check_examples_are_independent, normalizes_batches, single_examples
from sparring.game.game import Game, Player
from sparring.game.own_networks import Fitted, batch_of, fitted
from sparring.game.population import Population
from sparring.game.runtime import idle_cores, preserving_torch_rng
from sparring.game.world import ALONE, World
from sparring.networks import Network, Shape
from sparring.networks.layers import ClassEmbedding, Conditional, Projection, SpectralNorm
from sparring.optimizers import Memory
from sparring.recipe import Recipe
from sparring.rng import RandomStreams

EMBEDDING = 32
"""Size of the vector that a class-conditional generator learns for each class."""
AVERAGED = "G.averaged."
"""Prefix of the names of G's averaged weights in a checkpoint, where a trick averages them."""
STEP_WORK = 8
"""The cost of one weight's gradient accumulation and optimizer step, in examples."""
WORK_PER_THREAD = 5_000_000
"""Weights x examples per round that keep one thread busy."""
MEMBERS_PER_THREAD = 256
"""Members that keep one thread busy, however small their networks are: the optimizer touches every weight."""


def game_of(
    recipe: Recipe,
    source: Any,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    world: World = ALONE,
) -> Game:
    """The game that a recipe describes, before its first round.

    Args:
        recipe: The recipe.
        source: Where real examples are drawn from; `recipe.data.open(...)` makes one.
        device: Where networks and data live.
        dtype: Of the weights.
        world: This process among those that share every batch.

    Raises:
        UsageError: Parts of the recipe do not fit together, or processes cannot share its batches.
        SparringError: A network cannot be built for the recipe's latent vectors and examples.
    """
    if recipe.clusters:
        source = in_clusters(source, recipe.clusters)
    rng = RandomStreams(recipe.seeds, device, dtype)
    init_rng = RandomStreams(recipe.seeds)

    def player(make: Callable[[], nn.Module], optimizer: Any, who: str) -> Player:
        for_layers, sharing = rng.share(world.rank, world.size).for_layers(who), world if world.size > 1 else None
        if sharing:
            check_examples_are_independent(make, recipe, who)
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
        per_member=recipe.per_member,
    )


def part_of(recipe: Recipe, source: Any, device: str | torch.device = "cpu") -> Callable[[int], Game]:
    """A function that makes the same game with only so many members, the first ones."""
    return lambda members: game_of(recipe.select(range(members)), source, device)


def precision_of(recipe: Recipe, dtype: torch.dtype = torch.float32) -> torch.dtype:
    """The compute precision of networks with weights of `dtype`: the recipe's for float32, otherwise `dtype` itself."""
    return getattr(torch, recipe.precision) if dtype == torch.float32 else dtype


def maker_of_generators(recipe: Recipe) -> Callable[[], nn.Module]:
    """A function that makes one generator: `(B, latent size)` -> `(B, *shape)`.

    A class-conditional generator takes `(B, latent size + classes)`: latent vectors with one-hot classes appended. A
    built-in network learns a vector of size EMBEDDING for each class, which takes the one-hot vector's place; where the
    network cannot take more inputs than the latent vector has, the class's vector is added to the latent vector.
    """
    latent, shape, classes = recipe.latent.size, recipe.data.shape, recipe.classes
    if not classes or not isinstance(recipe.generator, Network):
        return maker(recipe.generator, "generator", (latent + classes,), shape, classes)
    width = EMBEDDING
    try:
        make = maker(recipe.generator, "generator", (latent + width,), shape)
    except SparringError:
        width = 0
        make = maker(recipe.generator, "generator", (latent,), shape)
    return lambda: nn.Sequential(ClassEmbedding(latent, classes, width), make())


def maker_of_discriminators(recipe: Recipe) -> Callable[[], nn.Module]:
    """A function that makes one discriminator: examples, as tricks augment them, -> scores `(B,)`.

    A class-conditional discriminator takes one-hot classes `(B, classes)` as a second input.

    Raises:
        SparringError: A built-in network of a class-conditional game does not end in one linear layer.
    """
    shape, classes = recipe.data.shape, recipe.classes
    for trick in recipe.tricks:
        shape = trick.shape(shape)
    if not classes or not isinstance(recipe.discriminator, Network):
        return maker(recipe.discriminator, "discriminator", shape, (), classes)
    make = maker(recipe.discriminator, "discriminator", shape, ())

    def projecting() -> nn.Module:
        network = make()
        *body, score, _ = network if isinstance(network, nn.Sequential) and len(network) > 1 else (None, None)
        plain = score.layer if isinstance(score, SpectralNorm) else score
        if not isinstance(score, nn.Linear | SpectralNorm) or not isinstance(plain, nn.Linear):
            name = type(recipe.discriminator).__name__
            raise SparringError(
                f"D can't be class-conditional: {name} does not end in a linear layer; choose another "
                "discriminator, or train without classes"
            )
        return Conditional(*body, Projection(score, classes))

    return projecting


def maker(part: Any, who: str, takes: Shape, gives: Shape, classes: int = 0) -> Callable[[], nn.Module]:
    """A function that makes one network, after trying out that its shapes fit.

    Args:
        part: A built-in network, or a user's own: a module class, a function that returns a module, or a module.
        who: `generator` or `discriminator`.
        takes: Shape of one input.
        gives: Shape of one output, `()` for a score.
        classes: If not 0, training is class-conditional and the network a user's own; see `own_networks.fitted`.

    Raises:
        SparringError: The network cannot be built, or does not map `(B, *takes)` to `(B, *gives)`.
    """
    if not isinstance(part, Network):
        return fitted(part, who, takes, gives, classes)

    def make() -> nn.Module:
        return part.build(takes, gives)

    name = type(part).__name__
    try:
        with preserving_torch_rng(), torch.no_grad():
            shape = tuple(make()(torch.zeros(2, *takes)).shape)
    except Exception as error:
        raise SparringError(f"{name} cannot be made: {in_one_line(error)}") from error
    if shape != (2, *gives):
        raise SparringError(f"{name} must return {batch_of(gives)}, and returns {batch_of(shape[1:])}")
    return make


def notes_on(recipe: Recipe) -> list[str]:
    """A line each: what was done to fit a user's own networks, what a batch of one does, and who will not learn."""
    makers = {"generator": maker_of_generators(recipe), "discriminator": maker_of_discriminators(recipe)}
    notes = [note for make in makers.values() if isinstance(make, Fitted) for note in make.notes]
    if single_examples(recipe):
        with preserving_torch_rng():
            alone = [who for who, make in makers.items() if normalizes_batches(make())]
        if alone:
            notes.append(f"batch normalization of the {' and the '.join(alone)} sees single examples, one at a time")
    rates = {who: getattr(getattr(recipe, f"{who}_optimizer"), "lr", None) for who in makers}
    still = [who for who, lr in rates.items() if lr == 0 and f"{who}_optimizer.lr" not in recipe.per_member]
    if still:
        notes.append(f"with a learning rate of 0 the {' and the '.join(still)} will not learn")
    return notes


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
    state |= game.numbers.state()
    averaged = game.averaged()
    if averaged is not None:
        state |= {f"{AVERAGED}{name}": tensor for name, tensor in game.G.named(averaged).items()}
    return {name: tensor.detach().cpu().numpy() for name, tensor in state.items()}


def _named(prefix: str, memory: Memory) -> dict[str, Tensor]:
    """A memory's tensors under the names that they have in a checkpoint."""
    return {f"{prefix}.{kind}.{k}": tensor for kind, tensors in memory.items() for k, tensor in enumerate(tensors)}


def restore(game: Game, round: int, state: dict[str, np.ndarray]) -> None:
    """Put a game into the state that `state_of` returned after `round` rounds."""
    game.numbers.restore(state)
    for who, player in game.players.items():
        player.networks.load(weights_of(state, who))
        player.spare = _spare(player, who, state)
        _restore(_named(f"{who}.memory", player.memory), state)
    for index, memory in enumerate(game.memories):
        _restore(_named(f"trick.{index}", memory), state)
    game.round = round


def _spare(player: Player, who: str, state: dict[str, np.ndarray]) -> dict[str, list[Tensor]]:
    """What a checkpoint has of the optimizer's memory and its settings do not need, as they are."""
    prefix = f"{who}.memory."
    kinds = {name.removeprefix(prefix).partition(".")[0] for name in state if name.startswith(prefix)}
    return {
        kind: [
            torch.from_numpy(state[f"{prefix}{kind}.{k}"]).to(p, copy=True).view_as(p)
            for k, p in enumerate(player.networks.parameters)
        ]
        for kind in sorted(kinds - set(player.memory))
    }


def _restore(tensors: dict[str, Tensor], state: dict[str, np.ndarray]) -> None:
    for name, tensor in tensors.items():
        tensor.copy_(torch.from_numpy(state[name]).view_as(tensor))


def weights_of(state: dict[str, np.ndarray], who: str) -> dict[str, Tensor]:
    """One player's weights and buffers, each `(P, ...)`, from a checkpoint."""
    return {
        name.removeprefix(f"{who}."): torch.from_numpy(array)
        for name, array in state.items()
        if name.startswith(f"{who}.") and not name.startswith((f"{who}.memory.", AVERAGED))
    }


def sampling_weights(state: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """G's weights and buffers from a checkpoint; its averaged weights where a trick averaged them."""
    averaged = {n.removeprefix(AVERAGED): torch.from_numpy(a) for n, a in state.items() if n.startswith(AVERAGED)}
    return weights_of(state, "G") | averaged


def threads_for(recipe: Recipe) -> int:
    """How many threads to train `recipe` with: as many as its work keeps busy, on cores that are idle now.

    Threads that share a core with other work wait for one another, and two are then slower than one.
    """
    with preserving_torch_rng():
        networks = maker_of_generators(recipe)(), maker_of_discriminators(recipe)()
    weights = sum(p.numel() for network in networks for p in network.parameters())
    work = weights * (recipe.batch + STEP_WORK) * len(recipe.seeds)
    busy = max(work // WORK_PER_THREAD, len(recipe.seeds) // MEMBERS_PER_THREAD)
    return max(1, min(busy, idle_cores()))
