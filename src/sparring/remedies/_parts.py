"""Parts of a recipe as plain data, as remedies ask for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sparring import catalogue
from sparring.remedies import Plain

PLAYERS = ("generator", "discriminator")
D_STEPS = {"d_sees_real": 0.5, "d_sees_fake": 0.5, "d_sees_both": 1.0, "d_sees_mixture": 1.0}
"""Steps of D, each on real and on generated examples."""
MODERN = ["d_sees_both", "g_fools_d"]


def leaf(name: str, **fields: Any) -> dict[str, Any]:
    """A leaf of the catalogue."""
    return {"is": name, **fields}


def kind(part: Any) -> str:
    """The catalogue's name of a part; empty for a user's own."""
    return str(part.get("is", "")) if isinstance(part, dict) else ""


def field(shelf: str, part: Plain, name: str) -> Any:
    """A field of a leaf, or its default."""
    return part.get(name, catalogue.defaults(shelf, kind(part)).get(name) if kind(part) else None)


def rate(optimizer: Plain) -> float | None:
    """The learning rate; None where there is none to be seen."""
    held = field("optimizers", optimizer, "lr")
    return float(held) if isinstance(held, int | float) else None


def with_rate(recipe: Plain, player: str, times: float) -> dict[str, Any]:
    """One player's optimizer at another rate."""
    name = f"{player}_optimizer"
    held = rate(recipe[name])
    return {name: {**recipe[name], "lr": float(f"{held * times:.3g}")}} if held else {}


def shape(recipe: Plain) -> Sequence[int]:
    """Of one example; empty where the recipe does not tell."""
    data = recipe["data"]
    if kind(data) == "folder" and data.get("size"):
        return (3, int(data["size"]), int(data["size"]))
    told = catalogue.defaults("datasets", kind(data)).get("shape") if kind(data) else None
    return tuple(told) if told else ()


def are_images(recipe: Plain) -> bool:
    """Whether examples are images, as far as the recipe tells; those of a user's own data may be."""
    return len(shape(recipe)) == 3 or kind(recipe["data"]) == "folder"


def numbers(recipe: Plain) -> int:
    """In one example; 0 where the recipe does not tell."""
    return math.prod(shape(recipe)) if shape(recipe) else 0


def steepness(recipe: Plain) -> float:
    """Gamma for a penalty on D's slope: small for points, whose modes lie close, and one for images."""
    return 1.0 if are_images(recipe) or not numbers(recipe) else 0.02


def without(recipe: Plain, *names: str) -> list[Any]:
    """The recipe's tricks but for these."""
    return [trick for trick in recipe["tricks"] if kind(trick) not in names]


def d_sees_both(recipe: Plain) -> list[Any]:
    """The recipe's round, with D's two halves in one step: some tricks and objectives compare them."""
    moves = list(recipe["round"])
    if "d_sees_both" in moves or not all(isinstance(move, str) for move in moves):
        return moves
    steps = max(1, round(sum(D_STEPS.get(move, 0) for move in moves)))
    return ["d_sees_both"] * steps + ["g_fools_d"] * moves.count("g_fools_d")
