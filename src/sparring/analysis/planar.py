"""Whether a run's examples are points in the plane, or nearly, so that all of its game can be drawn. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparring import catalogue
from sparring.errors import SparringError
from sparring.networks.fully_connected import FullyConnected
from sparring.recipe import Recipe

PLANES = "planes"
"""The folder of pictures that were drawn while a run trained and somebody watched, in its folder."""
MAX_NUMBERS = 4
"""Numbers of an example, of which the first two are drawn."""
MAX_SHOWN = 16
"""Members that are drawn."""
MAX_MEMBERS, MAX_UNITS, MAX_LAYERS = 64, 512, 8
"""A game with more members, or larger networks, takes too long to draw: a stranger's recipe may say anything."""


def why_not(plain: Mapping[str, Any]) -> str:
    """The key of the sentence that says why a run cannot be drawn; empty for one that can.

    Args:
        plain: Its recipe, as plain data. No file of it is opened.
    """
    if plain.get("origin"):
        return "no-plane-own"
    try:
        recipe = Recipe.from_dict(plain)
        shape = recipe.data.shape if not getattr(recipe.data, "path", "") else getattr(recipe.data, "found_shape", ())
    except SparringError:
        return "no-plane-own"
    if len(shape) != 1 or not 2 <= shape[0] <= MAX_NUMBERS or recipe.classes:
        return "no-plane"
    if any(trick.shape(shape) != shape for trick in recipe.tricks):
        return "no-plane"
    return "" if all(map(_is_small, (recipe.generator, recipe.discriminator))) and _few(recipe) else "no-plane-large"


def _is_small(network: Any) -> bool:
    known = catalogue.name_of(type(network)) is not None and isinstance(network, FullyConnected)
    return known and len(network.hidden) <= MAX_LAYERS and all(units <= MAX_UNITS for units in network.hidden)


def _few(recipe: Recipe) -> bool:
    return len(recipe.seeds) <= MAX_MEMBERS


def plane_file(folder: Path, round: int) -> Path:
    """The file of the picture of a round."""
    return folder / PLANES / f"round-{round:09d}.safetensors"


def planes_drawn(folder: Path) -> list[int]:
    """The rounds of which there are pictures, in order."""
    return sorted(int(path.stem[6:]) for path in (folder / PLANES).glob(f"round-{'[0-9]' * 9}.safetensors"))


def data_file(plain: Mapping[str, Any]) -> Path | None:
    """The file that a run's data come from; None where they come from a formula."""
    path = (plain.get("data") or {}).get("path")
    return Path(path) if path else None
