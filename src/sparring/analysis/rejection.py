"""Rejection sampling: samples that D takes for real more often, with D calibrated on examples that it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.analysis.evaluator import ranked_right
from sparring.analysis.generators import explorable, latents, recipe_of, z_seeds_in_shares
from sparring.analysis.judge_choice import judge_for
from sparring.analysis.samples import Real, classes_of_held_out, real_data, to_pixels, views
from sparring.analysis.watched import is_watched
from sparring.analysis.wording import count as counted
from sparring.datasets._clusters import clusters_of
from sparring.datasets._shares import in_shares
from sparring.errors import SparringError, UsageError
from sparring.game.assembly import maker_of_discriminators, weights_of
from sparring.game.population import Population
from sparring.game.runtime import preserving_torch_rng
from sparring.languages import Text
from sparring.metrics import all_metrics
from sparring.progress import progress
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.record.journal import json_numbers
from sparring.record.members import labels_of
from sparring.rng import RandomStreams

CALIBRATED_ON = 1_000
"""Real and generated examples that D is calibrated on, at most."""
CALIBRATION_SEEDS = 2**40
"""The z seed from which on the generated ones are: far from those that are sampled."""
SURE = 0.95
"""Quantile of the odds of generated examples from which on one is always accepted."""
AT_ONCE, MAX_TRIED = 256, 64
"""Latent vectors at a time, and how many are tried for each example that is asked for, at most."""
MIN_COMPARED = 32
"""Samples from which on those with and without the filter are compared."""
Players = Callable[..., Tensor]
"""Generators, or discriminators, of P members side by side; in a class-conditional run discriminators are given one-hot
classes too."""
STEPS, RIDGE = 50, 1e-5
"""Newton steps of the calibration, and its penalty on the slope, for scores that separate both kinds."""


@dataclass(frozen=True)
class Filtered:
    """Samples that passed, and what that did."""

    seeds: tuple[int, ...]
    names: tuple[Any, ...]
    """What the members are called: their seeds, or where a seed is that of several, text that says which."""
    samples: np.ndarray
    """float32 `(P, N, *shape)` in data units."""
    z_seeds: np.ndarray
    """Which latent vectors passed, int64 `(P, N)`."""
    acceptance: np.ndarray
    """Share of the samples that passed, `(P,)`."""
    auc: np.ndarray
    """How well D tells held-out real from generated examples: area under its ROC curve, 0.5 for not at all, `(P,)`."""
    metrics: dict[str, tuple[np.ndarray, np.ndarray]]
    """Metric -> its value without and with the filter, `(P,)` each."""
    held_out_from: str
    unseen: bool
    """Whether D was calibrated on examples that it was not trained on."""

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "acceptance": json_numbers(self.acceptance),
            "auc": json_numbers(self.auc),
            "held_out": self.held_out_from,
            "unseen": self.unseen,
            "metrics": {
                name: {"all": json_numbers(before), "passed": json_numbers(after)}
                for name, (before, after) in self.metrics.items()
            },
            "z_seeds": self.z_seeds.tolist(),
        }


def filtered(
    run: RunFolder,
    count: int = 64,
    seeds: Sequence[int] | None = None,
    best: bool = False,
    data_dir: Path | None = None,
    source: Path | None = None,
    recipe: Recipe | None = None,
) -> Filtered:
    """Sample every member until `count` samples have passed its own D.

    D's scores s of held-out real and of as many generated examples are calibrated by logistic regression, p = 1 / (1 +
    exp(-(a s + b))). The odds r = p / (1 - p) estimate the ratio of the densities of real and of generated examples,
    and a sample passes with probability min(1, r / M), M the SURE quantile of r over generated examples. S. Azadi et
    al., "Discriminator rejection sampling", ICLR 2019, where M is the largest r seen. In a class-conditional run D is
    given the class or cluster of each example, and each is as frequent as in the data. A relativistic loss compares
    scores of one class alone: of its D's scores the mean of the class's generated examples is subtracted first.

    Args:
        run: The run.
        count: Samples of each member.
        seeds: Members; all if None.
        best: Use the best checkpoint instead of the newest.
        data_dir: Where data sets are kept.
        source: The user's own Python file that the recipe needs, if it has moved since.
        recipe: The recipe with the networks themselves, where they exist in this process only.

    Raises:
        SparringError: There is no checkpoint, or its D cannot say how real one example is.
        UsageError: The run has no such member, or training is class-conditional and the classes of held-out examples
            are not known.
    """
    members = None if seeds is None else recipe_of(run, source, recipe).members_with(seeds)
    chosen, D = discriminators(run, source, None, best, recipe, members)
    _, G = explorable(run, source=source, best=best, recipe=recipe, members=members)
    real = real_data(chosen.data, CALIBRATED_ON, data_dir, chosen.data_classes)
    classes = _one_hot(chosen, real, data_dir)
    first = CALIBRATION_SEEDS - CALIBRATION_SEEDS % max(1, chosen.data_classes)
    z = latents(chosen, [first + z_seed for z_seed in _in_shares(chosen, real, len(real.held_out))])
    scores = D
    if classes is not None and chosen.objective.relativistic:
        scores = leveled(D, G(z), z[..., -chosen.classes :])
    accepts = rejection(G, scores, z, torch.from_numpy(real.held_out)[None], classes)
    names, of = tuple(labels_of(chosen.to_dict())), counted(len(chosen.seeds), "seed")
    title = Text("sampling until {examples} of {seeds} passed", examples=counted(count, "example"), seeds=of)
    with progress(title, count) as update:
        passing = _passed(G, scores, chosen, _wanted(chosen, real, count), accepts, update)
    z_seeds = np.stack([np.array(each.chosen) for each in passing])
    samples = np.stack([G(latents(chosen, of))[m].float().numpy() for m, of in enumerate(z_seeds.tolist())])
    acceptance = np.array([each.passed / each.tried for each in passing])
    metrics = _compared(G, chosen, samples, real, data_dir)
    unseen = real.unseen is not None
    return Filtered(chosen.seeds, names, samples, z_seeds, acceptance, accepts.auc, metrics, real.held_out_from, unseen)


@dataclass(frozen=True)
class Acceptance:
    """Which examples pass, for P members."""

    slope: np.ndarray
    offset: np.ndarray
    """An example with score s passes with probability min(1, exp(slope s + offset)), `(P,)` each."""
    auc: np.ndarray
    """How well D tells real from generated examples: area under its ROC curve, 0.5 for not at all, `(P,)`."""

    def log_probability(self, scores: Tensor) -> np.ndarray:
        """Of passing, for D's scores `(P, N)`; above 0 for what passes always."""
        return self.slope[:, None] * scores.double().numpy() + self.offset[:, None]


