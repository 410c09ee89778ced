"""Every way to find directions, side by side, for every member: what each moves, and whether the others have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from sparring.analysis.generators import Generator, generator_module, latents, recipe_of
from sparring.analysis.judge_choice import judge_for
from sparring.analysis.latent_tools.directions.classes import class_directions
from sparring.analysis.latent_tools.directions.effects import Effect, effects, unique_names
from sparring.analysis.latent_tools.directions.features import feature_components
from sparring.analysis.latent_tools.directions.first_layer import first_layer
from sparring.analysis.latent_tools.directions.matching import Stability, stability
from sparring.analysis.latent_tools.directions.sensitivity import Directions, sensitivity
from sparring.analysis.latent_tools.distributions import parts_of, sd_of
from sparring.analysis.latent_tools.inputs import checked_dims, named_dims
from sparring.analysis.wording import count as counted
from sparring.errors import SparringError
from sparring.judges import Judge
from sparring.languages import Text
from sparring.progress import progress
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.record.journal import json_numbers

WAYS = {
    "sensitivity": "eigenvectors of mean JᵀJ: what changes outputs fastest",
    "features": "principal components of features, carried back to the latent space",
    "first-layer": "what the first layer amplifies most, batch norm folded (SeFa)",
    "classes": "toward a class, as the judge sees it",
    "dims": "single dimensions",
}
"""Each way to find directions, the strongest first in each."""
PAIRED = ("classes", "dims")
"""Ways of which direction k means the same in every member."""
REACH = 3.0
"""Standard deviations of the latent distribution that a direction is followed, either way."""


@dataclass(frozen=True)
class Found:
    """One direction of one member."""

    way: str
    label: str
    """Its rank within the way, the class, or the dimension, from 1."""
    vector: Tensor
    """`(size,)`, of length 1."""
    strength: float
    """In the unit of its way; see there."""
    effect: Effect
    class_change: float | None
    """Share of latent vectors for which the judge sees another class at the far end than at the near one."""
    name: tuple[str, str] | None
    """What its low and its high end are called, no stronger direction of the way being called so."""
    stability: Stability

    @property
    def what(self) -> str:
        """Its name, or else where it changes examples."""
        return " – ".join(self.name) if self.name else self.effect.words

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "way": self.way,
            "label": self.label,
            "strength": json_numbers(self.strength),
            "share": json_numbers(self.effect.share),
            "error": json_numbers(self.effect.error),
            "class_change": self.class_change,
            "name": list(self.name) if self.name else None,
            "words": self.effect.words,
            "attributes": {
                name: {"change": json_numbers(change), "error": json_numbers(error)}
                for name, (change, error) in self.effect.attributes.items()
            },
            "stability": asdict(self.stability),
            "vector": json_numbers(self.vector.numpy()),
        }


@dataclass(frozen=True)
class Survey:
    """The directions of every member."""

    recipe: Recipe
    judge: Judge | None
    reach: float
    """How far directions are followed, either way, in numbers of the latent vector."""
    count: int
    """Latent vectors that derivatives and effects are means over."""
    samples: int
    """Samples that components and classes are found from."""
    members: tuple[tuple[Found, ...], ...]
    generators: tuple[Generator, ...]
    """Of each member."""
    notes: tuple[str, ...] = ()
    """Ways that did not work, and why, a sentence each."""

    def named(self, way: str = "sensitivity") -> dict[str, int]:
        """How many members have a direction of this name among those of a way, most first."""
        names = Counter(
            " – ".join(sorted(found.name))
            for member in self.members
            for found in member
            if found.way == way and found.name
        )
        return dict(names.most_common())

    def plain(self) -> dict[str, Any]:
        """What `sparring directions --json` prints."""
        return {
            "seeds": list(self.recipe.seeds),
            "reach": self.reach,
            "count": self.count,
            "samples": self.samples,
            "judge": self.judge.name if self.judge else None,
            "ways": dict(WAYS),
            "named": self.named(),
            "notes": list(self.notes),
            "members": [
                {"seed": seed, "directions": [found.plain() for found in member]}
                for seed, member in zip(self.recipe.seeds, self.members, strict=True)
            ],
        }


class _Latents(NamedTuple):
    """A member's latent vectors, with one-hot classes appended where there are any."""

    few: Tensor
    many: Tensor
    size: int


