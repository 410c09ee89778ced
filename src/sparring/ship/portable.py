"""One member's generator as plain data: its operations, its tensors, and what a user of it must know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.analysis.generators import explorable, generator_module, latents
from sparring.analysis.latent_tools.distributions import Part, parts_of
from sparring.errors import SparringError
from sparring.game.folding import folded
from sparring.game.network_graph import Graph, GraphNetwork, graph_of
from sparring.recipe import Recipe
from sparring.record import RunFolder

CHECKED = 64
"""Latent vectors, those of the z seeds 0 to 63, on which every exported form must agree with the run's generator."""
TOLERANCE = 1e-5
"""The largest difference between two forms of a generator, in data units."""


@dataclass(frozen=True)
class Portable:
    """A generator that needs none of the code that made it. Inputs: z `(B, size)`, and classes `(B,)` where it has."""

    graph: Graph
    state: dict[str, Tensor]
    facts: dict[str, Any]
    """Plain data: `name`, `seed`, `round`, `recipe`, `latent` (parts), `size`, `classes`, `shape`, `units`, ..."""
    z: Tensor
    """The run's latent vectors 0 to 63, `(64, size)`."""
    classes: Tensor | None
    """The class of each, int64 `(64,)`, in class-conditional runs."""
    expected: np.ndarray
    """What the run's own generator makes of them, float32 `(64, *shape)` in data units."""

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The 64 vectors, and classes where there are any."""
        return (self.z,) if self.classes is None else (self.z, self.classes)

    @property
    def input_names(self) -> list[str]:
        """`z`, and `classes` where there are any."""
        return ["z", "classes"][: len(self.inputs)]

    @property
    def parameters(self) -> int:
        """Numbers in all tensors."""
        return sum(tensor.numel() for tensor in self.state.values())

    def network(self) -> GraphNetwork:
        """The generator as a module, made of this data alone."""
        return GraphNetwork(self.graph, self.state)


def portable_of(
    run: RunFolder, seed: int, best: bool = False, source: Path | None = None, recipe: Recipe | None = None
) -> Portable:
    """A member's generator as plain data, with averaged (EMA) weights where the run keeps those.

    Args:
        run: The run.
        seed: The member.
        best: Take the best checkpoint instead of the newest.
        source: The user's own Python file that the recipe needs, if it has moved since.
        recipe: The recipe with the networks themselves, where they exist in this process only.

    Raises:
        SparringError: There is no checkpoint, or the generator cannot be written without its code: one line says which
            operation.
        UsageError: The run has no such member.
    """
    module = generator_module(run, seed, best, source, recipe)
    recipe, G = explorable(run, source, [seed], best, recipe)
    vectors = latents(recipe, range(CHECKED))
    z = vectors[0, :, : recipe.latent.size + recipe.clusters].contiguous()
    classes = torch.arange(CHECKED) % recipe.data_classes if recipe.data_classes else None
    inputs = (z,) if classes is None else (z, classes)
    try:
        graph, state = folded(graph_of(module, inputs), dict(module.state_dict()), inputs)
    except SparringError as error:
        raise SparringError(f"the generator of {run.path}: {error}") from error
    checkpoint = run.load("G.", best)
    facts = _facts(recipe, seed, checkpoint[0] if checkpoint else 0, best)
    return Portable(graph, state, facts, z, classes, G(vectors)[0].float().numpy())


def _facts(recipe: Recipe, seed: int, round: int, best: bool) -> dict[str, Any]:
    is_image = len(recipe.data.shape) == 3
    low, high = recipe.latent.reach
    return {
        "format": 1,
        "made_by": f"sparring {version('sparring')}",
        "name": recipe.name or "generator",
        "recipe": recipe.id,
        "seed": seed,
        "round": round,
        "checkpoint": "best" if best else "newest",
        "size": recipe.latent.size + recipe.clusters,
        "latent": _parts(recipe),
        "reach": [low, high],
        "classes": recipe.data_classes,
        "class_names": _class_names(recipe),
        "shape": list(recipe.data.shape),
        "units": "images in [0, 1]" if is_image else "data units",
    }


def _parts(recipe: Recipe) -> list[Part]:
    """The distribution of latent vectors, the one-hot cluster at their end; empty where it is not known."""
    parts: list[Part] = parts_of(recipe.latent)
    if not parts or not recipe.clusters:
        return parts
    total = sum(recipe.cluster_sizes)
    shares = [size / total for size in recipe.cluster_sizes]
    return [*parts, {"law": "one-hot", "size": recipe.clusters, "shares": shares}]


def _class_names(recipe: Recipe) -> list[str]:
    named: Sequence[str] = recipe.to_dict()["data"].get("found_classes") or ()
    return [str(name) for name in named] if isinstance(named, list | tuple) else []


def difference(expected: np.ndarray, made: np.ndarray) -> float:
    """The largest absolute difference; infinite where shapes differ or a number is none in one of them only."""
    if expected.shape != made.shape or (np.isnan(expected) != np.isnan(made)).any():
        return float("inf")
    return float(np.nan_to_num(np.abs(expected - made), nan=0.0).max(initial=0.0))


def checked(portable: Portable, made: np.ndarray, where: str) -> float:
    """The largest difference from the run's own examples. Raises SparringError above TOLERANCE."""
    found = difference(portable.expected, made)
    if not found <= TOLERANCE:
        raise SparringError(
            f"not exported: {where} differs from the run's generator by {found:.2g} on {len(made)} latent vectors, "
            f"and {TOLERANCE:g} is allowed"
        )
    return found
