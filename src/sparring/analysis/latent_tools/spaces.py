"""Whether the members of a run learned the same space: the same images, in the same arrangement, along the same lines.

Latent vectors of two members cannot be compared number by number: which number does what is decided by the weights that
a member begins with. So members are compared by what they make.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.analysis.generators import latents, recipe_of
from sparring.analysis.latent_tools.directions.effects import Effect, effects, unique_names
from sparring.analysis.latent_tools.directions.matching import Stability, matched, stability
from sparring.analysis.latent_tools.directions.sensitivity import sensitivity
from sparring.analysis.latent_tools.directions.survey import REACH, changes_of, random_changes
from sparring.analysis.latent_tools.distributions import parts_of, sd_of
from sparring.analysis.latent_tools.projected import TWICE, Searcher
from sparring.analysis.samples import real_data
from sparring.analysis.stats import students_t
from sparring.analysis.wording import named_seeds
from sparring.errors import SparringError
from sparring.languages import Text
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.record.journal import json_numbers

LARGELY, SOME = 2 / 3, 1 / 3
"""Shares from which on something is called shared, and partly shared."""
SHUFFLES = 200
"""Shuffled orders of the images, which show what correlation means nothing."""
BEYOND = 0.95
"""Quantile of those, and the confidence of intervals."""
BASE = 64
"""Latent vectors that directions are means over."""
MIN_SEEDS = 3
"""Members from which on an interval is given."""


@dataclass(frozen=True)
class Shared:
    """A mean over pairs of members, of what is a share: cut where no share can lie, as after inexact searches."""

    mean: float
    low: float | None
    high: float | None
    """The ends of its 95 % interval, by leaving out one member after the other; None below three members."""

    @property
    def words(self) -> str:
        """`74 % (70 to 78)`."""
        if not np.isfinite(self.mean):
            return "–"
        mean = f"{100 * self.mean:.0f}"
        if self.low is None or self.high is None:
            return f"{mean} %"
        return Text("{mean} % ({low} to {high})", mean=mean, low=f"{100 * self.low:.0f}", high=f"{100 * self.high:.0f}")

    @classmethod
    def over(cls, members: int, value: Callable[[np.ndarray], float]) -> Shared:
        """From what a value is for some of the members, given by their indices."""
        everyone = np.arange(members)
        mean = value(everyone)
        if members < MIN_SEEDS:
            return cls(_cut(mean), None, None)
        left = np.array([value(np.delete(everyone, k)) for k in everyone])
        error = float(np.sqrt((members - 1) / members * np.square(left - left.mean()).sum()))
        reach = students_t(members - 1, BEYOND) * error
        return cls(_cut(mean), _cut(mean - reach), _cut(mean + reach))

    @classmethod
    def of(cls, pairs: np.ndarray) -> Shared:
        """The mean of a value for each two members, `(P, P)`; the diagonal does not count."""
        return cls.over(len(pairs), lambda kept: _between(pairs[np.ix_(kept, kept)]))


def _cut(share: float) -> float:
    return float(np.clip(share, 0, 1))


def _between(pairs: np.ndarray) -> float:
    return float(pairs[~np.eye(len(pairs), dtype=bool)].mean())


@dataclass(frozen=True)
class Spaces:
    """Members of a run, compared."""

    recipe: Recipe
    images: np.ndarray
    """Images that were projected into every member, `(N, *shape)` in data units."""
    names: tuple[str, ...]
    origin: str
    """Where they come from, in words."""
    nearest: np.ndarray
    """What each member makes of them, `(P, N, *shape)`."""
    error: np.ndarray
    """Root-mean-square difference from them, in data units, `(P, N)`."""
    samples: int
    """Samples of each member that were projected into every member too."""
    found: np.ndarray
    """Mean error of row's samples projected into column, as a share of how much a sample of either differ, `(P, P)`."""
    arranged: np.ndarray
    """Correlation of the distances between latent vectors of the same images in two members, `(P, P)`; on the diagonal
    that of two searches in one member."""
    shuffled: float
    """The correlation that shuffled images stay below in 95 % of cases, in the mean over pairs."""
    effects: tuple[tuple[Effect, ...], ...]
    """Of each member's most sensitive directions."""
    stability: tuple[tuple[Stability, ...], ...]
    """Whether the others have these directions."""

    @property
    def same_images(self) -> Shared:
        """How well members find each other's samples: 1 as well as their own, 0 no better than by a random sample."""
        own = np.diag(self.found)[:, None]
        return Shared.of((1 - self.found) / np.maximum(1 - own, 1e-9))

    @property
    def same_arrangement(self) -> Shared:
        """The mean correlation between members, over that of two searches in one member."""
        members, pairs = len(self.arranged), self.arranged

        def share(kept: np.ndarray) -> float:
            return _between(pairs[np.ix_(kept, kept)]) / max(1e-9, float(np.diag(pairs)[kept].mean()))

        return Shared.over(members, share)

    @property
    def same_directions(self) -> Shared:
        """The share of directions that another member has, beyond what random directions reach."""
        members, pairs = len(self.stability), np.zeros((len(self.stability),) * 2)
        for m, directions in enumerate(self.stability):
            pairs[m] = np.mean([each.found / max(1, each.of) for each in directions])
        return Shared.of((pairs + pairs.T) / 2 if members else pairs)

    @property
    def says(self) -> str:
        """In words."""
        images, arrangement = self.same_images.mean, self.same_arrangement.mean
        directions = self.same_directions.mean
        if not np.isfinite(images):
            alike = [s for s, own in zip(self.recipe.seeds, np.diag(self.found), strict=True) if not np.isfinite(own)]
            return f"All samples of {named_seeds(alike)} are alike, so there is no space to compare."
        parts = [
            _level(images, "mostly the same images", "partly the same images", "different images"),
            _level(arrangement, "arranged mostly alike", "arranged partly alike", "arranged in other ways"),
        ]
        lines = _level(directions, "most", "some", "few")
        same = min(images, arrangement, directions) >= LARGELY
        answer = "The seeds learned the same space" if same else "The seeds did not learn the same space"
        return f"{answer}: they make {parts[0]}, {parts[1]}, and share {lines} of their strongest directions."

    def matched(self, member: int, other: int) -> list[tuple[int, float]]:
        """For each direction of a member the one of another that does most nearly the same, and the cosine of both.

        The cosine is below 0 where the other's direction has to be turned round.
        """
        mine, theirs = (changes_of(self.effects[m]) for m in (member, other))
        match, _ = matched(mine, theirs)
        pairs = [(int(k), mine[i], theirs[k]) for i, k in enumerate(match)]
        return [(k, float(a @ b / max(1e-12, np.linalg.norm(a) * np.linalg.norm(b)))) for k, a, b in pairs]

    def plain(self) -> dict[str, Any]:
        """What `sparring spaces --json` prints."""
        return {
            "seeds": list(self.recipe.seeds),
            "says": self.says,
            "same_images": asdict(self.same_images),
            "same_arrangement": asdict(self.same_arrangement),
            "same_directions": asdict(self.same_directions),
            "images": {"origin": self.origin, "names": list(self.names), "error": json_numbers(self.error)},
            "samples": self.samples,
            "found": json_numbers(self.found),
            "arranged": json_numbers(self.arranged),
            "shuffled": json_numbers(self.shuffled),
            "directions": [
                [
                    {"name": name, "share": json_numbers(each.share), **asdict(stable)}
                    for name, each, stable in zip(unique_names(mine), mine, found, strict=True)
                ]
                for mine, found in zip(self.effects, self.stability, strict=True)
            ],
        }


