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
from sparring.datasets.table import Table
from sparring.errors import SparringError
from sparring.game.folding import folded
from sparring.game.network_graph import Graph, GraphNetwork, graph_of
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.ship.scale import InOwnUnits, Scale, scale_of

CHECKED = 64
"""Latent vectors, those of the z seeds 0 to 63, on which every exported form must agree with the run's generator."""
TOLERANCE = 1e-5
"""The largest difference between two forms of a generator, in data units; of scaled numbers, in their standard
deviations."""


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
    """What `sparring sample` gives for them, `(64, *shape)`: float32, or float64 in the units of scaled numbers."""
    scale: Scale | None = None
    """Of numbers that networks get scaled: the graph takes its examples back to their own units."""

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

    def difference(self, made: np.ndarray) -> float:
        """The largest difference of examples from the run's own; see TOLERANCE for its unit."""
        return difference(self.expected, made, 1.0 if self.scale is None else self.scale.sd)


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
    recipe, G = explorable(run, source=source, seeds=[seed], best=best, recipe=recipe)
    vectors = latents(recipe, range(CHECKED))
    z = vectors[0, :, : recipe.latent.size + recipe.clusters].contiguous()
    classes = torch.arange(CHECKED) % recipe.data_classes if recipe.data_classes else None
    inputs = (z,) if classes is None else (z, classes)
    scale = scale_of(recipe.data)
    whole = module if scale is None else InOwnUnits(module, scale)
    try:
        graph, state = folded(graph_of(whole, inputs), dict(whole.state_dict()), inputs)
    except SparringError as error:
        raise SparringError(f"the generator of {run.path}: {error}") from error
    checkpoint = run.load("G.", best)
    facts = _facts(recipe, seed, checkpoint[0] if checkpoint else 0, best, scale)
    return Portable(graph, state, facts, z, classes, _expected(recipe, scale, G(vectors)[0].float().numpy()), scale)


def _expected(recipe: Recipe, scale: Scale | None, made: np.ndarray) -> np.ndarray:
    """The run's examples in their own units, not rounded to float32. Raises SparringError for units of other code."""
    sampled = recipe.data.in_own_units(made)
    own = made if scale is None else scale.own(made)
    if not np.array_equal(own.astype(sampled.dtype), sampled, equal_nan=True):
        raise SparringError(
            "not exported: how this data set takes examples to its own units is known to its code alone"
        )
    return own


def _facts(recipe: Recipe, seed: int, round: int, best: bool, scale: Scale | None) -> dict[str, Any]:
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
        "units": _units(recipe, scale),
        "columns": _columns(recipe),
        **({} if scale is None else {"scale": scale.plain()}),
    }


def _columns(recipe: Recipe) -> list[str]:
    """Names of columns; none where they are only their places, as those of a signal."""
    names = list(recipe.data.column_names)
    return [] if names == [str(k + 1) for k in range(len(names))] else names


def _units(recipe: Recipe, scale: Scale | None) -> str:
    if len(recipe.data.shape) == 3:
        return "images in [0, 1]"
    if isinstance(recipe.data, Table):
        return "the units of the file"
    return "data units" if scale is None else "the units of the examples given"


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


def difference(expected: np.ndarray, made: np.ndarray, unit: np.ndarray | float = 1.0) -> float:
    """The largest absolute difference; infinite where shapes differ, or where a number is none in one of them only."""
    if expected.shape != made.shape or (np.isnan(expected) != np.isnan(made)).any():
        return float("inf")
    return float(np.nan_to_num(np.abs(expected - made) / unit, nan=0.0).max(initial=0.0))


def checked(portable: Portable, made: np.ndarray, where: str) -> float:
    """The largest difference from the run's own examples. Raises SparringError above TOLERANCE."""
    found = portable.difference(made)
    if not found <= TOLERANCE:
        raise SparringError(
            f"not exported: {where} differs from the run's generator by {found:.2g} on {len(made)} latent vectors, "
            f"and {TOLERANCE:g} is allowed"
        )
    return found
