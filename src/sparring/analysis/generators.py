"""From a run to its trained generators: as a population, as one function of latent vectors, or as examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sparring.analysis.watched import is_watched, watched_recipe
from sparring.datasets._shares import classes_at, in_shares
from sparring.errors import SparringError, UsageError
from sparring.fields import as_int, whole_numbers
from sparring.game.assembly import maker_of_generators, sampling_weights
from sparring.game.population import Population
from sparring.game.runtime import preserving_torch_rng
from sparring.recipe import Recipe, reload, remembered
from sparring.record import RunFolder
from sparring.rng import RandomStreams


@torch.no_grad()
def generate(generator: Population, latent: Tensor, recipe: Recipe) -> np.ndarray:
    """Examples that the generators make of given latent vectors.

    Args:
        generator: P generators side by side. It is left in training mode.
        latent: `(P, N, size)`; where training is class-conditional, with the one-hot class behind each vector.
        recipe: Says what the data units are.

    Returns:
        float32 `(P, N, *shape)` in data units ([0, 1] for images).
    """
    generator.train(False)
    examples = recipe.data.in_data_units(generator(latent))
    generator.train(True)
    return examples.float().cpu().numpy()


def recipe_of(run: RunFolder, source: Path | None = None, recipe: Recipe | None = None) -> Recipe:
    """The recipe of a run, with a user's own parts.

    They are those of `recipe`, or of one that was trained in this process, or else from the user's file. Raises
    SparringError where they are nowhere: their file is gone or has changed, or they were those of another process.
    """
    if recipe is None and is_watched(run):
        return watched_recipe(run)
    plain = run.recipe
    base = recipe or (None if source else remembered(plain))
    return reload(plain, source) if base is None else Recipe.from_dict(plain, base=base)


def generators_of(
    run: RunFolder | str | PathLike[str],
    source: Path | None = None,
    seeds: Sequence[int] | None = None,
    best: bool = False,
    recipe: Recipe | None = None,
    round: int | None = None,
    members: Sequence[int] | None = None,
) -> tuple[Recipe, Population]:
    """Load a run's trained generators from a checkpoint, with their averaged (EMA) weights where it has those.

    Args:
        run: A run or its folder.
        source: The user's own Python file that the recipe needs, if it has moved since.
        seeds: Members to load; all if None.
        best: Load the best checkpoint, whose samples were nearest to the data, instead of the newest.
        recipe: The recipe with the networks themselves, where they exist in memory only and were not trained here.
        round: Load the checkpoint of this round, one of the run's `rounds_saved`, instead of the newest.
        members: Indices of the members to load, in place of `seeds`: where members differ in numbers too, a seed is
            that of several.

    Returns:
        The recipe (of the chosen members only) and the population of generators, in training mode.

    Raises:
        SparringError: The folder holds no run, or no such checkpoint yet.
        UsageError: The run has no member of such a seed.
    """
    run = run if isinstance(run, RunFolder) else RunFolder.open(run)
    recipe = recipe_of(run, source, recipe)
    checkpoint = run.load("G.", best, round)
    if checkpoint is None:
        if best and round is None:
            raise SparringError(f"{run.path} has no best checkpoint: its samples were never evaluated")
        raise no_checkpoint(run, round)
    weights = sampling_weights(checkpoint[1])
    if seeds is not None or members is not None:
        chosen = recipe.members_with(() if seeds is None else seeds) if members is None else list(members)
        if any(len(tensor) != len(recipe.seeds) for tensor in weights.values()):
            raise SparringError(f"the weights in {run.path} are not those of its recipe's {len(recipe.seeds)} seeds")
        recipe, weights = recipe.select(chosen), {name: tensor[chosen] for name, tensor in weights.items()}
    init_rng = RandomStreams(recipe.seeds)
    generators = Population(maker_of_generators(recipe), init_rng.torch_seeds("G"), init_rng.for_layers("sampling"))
    generators.load(weights)
    return recipe, generators


def no_checkpoint(run: RunFolder, round: int | None = None) -> SparringError:
    """What to raise where a run has no checkpoint, of this round if one is given."""
    at = "" if round is None else f" of round {round:,}"
    if run.story.status == "diverged":
        return SparringError(f"{run.path} has no checkpoint{at}: every seed has diverged, in the first rounds already")
    if round is None and run.story.status in ("finished", "plateau"):
        came = f"though it came to round {run.story.round:,}"
        return SparringError(f"{run.path} has no checkpoint, {came}: put its weights back, or train it again")
    return SparringError(f"{run.path} has no checkpoint{at} yet; let it train a little longer")


def explorable(
    run: RunFolder | str | PathLike[str],
    *,
    source: Path | None = None,
    seeds: Sequence[int] | None = None,
    best: bool = False,
    recipe: Recipe | None = None,
    round: int | None = None,
    members: Sequence[int] | None = None,
) -> tuple[Recipe, Callable[[Tensor], Tensor]]:
    """A run's trained generators as one function of latent vectors, in evaluation mode and without gradients.

    Args:
        run: A run or its folder.
        source: The user's own Python file that the recipe needs, if it has moved since.
        seeds: Members to load; all if None.
        best: Load the best checkpoint instead of the newest.
        recipe: The recipe with the networks themselves, where they exist in memory only and were not trained here.
        round: Load the checkpoint of this round, one of the run's `rounds_saved`, instead of the newest.
        members: Indices of the members to load, in place of `seeds`.

    Returns:
        The recipe (of the chosen members only), and G, which maps latent vectors `(P, N, size)` to examples
        `(P, N, *shape)` in data units.

    Raises:
        SparringError: The folder holds no run, or no such checkpoint yet.
        UsageError: The run has no member of such a seed.
    """
    with preserving_torch_rng():
        recipe, generators = generators_of(run, source, seeds, best, recipe, round, members)
    generators.train(False)

    @torch.no_grad()
    def G(z: Tensor) -> Tensor:
        with preserving_torch_rng():
            return recipe.data.in_data_units(generators(z))

    return recipe, G


def latents(recipe: Recipe, z_seeds: Sequence[int]) -> Tensor:
    """Latent vectors that can be made again: each is generated from its own integer, its z seed.

    A vector depends only on the member's seed, the latent distribution and its z seed.

    Args:
        recipe: Says the latent distribution and the members' seeds.
        z_seeds: Integers from 0 to 2**63 - 1, one for each vector.

    Returns:
        `(P, len(z_seeds), size)`. Where training is class-conditional, the one-hot class `z_seed % classes` is
        appended to each vector; where it is by clusters, that of a cluster: z seeds have each as often as the data.

    Raises:
        UsageError: A z seed lies outside its range.
    """
    if outside := [z_seed for z_seed in z_seeds if not 0 <= z_seed < 2**63]:
        raise UsageError(f"a latent vector's z seed must lie between 0 and 2**63 - 1, not at {outside[0]}")
    rng = RandomStreams(recipe.seeds)
    drawn: dict[int, Tensor] = {}
    for z_seed in sorted(set(z_seeds)):
        rng.begin(z_seed)
        drawn[z_seed] = recipe.latent.draw(rng, "latent number", 1)
    vectors = torch.cat([drawn[z_seed] for z_seed in z_seeds], 1)
    return with_classes(recipe, vectors, classes_of_z_seeds(recipe, z_seeds))


def classes_of_z_seeds(recipe: Recipe, z_seeds: Sequence[int]) -> Sequence[int]:
    """The class, or the cluster, that goes with each z seed; zeros where there are none."""
    if recipe.cluster_sizes:
        sizes = np.array(recipe.cluster_sizes, dtype=float)
        return classes_at(sizes / sizes.sum(), z_seeds)
    return [z_seed % (recipe.classes or 1) for z_seed in z_seeds]


def z_seeds_in_shares(shares: np.ndarray | None, classes: int, count: int) -> Sequence[int]:
    """The z seeds of `count` latent vectors whose classes have these shares; the first ones where shares are equal."""
    if shares is None:
        return range(count)
    return [classes * number + k for number, k in enumerate(in_shares(shares, classes, count))]


def with_classes(recipe: Recipe, latent: Tensor, chosen: Sequence[int]) -> Tensor:
    """Append a one-hot class to latent vectors where training is class-conditional.

    Args:
        recipe: Says how many classes there are.
        latent: `(P, N, size)`.
        chosen: The class of each vector.

    Returns:
        `(P, N, size + classes)`, or `latent` itself without classes.
    """
    if not recipe.classes:
        return latent
    classes = torch.tensor(chosen, device=latent.device)
    one_hot = torch.nn.functional.one_hot(classes, recipe.classes).to(latent.dtype)
    return torch.cat([latent, one_hot.expand(len(latent), *one_hot.shape)], -1)


def sample(
    run: RunFolder | str | PathLike[str],
    count: int = 64,
    *,
    source: Path | None = None,
    z_seeds: Sequence[int] | None = None,
    seeds: Sequence[int] | None = None,
    best: bool = False,
    recipe: Recipe | None = None,
) -> np.ndarray:
    """Generate examples with every member of a run.

    Args:
        run: A run or its folder.
        count: How many examples of each member: those of the z seeds 0 to `count` - 1.
        source: The user's own Python file that the recipe needs, if it has moved since.
        z_seeds: Which latent vectors, each generated from its own integer; overrides `count`.
        seeds: Members to sample from; all if None.
        best: Use the best checkpoint instead of the newest.
        recipe: The recipe with the networks themselves, where they exist in memory only and were not trained here.

    Returns:
        float32 `(P, N, *shape)` in data units ([0, 1] for images), of a table in those of its file (float64 where
        float32 is too coarse for it). The same z seed gives the same example.

    Raises:
        SparringError: The folder holds no run, or no such checkpoint yet.
        UsageError: `count` is below 1, or the run has no member of such a seed.
    """
    recipe, samples = generated(run, count, source, z_seeds, seeds, best, recipe)
    return recipe.data.in_own_units(samples)


def generated(
    run: RunFolder | str | PathLike[str],
    count: int,
    source: Path | None = None,
    z_seeds: Sequence[int] | None = None,
    seeds: Sequence[int] | None = None,
    best: bool = False,
    recipe: Recipe | None = None,
    members: Sequence[int] | None = None,
) -> tuple[Recipe, np.ndarray]:
    """The run's recipe, with the chosen seeds or members, and what `sample` gives, in data units."""
    if (whole := as_int(count)) is None or whole < 1:
        raise UsageError(f"count must be a whole number of at least 1, not {count!r}")
    chosen = range(whole) if z_seeds is None else whole_numbers("z_seeds", z_seeds)
    recipe, G = explorable(run, source=source, seeds=seeds, best=best, recipe=recipe, members=members)
    return recipe, G(latents(recipe, chosen)).float().cpu().numpy()