def _level(share: float, high: str, middle: str, low: str) -> str:
    return high if share >= LARGELY else middle if share >= SOME else low


def arrangement(
    first: Sequence[Tensor], second: Sequence[Tensor], shuffles: int = SHUFFLES
) -> tuple[np.ndarray, float]:
    """How alike members arrange the same images: the correlation of the distances between their latent vectors.

    Distances do not change when a latent space is turned or mirrored. N. Kriegeskorte et al., "Representational
    similarity analysis", Frontiers in Systems Neuroscience 2008.

    Args:
        first: Each member's latent vectors of the images, `(N, size)`, sizes may differ.
        second: The same of another search.
        shuffles: How often the images are shuffled to find what shuffled reaches.

    Returns:
        `(P, P)`, symmetric, with that of two searches in one member on the diagonal; and the BEYOND quantile of its
        mean over pairs of members where images are shuffled.
    """
    count = len(first[0])
    upper = np.triu_indices(count, 1)
    whole = [[torch.cdist(z, z).double().numpy() for z in search] for search in (first, second)]
    flat = [np.stack([_standard(each[upper]) for each in search]) for search in whole]
    found = flat[0] @ flat[1].T
    rng, apart = np.random.default_rng(0), ~np.eye(len(first), dtype=bool)
    at_random: list[float] = []
    for _ in range(shuffles if len(first) > 1 else 0):
        order = rng.permutation(count)
        shuffled = np.stack([_standard(each[np.ix_(order, order)][upper]) for each in whole[1]])
        at_random.append(float((flat[0] @ shuffled.T)[apart].mean()))
    return (found + found.T) / 2, float(np.quantile(at_random, BEYOND)) if at_random else float("nan")


