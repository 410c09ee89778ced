"""A run's generators and images: each projected into every member, and training images beside held-out ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor, nn

from sparring.analysis.generators import generator_module, latents, recipe_of
from sparring.analysis.judge_choice import judge_for
from sparring.analysis.latent_tools.directions.sensitivity import Directions, sensitivity
from sparring.analysis.latent_tools.directions.survey import Joined
from sparring.analysis.latent_tools.distributions import parts_of
from sparring.analysis.latent_tools.projection import Memorization, Projection, memorization, project
from sparring.analysis.samples import real_data
from sparring.analysis.wording import count as counted
from sparring.errors import SparringError, UsageError
from sparring.judges import Judge
from sparring.languages import Text
from sparring.progress import progress
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.record.journal import json_numbers

FIRST = 2**41
"""The z seed of the first restart: far from those that are sampled."""
TWICE = 2
"""Searches that two are compared by."""
PARTS = 1_000
"""Pieces of work that one search counts as."""
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Channels -> Pillow's mode."""


@dataclass(frozen=True)
class Projected:
    """Images projected into every member of a run."""

    recipe: Recipe
    images: np.ndarray
    """`(N, *shape)` in data units."""
    names: tuple[str, ...]
    members: tuple[Projection, ...]
    directions: tuple[Directions, ...]
    """Of each member, the most sensitive ones, for edits."""
    generators: tuple[nn.Module, ...]
    reach: float

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "images": list(self.names),
            "members": [
                {
                    "seed": seed,
                    "error": json_numbers(found.error.numpy()),
                    "spread_over_restarts": json_numbers(found.spread.numpy()),
                    "z": json_numbers(found.z.numpy()),
                }
                for seed, found in zip(self.recipe.seeds, self.members, strict=True)
            ],
        }

    def edited(self, member: int, image: int, direction: int, places: Sequence[float]) -> np.ndarray:
        """A projected image followed along a direction, `(len(places), *shape)`; places are shares of the reach."""
        z, vector = self.members[member].z[image], self.directions[member].vectors[direction]
        steps = torch.tensor(places)[:, None] * self.reach
        with torch.no_grad():
            return self.generators[member](z + steps * _padded(vector, len(z))).numpy()


def read_images(paths: Sequence[Path], shape: tuple[int, ...]) -> np.ndarray:
    """Image files, cropped and scaled to a shape `(C, H, W)`, in data units.

    Raises:
        UsageError: A file is no image, or the run's examples are none.
    """
    if len(shape) != 3 or shape[0] not in MODES:
        raise UsageError(f"images cannot be projected here: this run's examples are of shape {shape}")
    read: list[np.ndarray] = []
    for path in paths:
        try:
            with Image.open(path) as image:
                fitted = ImageOps.fit(image.convert(MODES[shape[0]]), (shape[2], shape[1]), Image.Resampling.BICUBIC)
        except FileNotFoundError as error:
            raise UsageError(f"{path} does not exist") from error
        except (OSError, UnidentifiedImageError) as error:
            raise UsageError(f"{path} cannot be read as an image") from error
        read.append(np.asarray(fitted, dtype=np.float32).reshape(shape[1], shape[2], shape[0]).transpose(2, 0, 1) / 255)
    return np.stack(read)


class Searcher:
    """What projecting into the members of one run takes.

    Raises SparringError where nothing in latent vectors can be searched.
    """

    def __init__(self, run: RunFolder, recipe: Recipe, whole: Recipe, data_dir: Path | None, restarts: int, steps: int):
        self.recipe, self.steps = recipe, steps
        self.begun = max(restarts, recipe.classes)  # a search keeps the class that it begins with
        self.generators = tuple(Joined(generator_module(run, seed, recipe=whole)) for seed in recipe.seeds)
        for generator in self.generators:
            generator.requires_grad_(False)
        judge = judge_for(recipe.data, None, data_dir) if len(recipe.data.shape) == 3 else None
        self.features = None if judge is None else _differentiable(judge)
        parts = parts_of(recipe.latent)
        continuous = [part["law"] in ("normal", "uniform") for part in parts for _ in range(part["size"])]
        self.free = torch.tensor((continuous or [True] * recipe.latent.size) + [False] * recipe.classes)
        uniform = [part for part in parts if part["law"] == "uniform"]
        self.bounds = (uniform[0]["low"], uniform[0]["high"]) if uniform else None
        if not bool(self.free.any()):
            raise SparringError("nothing in these latent vectors is continuous: there is nothing to search")

    def in_every_member(self, images: np.ndarray, again: int = 1) -> list[list[Projection]]:
        """Project images `(N, *shape)` into every member, `again` times, each beginning elsewhere: `[search][member]`.

        Says how far it is.
        """
        members, done = range(len(self.recipe.seeds)), 0.0
        once, twice = Text("projecting {images} into {seeds}"), Text("projecting {images} into {seeds}, twice")
        of = {"images": counted(len(images), "image"), "seeds": counted(len(members), "seed")}
        title = (twice if again == TWICE else once).filled(**of)
        with progress(title, PARTS * again * len(members)) as update:

            def on_step(share: float) -> None:
                nonlocal done
                done += PARTS * share
                update(int(done))

            return [[self(member, images, each, on_step) for member in members] for each in range(again)]

    def __call__(
        self, member: int, images: np.ndarray, again: int = 0, on_step: Callable[[float], None] | None = None
    ) -> Projection:
        """Project images `(N, *shape)` into a member; `again` counts searches that begin elsewhere each."""
        starts = latents(self.recipe, range(FIRST + again * self.begun, FIRST + (again + 1) * self.begun))
        target = torch.from_numpy(images)
        G = self.generators[member]
        return project(G, target, starts[member][:, None], self.features, self.bounds, self.free, self.steps, on_step)