def rejection(G: Players, D: Players, z: Tensor, real: Tensor, classes: Tensor | None = None) -> Acceptance:
    """Calibrate D by examples that it was not trained on, and say which examples pass; see `filtered`.

    Args:
        G: Latent vectors `(P, N, size)` -> examples `(P, N, *shape)` in data units.
        D: Examples `(P, N, *shape)` in data units -> scores `(P, N)`. Where `classes` are given, so is a second
            argument, one-hot `(P, N, K)`.
        z: Latent vectors of the generated examples to calibrate with, `(P, N, size)`; with classes, their last K
            numbers are these.
        real: Held-out real examples, `(P, N, *shape)`, or `(1, N, *shape)` for all members.
        classes: Theirs, one-hot `(1, N, K)`, in a class-conditional run.
    """
    generated = G(z)
    real = real.expand(len(generated), *real.shape[1:])
    of_real = () if classes is None else (classes.expand(len(generated), *classes.shape[1:]),)
    on_real = D(real, *of_real).double().numpy()
    on_generated = D(generated, *_classes_in(z, 0 if classes is None else classes.shape[-1])).double().numpy()
    a, b = calibrated(on_real, on_generated)
    limit = np.quantile(a[:, None] * on_generated + b[:, None], SURE, axis=1)
    auc = ranked_right(torch.from_numpy(on_real), torch.from_numpy(on_generated))
    return Acceptance(a, b - limit, auc)


def leveled(D: Players, generated: Tensor, one_hot: Tensor) -> Players:
    """D less its mean score of the generated examples `(P, N, *shape)` of each class, one-hot `(P, N, K)`.

    The odds that it gives estimate a ratio of densities, whose mean over generated examples is the same in each class.
    A class that none of them is of has the mean of all.
    """
    scores, count = D(generated, one_hot), one_hot.sum(1)
    mean = torch.einsum("pn,pnk->pk", scores, one_hot) / count.clamp(min=1)
    level = torch.where(count > 0, mean, scores.mean(1, keepdim=True))
    return lambda examples, classes: D(examples, classes) - torch.einsum("pnk,pk->pn", classes, level)


