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
"""How many dimensions, evenly spread, a sweep changes where neither the user nor the recipe names them."""


def generators_and_latents(
    run: Path, z_seeds: Sequence[int], seeds: Sequence[int] | None = None, source: Path | None = None
) -> tuple[Recipe, Callable[[Tensor], Tensor], Tensor]:
    """A run's recipe, its generators as one function, and latent vectors `(P, N, size)`; see `explorable`, `latents`.

    Raises:
        SparringError: The folder holds no run, or no checkpoint yet.
        UsageError: The run has no member of such a seed, or a z seed lies outside its range.
    """
    from sparring.analysis.generators import explorable, latents

    recipe, G = explorable(run, source, seeds)
    return recipe, G, latents(recipe, z_seeds)


def generated(G: Callable[[Tensor], Tensor], z: Tensor) -> np.ndarray:
    """Latent vectors `(P, ..., size)` -> examples `(P, ..., *shape)`, float32."""
    examples = G(z.flatten(1, -2))
    return examples.reshape(*z.shape[:-1], *examples.shape[2:]).float().cpu().numpy()


def default_dims(recipe: Recipe) -> Sequence[int]:
    """Dimensions, from 1, that the recipe names for a sweep, if its latent vector still has them; else a few of all."""
    card = catalogue.entries("recipes").get(recipe.name)
    named = card.facts.get("sweep", ()) if card else ()
    size = recipe.latent.size
    if named and max(named) <= size:
        return named
    count = min(DEFAULT_DIMS, size)
    return [1 + round(k * (size - 1) / max(count - 1, 1)) for k in range(count)]


def checked_dims(recipe: Recipe, dims: Sequence[int]) -> Sequence[int]:
    """`dims`, counted from 1. Raises UsageError for one that a latent vector does not have."""
    size = recipe.latent.size
    for dim in dims:
        if not 1 <= dim <= size:
            raise UsageError(f"--dims: there is no dimension {dim} in a latent vector of {size}; they count from 1")
    return dims
