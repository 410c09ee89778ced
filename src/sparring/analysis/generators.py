"""A run's trained generators, and what they make: examples, chosen latent vectors, a function to explore."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sparring.errors import SparringError, UsageError, shortened
from sparring.game.assembly import maker_of_generators, weights_to_show
from sparring.game.population import Population
from sparring.game.runtime import preserving_torch_rng
from sparring.recipe import Recipe, reload
from sparring.record import Run
from sparring.rng import RandomStreams


@torch.no_grad()
def generate(generator: Population, latent: Tensor, recipe: Recipe) -> np.ndarray:
    """What the generators make of latent vectors `(P, N, size)`: float32 `(P, N, *shape)` in data units."""
    generator.train(False)
    made = recipe.data.in_data_units(generator(latent))
    generator.train(True)
    return made.float().cpu().numpy()


def generators_of(
    run: Run | str | Path, source: Path | None = None, seeds: Sequence[int] | None = None, best: bool = False
) -> tuple[Recipe, Population]:
    """A run's recipe and its trained generators: all, or those of `seeds`, which the recipe then has too.

    `source` is where to find a user's own file, if it moved. They are those of the newest checkpoint, or of the `best`:
    that of the round at which samples were nearest to the data.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    recipe = reload(run.recipe, source)
    held = run.load("G.", best)
    if held is None:
        which = "best checkpoint: samples were not looked at" if best else "checkpoint"
        raise SparringError(f"{run.path} has no {which} yet; let it train a little longer")
    weights = weights_to_show(held[1])
    if seeds is not None:
        if absent := sorted(set(seeds) - set(recipe.seeds)):
            raise UsageError(f"this run has no seed {absent[0]}; it has {shortened(', '.join(map(str, recipe.seeds)))}")
        chosen = [recipe.seeds.index(seed) for seed in seeds]
        recipe, weights = recipe.replace(seeds=seeds), {name: tensor[chosen] for name, tensor in weights.items()}
    init_rng = RandomStreams(recipe.seeds)
    generators = Population(maker_of_generators(recipe), init_rng.torch_seeds("G"), init_rng.for_layers("sampling"))
    generators.load(weights)
    return recipe, generators


def explorable(
    run: Run | str | Path, source: Path | None = None, seeds: Sequence[int] | None = None, best: bool = False
) -> tuple[Recipe, Callable[[Tensor], Tensor]]:
    """A run's recipe and G: latent vectors `(P, N, size)` -> examples `(P, N, *shape)` in data units.

    G is in evaluation mode and keeps no gradients. `seeds` chooses members; the recipe that comes back has only those.
    """
    with preserving_torch_rng():
        recipe, generators = generators_of(run, source, seeds, best)
    generators.train(False)

    @torch.no_grad()
    def G(z: Tensor) -> Tensor:
        with preserving_torch_rng():
            return recipe.data.in_data_units(generators(z))

    return recipe, G


def latents(recipe: Recipe, numbers: Sequence[int]) -> Tensor:
    """Each member's latent vectors of these numbers, `(P, len(numbers), size)`.

    Vector k of a member depends on its seed, the latent law and k alone, so a picture can be made again from its k.
    Where G is told classes, class k modulo their count stands behind it, one-hot.
    """
    if odd := [number for number in numbers if not 0 <= number < 2**63]:
        raise UsageError(f"a latent vector's number lies between 0 and 2**63 - 1, not at {odd[0]}")
    rng = RandomStreams(recipe.seeds)
    drawn: dict[int, Tensor] = {}
    for number in sorted(set(numbers)):
        rng.begin(number)
        drawn[number] = recipe.latent.draw(rng, "latent number", 1)
    return with_classes(recipe, torch.cat([drawn[number] for number in numbers], 1), numbers)


def with_classes(recipe: Recipe, latent: Tensor, numbers: Sequence[int]) -> Tensor:
    """Latent vectors `(P, N, size)` with class `number` modulo their count behind each, where G is told classes."""
    if not recipe.classes:
        return latent
    told = torch.tensor([number % recipe.classes for number in numbers], device=latent.device)
    one_hot = torch.nn.functional.one_hot(told, recipe.classes).to(latent.dtype)
    return torch.cat([latent, one_hot.expand(len(latent), *one_hot.shape)], -1)


def sample(
    run: Run | str | Path,
    count: int = 64,
    source: Path | None = None,
    numbers: Sequence[int] | None = None,
    seeds: Sequence[int] | None = None,
    best: bool = False,
) -> np.ndarray:
    """Examples of every member, float32 `(P, N, *shape)` in data units ([0, 1] for images).

    They are those of the latent vectors 0 to `count` - 1, or of `numbers`; the same number gives the same example.
    `seeds` chooses members, `best` the best checkpoint in place of the newest.
    """
    if count < 1:
        raise UsageError(f"count must be at least 1, not {count}")
    recipe, G = explorable(run, source, seeds, best)
    return G(latents(recipe, range(count) if numbers is None else numbers)).float().cpu().numpy()