def survey(
    run: RunFolder,
    top: int = 5,
    dims: Sequence[int] | None = None,
    count: int = 64,
    samples: int = 1_000,
    seeds: Sequence[int] | None = None,
    data_dir: Path | None = None,
    source: Path | None = None,
    recipe: Recipe | None = None,
) -> Survey:
    """Find directions in every way and measure what each moves.

    Args:
        run: The run.
        top: How many directions of each way.
        dims: Single dimensions to measure beside them, from 1; those that the recipe names if None.
        count: Latent vectors of each member (0, 1, 2, ...) that derivatives and effects are means over.
        samples: Latent vectors that components and classes are found from.
        seeds: Members; all if None.
        data_dir: Where data sets are kept.
        source: The user's own Python file that the recipe needs, if it has moved since.
        recipe: The recipe with the networks themselves, where they exist in this process only.

    Raises:
        SparringError: There is no checkpoint yet, or torch cannot differentiate the generator.
        UsageError: The run has no such member or dimension.
    """
    recipe = recipe_of(run, source, recipe)
    chosen = recipe.replace(seeds=seeds) if seeds is not None else recipe
    listed = list(checked_dims(chosen, dims)) if dims is not None else named_dims(chosen)
    judge = judge_for(chosen.data, None, data_dir) if len(chosen.data.shape) == 3 else None
    generators = tuple(generator_module(run, seed, source=source, recipe=recipe) for seed in chosen.seeds)
    few, many = latents(chosen, range(count)), latents(chosen, range(max(samples, count)))
    notes: dict[str, None] = {}
    reach = REACH * sd_of(parts_of(chosen.latent), many[..., : chosen.latent.size])
    found: list[dict[str, tuple[Directions, list[str]]]] = []
    measured: list[dict[str, list[Effect]]] = []
    class_changes: list[dict[str, list[float | None]]] = []
    title = Text("finding directions of {seeds}", seeds=counted(len(generators), "seed"))
    with progress(title, len(generators)) as update:
        for m, G in enumerate(generators):
            z = _Latents(few[m], many[m], chosen.latent.size)
            found.append(_ways(G, z, judge, top, listed, notes))
            ways = found[m].items()
            measured.append({way: effects(Joined(G), few[m], each.vectors, reach) for way, (each, _) in ways})
            class_changes.append(_class_changes(judge, G, few[m], found[m], reach))
            update(m + 1)
    largest = max(len(labels) for ways in found for _, labels in ways.values())
    baseline = [random_changes(Joined(G), few[m], largest, chosen.latent.size, reach) for m, G in enumerate(generators)]
    members = tuple(_member(m, found, measured, baseline, each) for m, each in enumerate(class_changes))
    return Survey(chosen, judge, reach, count, max(samples, count), members, generators, tuple(notes))


class Joined(nn.Module):
    """A generator that takes one-hot classes appended, `(B, size + classes)`."""

    def __init__(self, generator: Generator):
        super().__init__()
        self.generator, self.size, self.classes = generator, generator.latent_size, generator.classes

    def forward(self, z: Tensor) -> Tensor:
        return self.generator(z[:, : self.size], z[:, self.size :].argmax(1)) if self.classes else self.generator(z)


def _ways(
    generator: Generator, z: _Latents, judge: Judge | None, top: int, dims: list[int], notes: dict[str, None]
) -> dict[str, tuple[Directions, list[str]]]:
    """Way -> its directions and their labels."""
    G, own = Joined(generator), z.many[:, : z.size]
    found = {"sensitivity": sensitivity(G, z.few, top, z.size)}
    with torch.no_grad():
        made = torch.cat([G(part) for part in z.many.split(256)])
    seen = judge(made.numpy()) if judge is not None else None
    features = torch.from_numpy(seen.features) if seen is not None else made.flatten(1)
    varied = bool((own != own[0]).any())
    if varied:
        found["features"] = feature_components(own, features, top)
    try:
        found["first-layer"] = first_layer(G, z.few, top, z.size)
    except SparringError as error:
        notes[f"first-layer: {error}"] = None
    labeled = {way: (each, [str(k + 1) for k in range(len(each.vectors))]) for way, each in found.items()}
    if varied and seen is not None and seen.probabilities is not None and not generator.classes:
        toward, classes = class_directions(own, torch.from_numpy(seen.probabilities))
        order = sorted(range(len(classes)), key=classes.__getitem__)
        ordered = Directions(toward.vectors[order], toward.strength[order])
        labeled["classes"] = ordered, [str(classes[k]) for k in order]
    if dims:
        axes = torch.eye(z.size)[[dim - 1 for dim in dims]]
        labeled["dims"] = Directions(axes, torch.ones(len(dims))), [str(dim) for dim in dims]
    return labeled


