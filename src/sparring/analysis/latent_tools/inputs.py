"""What the latent tools start from: a run's generators, its latent vectors, and the dimensions to change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sparring import catalogue
from sparring.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from sparring.recipe import Recipe

DEFAULT_DIMS = 5
"""How many dimensions a sweep changes where neither the user nor the recipe names them."""
BASE_VECTORS = 16
"""Latent vectors that the strongest dimensions are found with: enough to rank them, in a few seconds."""


def generators_and_latents(
    run: Path, z_seeds: Sequence[int], seeds: Sequence[int] | None = None, source: Path | None = None
) -> tuple[Recipe, Callable[[Tensor], Tensor], Tensor]:
    """A run's recipe, its generators as one function, and latent vectors `(P, N, size)`; see `explorable`, `latents`.

    Raises:
        SparringError: The folder holds no run, or no checkpoint yet.
        UsageError: The run has no member of such a seed, or a z seed lies outside its range.
    """
    from sparring.analysis.generators import explorable, latents

    recipe, G = explorable(run, source=source, seeds=seeds)
    return recipe, G, latents(recipe, z_seeds)


def generated(G: Callable[[Tensor], Tensor], z: Tensor) -> np.ndarray:
    """Latent vectors `(P, ..., size)` -> examples `(P, ..., *shape)`, float32."""
    examples = G(z.flatten(1, -2))
    return examples.reshape(*z.shape[:-1], *examples.shape[2:]).float().cpu().numpy()


def default_dims(recipe: Recipe, G: Callable[[Tensor], Tensor]) -> list[list[int]]:
    """Dimensions, from 1, for each member to sweep: those that the recipe names, else the member's strongest."""
    from sparring.analysis.generators import latents
    from sparring.analysis.latent_tools.influence import influence

    if named := named_dims(recipe):
        return [named] * len(recipe.seeds)
    found = influence(G, latents(recipe, range(BASE_VECTORS)), *recipe.latent.reach, recipe.latent.size)
    return (found.order[:, :DEFAULT_DIMS] + 1).tolist()


def named_dims(recipe: Recipe) -> list[int]:
    """Dimensions, from 1, that the recipe itself names, if its latent vectors have them."""
    card = catalogue.entries("recipes").get(recipe.name)
    named = list(card.facts.get("sweep", ())) if card else []
    return named if named and max(named) <= recipe.latent.size else []


def checked_dims(recipe: Recipe, dims: Sequence[int]) -> Sequence[int]:
    """`dims`, counted from 1. Raises UsageError for one that a latent vector does not have."""
    size = recipe.latent.size
    for dim in dims:
        if not 1 <= dim <= size:
            raise UsageError(f"--dims: there is no dimension {dim} in a latent vector of {size}; they count from 1")
    return dims
