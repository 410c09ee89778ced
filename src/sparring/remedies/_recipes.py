"""What several remedies ask of a recipe, and changes that several of them make."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, Literal

from sparring import catalogue
from sparring.datasets import Dataset
from sparring.datasets.folder import Folder
from sparring.networks.fully_connected import FullyConnected
from sparring.networks.r3gan import R3GANGenerator
from sparring.recipe import OwnPart, Recipe

PLAYERS = ("generator", "discriminator")
D_STEPS = {"d_sees_real": 0.5, "d_sees_fake": 0.5, "d_sees_both": 1.0, "d_sees_mixture": 1.0}
"""How many steps of D, each on real and on generated examples, a move is."""


def is_own(part: Any) -> bool:
    """Whether a part of a recipe is a user's own: of what it does nothing is known."""
    return catalogue.name_of(type(part)) is None


def lr(optimizer: Any) -> float | None:
    """The learning rate; None where there is none, or the optimizer is a user's own."""
    rate = None if is_own(optimizer) else getattr(optimizer, "lr", None)
    return float(rate) if isinstance(rate, int | float) else None


def scaled_lr(recipe: Recipe, player: str, factor: float) -> dict[str, Any]:
    """One player's optimizer with its learning rate multiplied by a factor."""
    name = f"{player}_optimizer"
    optimizer = getattr(recipe, name)
    rate = lr(optimizer)
    return {name: dataclasses.replace(optimizer, lr=float(f"{rate * factor:.3g}"))} if rate else {}


def shape(recipe: Recipe) -> tuple[int, ...]:
    """Of one example; empty where only opening the data could tell."""
    data: Dataset | OwnPart = recipe.data
    if isinstance(data, Folder):
        return (3, data.size, data.size) if data.size else ()
    return () if isinstance(data, OwnPart) else tuple(data.shape)


def has_images(recipe: Recipe) -> bool:
    """Whether examples are images, as far as is known without opening the data."""
    return len(shape(recipe)) == 3 or isinstance(recipe.data, Folder)


def example_size(recipe: Recipe) -> int:
    """How many numbers one example has; 0 where that is not known."""
    return math.prod(shape(recipe)) if shape(recipe) else 0


def penalty_weight(recipe: Recipe) -> float:
    """Gamma of a penalty on D's gradient: small for points, whose modes lie close together, and 1 for images."""
    return 1.0 if has_images(recipe) or not example_size(recipe) else 0.02


def has_trick(recipe: Recipe, *kinds: type) -> bool:
    """Whether the recipe has a trick of one of these kinds."""
    return any(isinstance(trick, kinds) for trick in recipe.tricks)


def move_names(recipe: Recipe) -> list[str]:
    """The names of the moves of a round; empty where one of them is a user's own."""
    names = [None if isinstance(move, OwnPart) else catalogue.name_of(move) for move in recipe.round]
    return [name for name in names if name] if all(names) else []


def moves(*names: str) -> tuple[Callable[[Any], None], ...]:
    """Moves of the catalogue by their names."""
    return tuple(catalogue.find("moves", name) for name in names)


def one_step_each() -> tuple[Callable[[Any], None], ...]:
    """A round of one step of D, on both kinds of examples together, and one step of G."""
    return moves("d_sees_both", "g_fools_d")


def d_sees_both(recipe: Recipe) -> tuple[Callable[[Any], None], ...]:
    """The recipe's round with real and generated examples in one step of D, which some tricks and objectives need."""
    names = move_names(recipe)
    if not names or "d_sees_both" in names:
        return recipe.round
    steps = max(1, round(sum(D_STEPS.get(name, 0) for name in names)))
    return moves(*["d_sees_both"] * steps, *["g_fools_d"] * names.count("g_fools_d"))


def with_span(recipe: Recipe, span: tuple[float, float]) -> dict[str, Any]:
    """The data scaled to a span; empty where it has it already, or is not scaled by a span at all."""
    data: Any = recipe.data
    if is_own(data) or all(field.name != "span" for field in dataclasses.fields(data)) or tuple(data.span) == span:
        return {}
    return {"data": dataclasses.replace(data, span=span)}


def without_output_activation(recipe: Recipe, player: str) -> dict[str, Any]:
    """A built-in network without its last sigmoid or tanh; empty where it has none or cannot do without."""
    network: Any = getattr(recipe, player)
    if not isinstance(network, FullyConnected | R3GANGenerator) or network.output == "none":
        return {}
    return {player: dataclasses.replace(network, output="none")}


def output_for(recipe: Recipe) -> Literal["sigmoid", "tanh", "none"]:
    """The output activation of a G for data of the recipe's span."""
    span = recipe.data.fields.get("span") if isinstance(recipe.data, OwnPart) else recipe.data.span
    known: dict[tuple[float, float], Literal["sigmoid", "tanh"]] = {(0.0, 1.0): "sigmoid", (-1.0, 1.0): "tanh"}
    low, high = span or (0.0, 1.0)
    return known.get((low, high), "none")