def random_changes(G: nn.Module, z: Tensor, count: int, size: int, reach: float) -> np.ndarray:
    """What random directions change, `(count, outputs)`: the same directions for every member."""
    drawn = torch.randn(count, size, generator=torch.Generator().manual_seed(0))
    return changes_of(effects(G, z, drawn / drawn.norm(dim=1, keepdim=True), reach))


def changes_of(measured: Sequence[Effect]) -> np.ndarray:
    """What directions change, `(K, outputs)`."""
    return np.stack([each.change.flatten().numpy() for each in measured])


def _class_changes(
    judge: Judge | None, G: Generator, z: Tensor, found: dict[str, tuple[Directions, list[str]]], reach: float
) -> dict[str, list[float | None]]:
    if judge is None or judge.accuracy is None:
        return {way: [None] * len(labels) for way, (_, labels) in found.items()}
    joined, changes = Joined(G), dict[str, list[float | None]]()
    for way, (each, _) in found.items():
        changes[way] = []
        for vector in torch.nn.functional.pad(each.vectors, (0, z.shape[1] - each.vectors.shape[1])):
            with torch.no_grad():
                ends = [judge(joined(z + side * reach * vector).numpy()).probabilities for side in (-1, 1)]
            classes = [end.argmax(1) for end in ends if end is not None]
            changes[way].append(float((classes[0] != classes[1]).mean()))
    return changes


def _member(
    member: int,
    found: list[dict[str, tuple[Directions, list[str]]]],
    measured: list[dict[str, list[Effect]]],
    baseline: list[np.ndarray],
    class_changes: dict[str, list[float | None]],
) -> tuple[Found, ...]:
    rows: list[Found] = []
    for way, (each, labels) in found[member].items():
        if not labels:
            continue
        stable = _stability(member, way, found, measured, baseline)
        names = unique_names(measured[member][way])
        rows += [
            Found(
                way,
                label,
                each.vectors[k],
                float(each.strength[k]),
                measured[member][way][k],
                class_changes[way][k],
                names[k],
                stable[k],
            )
            for k, label in enumerate(labels)
        ]
    return tuple(rows)


def along(survey: Survey, member: int, found: Found, steps: int, z_seed: int = 0) -> np.ndarray:
    """Examples along a direction of a member, from -reach to reach around a latent vector, `(steps, *shape)`."""
    z = latents(survey.recipe, [z_seed])[member]
    vector = torch.nn.functional.pad(found.vector, (0, z.shape[1] - len(found.vector)))
    places = torch.linspace(-survey.reach, survey.reach, steps)
    with torch.no_grad():
        return Joined(survey.generators[member])(z + places[:, None] * vector).numpy()


def _stability(
    member: int,
    way: str,
    found: list[dict[str, tuple[Directions, list[str]]]],
    measured: list[dict[str, list[Effect]]],
    baseline: list[np.ndarray],
) -> list[Stability]:
    """Of each direction of a member; of a class or a dimension, among the members that have one of that label."""
    if way not in PAIRED:
        having = [m for m in range(len(found)) if found[m].get(way, (None, []))[1]]
        changes = [changes_of(measured[m][way]) for m in having]
        return stability(changes, [baseline[m] for m in having], having.index(member))
    stable: list[Stability] = []
    for label in found[member][way][1]:
        having = [m for m in range(len(found)) if label in found[m].get(way, (None, []))[1]]
        rows = [changes_of(measured[m][way])[[found[m][way][1].index(label)]] for m in having]
        stable += stability(rows, [baseline[m] for m in having], having.index(member), paired=True)
    return stable