def _differentiable(judge: Judge) -> Callable[[Tensor], Tensor] | None:
    if judge.shape is None or judge.slow:
        return None
    channels = judge.shape[0]

    def features(x: Tensor) -> Tensor:
        parts = x.clamp(0, 1).split(channels, 1)
        return torch.cat([cast(tuple[Tensor, Tensor], judge.network(part))[0] for part in parts], 1)

    return features


def projected(
    run: RunFolder,
    images: np.ndarray,
    names: Sequence[str],
    restarts: int = 8,
    steps: int = 200,
    seeds: Sequence[int] | None = None,
    data_dir: Path | None = None,
    source: Path | None = None,
) -> Projected:
    """Project images into every member of a run.

    Args:
        run: The run.
        images: `(N, *shape)` in data units.
        names: Of the images.
        restarts: Latent vectors that each search begins with, all side by side; at least one for each class.
        steps: Of the search.
        seeds: Members; all if None.
        data_dir: Where data sets are kept.
        source: The user's own Python file that the recipe needs, if it has moved since.

    Raises:
        SparringError: There is no checkpoint yet.
        UsageError: The run has no such member.
    """
    whole = recipe_of(run, source)
    recipe = whole.replace(seeds=seeds) if seeds is not None else whole
    search = Searcher(run, recipe, whole, data_dir, restarts, steps)
    members = tuple(search.in_every_member(images)[0])
    z = latents(recipe, range(32))
    found = tuple(sensitivity(G, z[m], 2, recipe.latent.size) for m, G in enumerate(search.generators))
    reach = 2 * (float(z[..., : recipe.latent.size].std()) or 1.0)
    return Projected(recipe, images, tuple(names), members, found, search.generators, reach)


def memorization_of(
    run: RunFolder,
    count: int = 64,
    restarts: int = 4,
    steps: int = 200,
    seeds: Sequence[int] | None = None,
    data_dir: Path | None = None,
    source: Path | None = None,
) -> tuple[Recipe, list[Memorization], str]:
    """Whether training images can be projected better than held-out ones, for every member.

    Args:
        run: The run.
        count: Images of each kind.
        restarts: Latent vectors that each search begins with.
        steps: Of the search.
        seeds: Members; all if None.
        data_dir: Where data sets are kept.
        source: The user's own Python file that the recipe needs, if it has moved since.

    Returns:
        The recipe, a result for each member, and where the held-out images come from.

    Raises:
        SparringError: There is no checkpoint yet, or no image is held out: the data have no part that no run is trained
            on.
    """
    whole = recipe_of(run, source)
    recipe = whole.replace(seeds=seeds) if seeds is not None else whole
    real = real_data(recipe.data, count, data_dir)
    if real.unseen is None:
        raise SparringError("this data has no held-out part, so memorization cannot be tested by projection")
    search = Searcher(run, recipe, whole, data_dir, restarts, steps)
    training, held_out = real.some_training[:count], real.unseen[:count]
    both = np.concatenate([training, held_out])
    errors = [found.error.numpy() for found in search.in_every_member(both)[0]]
    results = [memorization(each[: len(training)], each[len(training) :]) for each in errors]
    return recipe, results, real.held_out_from


def plain_test(recipe: Recipe, results: Sequence[Memorization], held_out_from: str) -> dict[str, Any]:
    """For JSON."""
    rows = [{"seed": seed, **asdict(each), "says": each.says} for seed, each in zip(recipe.seeds, results, strict=True)]
    return {"held_out": held_out_from, "members": rows}


def _padded(vector: Tensor, size: int) -> Tensor:
    return torch.nn.functional.pad(vector, (0, size - len(vector)))