def calibrated(real: np.ndarray, generated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope a and offset b, `(P,)` each, of the log odds a s + b that an example with score s is real.

    Logistic regression with a small ridge, for every member by Newton's method.

    Args:
        real: Scores of real examples, `(P, N)`.
        generated: Scores of as many generated ones, `(P, N)`.
    """
    a, b = np.zeros(len(real)), np.zeros(len(real))
    for m, (r, g) in enumerate(zip(real, generated, strict=True)):
        scores = np.concatenate([r, g]).astype(np.float64)
        center, scale = scores.mean(), scores.std() or 1.0
        x = np.stack([(scores - center) / scale, np.ones(len(scores))], 1)
        y = np.concatenate([np.ones(len(r)), np.zeros(len(g))])
        ridge = np.diag([RIDGE * len(scores), 1e-9])
        w = np.zeros(2)
        for _ in range(STEPS):
            p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
            step = np.linalg.solve(x.T @ (x * (p * (1 - p))[:, None]) + ridge, x.T @ (p - y) + ridge @ w)
            w -= step
            if np.abs(step).max() < 1e-9:
                break
        a[m], b[m] = w[0] / scale, w[1] - w[0] * center / scale
    return a, b


def _classes_in(z: Tensor, classes: int) -> tuple[Tensor, ...]:
    """The one-hot classes `(P, N, K)` at the end of latent vectors, as further arguments of D; none without classes."""
    return (z[..., -classes:],) if classes else ()


def _one_hot(recipe: Recipe, real: Real, data_dir: Path | None) -> Tensor | None:
    """The classes of the held-out examples, or their clusters, `(1, N, K)`; None without either. Raises where they are
    not known."""
    if not recipe.classes:
        return None
    if recipe.clusters:
        held_out = to_pixels(real.held_out) if len(recipe.data.shape) == 3 else real.held_out
        known = clusters_of(recipe.data.open(data_dir, "cpu"), recipe.clusters).of(held_out)
    else:
        known = classes_of_held_out(recipe.data, real, data_dir)
    if known is None:
        raise UsageError(
            "--filter d: training is class-conditional, and the classes of held-out examples are not known"
        )
    return torch.eye(recipe.classes)[torch.from_numpy(known.astype(np.int64))][None]


def _in_shares(recipe: Recipe, real: Real, count: int) -> Sequence[int]:
    """The z seeds of `count` latent vectors whose classes are as frequent as the data's."""
    return z_seeds_in_shares(real.class_shares, recipe.data_classes, count)


def _wanted(recipe: Recipe, real: Real, count: int) -> np.ndarray:
    """How many samples of each class or cluster are to pass, int64 `(K,)`; of all together, `(1,)`, without either."""
    kinds, sizes = max(1, recipe.classes), np.array(recipe.cluster_sizes)
    shares = sizes / sizes.sum() if recipe.clusters else real.class_shares
    return np.bincount(in_shares(shares, kinds, count), minlength=kinds)


def _check(recipe: Recipe) -> None:
    """Raises where D says nothing of one example by itself."""
    shape = recipe.data.shape
    for trick in recipe.tricks:
        if trick.shape(shape) != shape:
            raise UsageError("--filter d: D is given several examples at a time (packing), and cannot judge one alone")


def discriminators(
    run: RunFolder,
    source: Path | None = None,
    seeds: Sequence[int] | None = None,
    best: bool = False,
    recipe: Recipe | None = None,
    members: Sequence[int] | None = None,
) -> tuple[Recipe, Players]:
    """The discriminators of a run, as `explorable` gives its generators.

    Args:
        run: The run.
        source: The user's own Python file that the recipe needs, if it has moved since.
        seeds: Members; all if None.
        best: Use the best checkpoint instead of the newest.
        recipe: The recipe with the networks themselves, where they exist in this process only.
        members: Indices of the members, in place of `seeds`.

    Returns:
        The recipe of these members, and examples `(P, N, *shape)` in data units -> scores `(P, N)`, without gradients;
        with one-hot classes `(P, N, K)` as a second argument where training is class-conditional.

    Raises:
        SparringError: There is no checkpoint, or its D cannot say how real one example is.
        UsageError: The run has no such member.
    """
    if is_watched(run):
        raise SparringError(
            f"{run.path} is a watched loop, whose discriminator is not kept: there is none to filter with"
        )
    whole = recipe_of(run, source, recipe)
    _check(whole)
    checkpoint = run.load("D.", best)
    weights = weights_of(checkpoint[1], "D") if checkpoint else {}
    if not weights:
        raise SparringError(f"{run.path} holds no discriminator: there is none to filter with")
    if members is None:
        members = range(len(whole.seeds)) if seeds is None else whole.members_with(seeds)
    at = list(members)
    chosen = whole.select(at)
    with preserving_torch_rng():
        rng = RandomStreams(chosen.seeds)
        D = Population(maker_of_discriminators(chosen), rng.torch_seeds("D"), rng.for_layers("sampling"))
    D.load({name: tensor[at] for name, tensor in weights.items()})
    D.train(False)
    zero, one = chosen.data.in_data_units(torch.tensor([0.0, 1.0]))

    @torch.no_grad()
    def scores(examples: Tensor, *classes: Tensor) -> Tensor:
        as_networks_see = (examples.float() - zero) / (one - zero)
        parts = [each.split(AT_ONCE, 1) for each in (as_networks_see, *classes)]
        return torch.cat([D(*part) for part in zip(*parts, strict=True)], 1)

    return chosen, scores


class _Passing:
    """What has passed of one member so far."""

    def __init__(self, wanted: np.ndarray):
        self._missing = wanted.copy()
        """How many samples of each class are still to pass, `(K,)`."""
        self.chosen: list[int] = []
        """The z seeds of those that did."""
        self.passed = self.tried = 0

    def take(self, z_seeds: Sequence[int], kinds: np.ndarray, passed: np.ndarray) -> None:
        """Of samples that were tried, of these classes `(N,)`: those that passed, bool `(N,)`, as long as more of
        their class are wanted."""
        self.tried += len(z_seeds)
        self.passed += int(passed.sum())
        for z_seed, kind in zip(np.asarray(z_seeds)[passed].tolist(), kinds[passed].tolist(), strict=True):
            if self._missing[kind]:
                self._missing[kind] -= 1
                self.chosen.append(z_seed)

    @property
    def is_done(self) -> bool:
        return not self._missing.any()


def _passed(
    G: Players,
    D: Players,
    recipe: Recipe,
    wanted: np.ndarray,
    accepts: Acceptance,
    update: Callable[[int], None],
) -> list[_Passing]:
    """What passes of each member until there are as many of each class as `wanted`; z seeds are tried in order."""
    passing, count = [_Passing(wanted) for _ in recipe.seeds], int(wanted.sum())
    for first in range(0, MAX_TRIED * max(count, AT_ONCE), AT_ONCE):
        z_seeds = range(first, first + AT_ONCE)
        z = latents(recipe, z_seeds)
        classes = _classes_in(z, recipe.classes)
        odds = accepts.log_probability(D(G(z), *classes))
        kinds = classes[0].argmax(-1).numpy() if classes else np.zeros(z.shape[:2], dtype=np.int64)
        drawn = RandomStreams(recipe.seeds)
        drawn.begin(first)
        threshold = drawn.uniform("rejection", (AT_ONCE,)).double().numpy()
        for m, each in enumerate(passing):
            if not each.is_done:
                each.take(z_seeds, kinds[m], np.log(threshold[m]) < odds[m])
        update(min(len(each.chosen) for each in passing))
        if all(each.is_done for each in passing):
            return passing
    short = next(m for m, each in enumerate(passing) if not each.is_done)
    found, tried = len(passing[short].chosen), passing[short].tried
    name = labels_of(recipe.to_dict())[short]
    raise SparringError(f"seed {name}: {found} of {tried:,} samples pass its D, too few for {count}")


def _compared(
    G: Any, recipe: Recipe, samples: np.ndarray, real: Real, data_dir: Path | None
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Precision, recall and diversity without and with the filter, on as many samples of each."""
    judge = judge_for(recipe.data, None, data_dir)
    count = min(samples.shape[1], len(real.reference))
    plain, some = G(latents(recipe, _in_shares(recipe, real, count))).float().numpy(), samples[:, :count]
    before, after = (views(side, judge, side.ndim - 2) for side in (plain, some))
    reference = real.reference[:count]
    beside = views(reference, judge, reference.ndim - 1)
    leaves = {name: all_metrics()[name]() for name in ("precision", "recall")}
    if count < MIN_COMPARED:
        return {}
    found = {
        name: (leaf(beside[leaf.space], before[leaf.space]), leaf(beside[leaf.space], after[leaf.space]))
        for name, leaf in leaves.items()
        if leaf.space in beside
    }
    apart = [_apart(each) for each in (reference[None], plain, some)]
    return {**found, "diversity": (apart[1] / apart[0], apart[2] / apart[0])}


def _apart(examples: np.ndarray) -> np.ndarray:
    """Mean distance between two different examples `(P, N, D)`, `(P,)`."""
    x = torch.from_numpy(examples.reshape(*examples.shape[:2], -1)).double()
    count = x.shape[1]
    return (torch.cdist(x, x).sum((1, 2)) / (count * (count - 1))).numpy()