def _standard(values: np.ndarray) -> np.ndarray:
    centered = values - values.mean()
    return centered / max(1e-12, float(np.linalg.norm(centered)))


def spaces(
    run: RunFolder,
    images: np.ndarray | None = None,
    names: Sequence[str] = (),
    count: int = 16,
    restarts: int = 2,
    steps: int = 200,
    top: int = 5,
    seeds: Sequence[int] | None = None,
    data_dir: Path | None = None,
    source: Path | None = None,
) -> Spaces:
    """Compare the latent spaces of a run's members.

    Args:
        run: The run.
        images: `(N, *shape)` in data units, to project into every member; held-out ones of the data if None.
        names: Of the images.
        count: How many held-out images, and how many samples of each member.
        restarts: Latent vectors that each search begins with; at least one for each class.
        steps: Of each search; there are two for each image and member.
        top: The most sensitive directions of each member to compare.
        seeds: Members; all if None.
        data_dir: Where data sets are kept.
        source: The user's own Python file that the recipe needs, if it has moved since.

    Raises:
        SparringError: There is no checkpoint yet, or only one member.
        UsageError: The run has no such member.
    """
    whole = recipe_of(run, source)
    recipe = whole.replace(seeds=seeds) if seeds is not None else whole
    if len(recipe.seeds) < 2:
        raise SparringError("latent spaces of at least two seeds are compared, and this is one: train with --seeds 8")
    search = Searcher(run, recipe, whole, data_dir, restarts, steps)
    origin = "files"
    if images is None:
        real = real_data(recipe.data, count, data_dir)
        images = real.reference[:count] if real.unseen is None else real.unseen[:count]
        origin = "training data" if real.unseen is None else f"held-out data ({real.held_out_from})"
    z = latents(recipe, range(count))
    with torch.no_grad():
        made = [G(z[m]).numpy() for m, G in enumerate(search.generators)]
    diverged = [seed for seed, each in zip(recipe.seeds, made, strict=True) if not np.isfinite(each).all()]
    if diverged:
        raise SparringError(
            f"{named_seeds(diverged)} diverged, so there is no space to compare: choose others by --seeds"
        )
    everything = np.concatenate([images, *made])
    searches = search.in_every_member(everything, TWICE)
    kept = search.free
    first, second = ([each.z[:, kept] for each in one] for one in searches)
    arranged, shuffled = arrangement(first, second)
    errors = np.stack([each.error.numpy() for each in searches[0]])
    found, stable = _directions(search, recipe, top)
    return Spaces(
        recipe,
        images,
        tuple(names) or tuple(str(k) for k in range(len(images))),
        origin,
        np.stack([each.examples[: len(images)].numpy() for each in searches[0]]),
        errors[:, : len(images)],
        count,
        _found(errors[:, len(images) :], made),
        arranged,
        shuffled,
        found,
        stable,
    )


def _found(errors: np.ndarray, made: Sequence[np.ndarray]) -> np.ndarray:
    """Errors of samples `(P, P * n)`, column by column, over how much a sample of each of two members differ."""
    members, flat = len(made), [each.reshape(len(each), -1).astype(np.float64) for each in made]
    by_pair = errors.reshape(members, members, -1).mean(2).T  # [whose samples, into whom]
    apart = np.empty((members, members))
    for a in range(members):
        for b in range(members):
            differences = np.sqrt(np.square(flat[a][:, None] - flat[b][None]).mean(2))
            apart[a, b] = differences[~np.eye(len(differences), dtype=bool)].mean()
    return np.divide(by_pair, apart, out=np.full_like(by_pair, np.nan), where=apart > 1e-9)


def _directions(
    search: Searcher, recipe: Recipe, top: int
) -> tuple[tuple[tuple[Effect, ...], ...], tuple[tuple[Stability, ...], ...]]:
    z, size = latents(recipe, range(BASE)), recipe.latent.size
    reach = REACH * sd_of(parts_of(recipe.latent), z[..., :size])
    found: list[tuple[Effect, ...]] = []
    random: list[np.ndarray] = []
    for m, G in enumerate(search.generators):
        found.append(tuple(effects(G, z[m], sensitivity(G, z[m], top, size).vectors, reach)))
        random.append(random_changes(G, z[m], len(found[-1]), size, reach))
    changes = [changes_of(each) for each in found]
    return tuple(found), tuple(tuple(stability(changes, random, m)) for m in range(len(found)))
