"""A recipe with parts of a user's own is tried before its run begins: its networks side by side, then a round."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from sparring import catalogue
from sparring.errors import SparringError, UsageError, in_one_line, is_cell, users_frame
from sparring.game.assembly import maker_of_discriminators, maker_of_generators
from sparring.game.checks import single_examples
from sparring.game.game import Game
from sparring.game.moves import d_sees_mixture
from sparring.game.population import Population
from sparring.game.runtime import preserving_torch_rng
from sparring.networks import Network, Shape
from sparring.recipe import Recipe

EXAMPLES = 3
"""With so many, networks side by side are compared with one alone."""
MAX_DISTANCE = 0.05
"""How far the two may be apart, as a share of the norm: far more than rounding comes to on any device."""
Learned = dict[str, torch.Tensor]
"""A network's output, under an empty name, and its gradients by name."""


def check_first_round(game: Game, recipe: Recipe) -> None:
    """Raises SparringError where a first round would fail, or train something else, in one line.

    The game is left as it was. It is tried with a user's own networks, moves or data, of which nothing is known, and
    where batch normalization meets a single example.
    """
    names = [name for player in game.players.values() for name in player.networks.state()]
    normalizes = any(name.endswith("running_mean") for name in names)
    if not (_has_own_parts(recipe) or (normalizes and single_examples(recipe, game.world.size))):
        return
    try:
        with game.preserving_state():
            _check_networks(game, recipe)
            game.play()
    except SparringError:
        raise
    except Exception as error:
        if "more than 1 value per channel" in str(error):
            why = f"batch={recipe.batch}" if game.batch // game.world.size == 1 else d_sees_mixture.__name__
            raise UsageError(
                f"batch normalization needs at least 2 examples at a time, and with {why} it gets 1: take a larger "
                "batch (or another round), or normalize otherwise (nn.LayerNorm, nn.InstanceNorm2d)"
            ) from error
        raise SparringError(f"the first round fails{_place_of(error)}: {in_one_line(error)}") from error


def _check_networks(game: Game, recipe: Recipe) -> None:
    """Raises UsageError for a user's own network that, as a member, does not compute and learn as it does alone."""
    shape = recipe.data.shape
    for trick in recipe.tricks:
        shape = trick.shape(shape)
    if not isinstance(recipe.generator, Network):
        _check_alike(game.G, maker_of_generators(recipe), "generator", (recipe.latent.size + recipe.classes,), 0)
    if not isinstance(recipe.discriminator, Network):
        networks = game.players["D"].networks
        _check_alike(networks, maker_of_discriminators(recipe), "discriminator", shape, recipe.classes)


def _check_alike(networks: Population, make: Callable[[], nn.Module], who: str, takes: Shape, classes: int) -> None:
    weight = networks.parameters[0]
    if networks.precision != weight.dtype:
        return  # what is rounded to a few digits cannot be compared
    with preserving_torch_rng():
        torch.manual_seed(0)
        inputs = [torch.randn(networks.size, EXAMPLES, *takes)]
        if classes:
            hot = nn.functional.one_hot(torch.arange(EXAMPLES) % classes, classes).float()
            inputs.append(hot.expand(networks.size, EXAMPLES, classes))
        inputs = [each.to(weight) for each in inputs]
        alone = make().to(weight).eval()
        alone.load_state_dict({name: tensor[-1].clone() for name, tensor in networks.state().items()})
        networks.train(False)
        try:
            if _is_random(networks, inputs):
                return
            mine = _learned(alone, [each[-1] for each in inputs])
            try:
                theirs = _learned_side_by_side(networks, inputs)
            except RuntimeError as error:
                # A gradient may need what is gone once all seeds were called at once, as checkpointing does.
                if not networks.run_seed_by_seed(error):
                    raise
                theirs = _learned_side_by_side(networks, inputs)
        finally:
            networks.train(True)
    if any(_far(mine[name], theirs[name]) for name in mine):
        several = networks.size > 1
        why = "computes again for its gradient, as torch.utils.checkpoint does, or " if several else ""
        mend = ", or train with seeds=1" if several else ""
        raise UsageError(
            f"the {who} does not learn as it does by itself: it {why}reads weights otherwise than as attributes of its "
            f"modules, from a list say; use nn.ParameterList or nn.ModuleList{mend}"
        )


def _is_random(networks: Population, inputs: list[torch.Tensor]) -> bool:
    """Whether two calls give two results, in evaluation mode."""
    with torch.no_grad():
        return not torch.equal(networks(*inputs), networks(*inputs))


def _learned(module: nn.Module, inputs: list[torch.Tensor]) -> Learned:
    output = module(*inputs)
    trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(output.square().mean(), list(trained.values()), materialize_grads=True)
    return {"": output.detach(), **dict(zip(trained, gradients, strict=True))}


def _learned_side_by_side(networks: Population, inputs: list[torch.Tensor]) -> Learned:
    """The same of the last member among all."""
    output = networks(*inputs)
    total = output.square().flatten(1).mean(1).sum()
    gradients = torch.autograd.grad(total, networks.parameters, materialize_grads=True)
    return {"": output[-1].detach(), **{name: each[-1] for name, each in networks.named(gradients).items()}}


def _far(one: torch.Tensor, other: torch.Tensor) -> bool:
    return bool((one - other).norm() > MAX_DISTANCE * torch.maximum(one.norm(), other.norm()) + 1e-6)


def _has_own_parts(recipe: Recipe) -> bool:
    parts = (recipe.data, recipe.generator, recipe.discriminator, *recipe.round, *recipe.tricks, recipe.objective)
    return any(
        catalogue.name_of(part if inspect.isfunction(part) or inspect.isclass(part) else type(part)) is None
        for part in parts
    )


def _place_of(error: Exception) -> str:
    """The last line of the user's own code that an error passed through: ` at my_gan.py:12`."""
    frame = users_frame(error.__traceback__)
    if frame is None:
        return ""
    cell = is_cell(frame.filename)
    return f" in line {frame.lineno} of a cell" if cell else f" at {Path(frame.filename).name}:{frame.lineno}"