class Generator(nn.Module):
    """One member's generator: latent vectors `(B, size)` -> examples `(B, *shape)` in data units.

    Of tables and signals these are standard deviations from the mean: `recipe.data.in_own_units` takes them back.

    A class-conditional one takes the classes as well, integers `(B,)`. Where clusters take their place, vectors end in
    the one-hot cluster.
    """

    def __init__(self, network: nn.Module, recipe: Recipe):
        super().__init__()
        self.network = network
        self.latent_size, self.classes = recipe.latent.size + recipe.clusters, recipe.data_classes
        self.shape = recipe.data.shape
        self._in_data_units = recipe.data.in_data_units

    def forward(self, z: Tensor, classes: Tensor | None = None) -> Tensor:
        """Raises ValueError for vectors of another size, or where classes are missing or not asked for."""
        if z.dim() != 2 or z.shape[1] != self.latent_size:
            raise ValueError(f"this generator takes latent vectors (B, {self.latent_size}), not {tuple(z.shape)}")
        if (classes is not None) != bool(self.classes):
            needs = f"is class-conditional: give it classes (B,), from 0 to {self.classes - 1}"
            raise ValueError(f"this generator {needs if self.classes else 'takes no classes'}")
        if classes is not None:
            z = torch.cat([z, nn.functional.one_hot(classes, self.classes).to(z.dtype)], 1)
        return self._in_data_units(self.network(z))


def generator_module(
    run: RunFolder | str | PathLike[str],
    seed: int,
    best: bool = False,
    source: Path | None = None,
    recipe: Recipe | None = None,
) -> Generator:
    """One member's generator as an ordinary module, in evaluation mode.

    Args:
        run: A run or its folder.
        seed: The member.
        best: Take the best checkpoint, whose samples were nearest to the data, instead of the newest.
        source: The user's own Python file that the recipe needs, if it has moved since.
        recipe: The recipe with the networks themselves, where they exist in memory only and were not trained here.

    Raises:
        SparringError: The folder holds no run, or no such checkpoint yet.
        UsageError: The run has no member of this seed.
    """
    recipe, generators = generators_of(run, source, [seed], best, recipe)
    if generators.size > 1:
        raise UsageError(
            f"seed {seed} is there {generators.size} times, with other numbers: split the run (`sparring split RUN`)"
        )
    with preserving_torch_rng():
        network = maker_of_generators(recipe)()
    network.load_state_dict({name: tensor[0].clone() for name, tensor in generators.state().items()})
    return Generator(network.eval(), recipe).eval()
