"""Evaluate a game's samples while it trains: a few quick metrics of each member, beside what real data scores.

An evaluation changes nothing of the game: what is trained is the same with and without it. The real examples that
samples are compared with are drawn once, from a random stream of their own.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.analysis.generators import with_classes
from sparring.analysis.judge_choice import Choice, choose_judge
from sparring.analysis.sample_comparison import Comparison
from sparring.analysis.samples import (
    DRAWN_BY,
    MAX_TRAINING,
    draw,
    in_data_units,
    quantiles_of,
)
from sparring.datasets import Dataset, Source
from sparring.datasets._clusters import clusters_of
from sparring.datasets._images import Images
from sparring.errors import SparringError
from sparring.game.assembly import preserving_torch_rng
from sparring.game.game import Examples, Game, Labeled
from sparring.game.population import Population
from sparring.recipe import Recipe
from sparring.rng import RandomStreams

COUNT = 256
"""Samples of each member in one evaluation: enough for 64 features, and a judge takes a tenth of a second for them."""
DRAWS = 3
"""So many draws of samples there are for the evaluation after the last round, as a verdict may rest on it alone."""
MIN_COUNT = 64
"""Where so many members' samples would not fit in memory there are fewer, but not fewer than this."""
AT_ONCE = 2**25
"""How many numbers of samples are in memory at once: an eighth of a gigabyte, and metrics make copies."""


@dataclass(frozen=True)
class Reals:
    """Real examples as the networks see them, the same for every member: `(P, N, *shape)` without P copies."""

    training: Examples
    """Examples that the run is trained on."""
    held_out: Examples | None
    """Examples that no run is trained on; None where there are none."""
    held_out_from: str
    """Where they come from, or why there are none, in words."""
    examples: int | None = None
    """How many training examples there are; None where they are drawn anew without end."""

    def with_classes_of(self, latent: Tensor, classes: int) -> Reals:
        """With the classes of these latent vectors `(P, n, size)`, in their order, in a class-conditional game.

        What D's scores mean is its own for each class: a relativistic loss compares examples of one class alone.
        """
        if not classes or latent.shape[1] == 1:
            return self
        wanted = latent[0, :, -classes:].argmax(-1)
        held_out = self.held_out if self.held_out is None else _with_classes(self.held_out, wanted)
        return replace(self, training=_with_classes(self.training, wanted), held_out=held_out)


@dataclass(frozen=True)
class Evaluator:
    """What evaluations need; the same for every evaluation of a run."""

    data: Dataset
    latent: Tensor
    """The run's own latent vectors for evaluation, `(P, n, size)`, with the classes appended where G gets classes.

    n is 1 for a constant latent vector.
    """
    latents: Sequence[Tensor]
    """DRAWS times as many, of which `latent` is the first; one where a constant latent vector makes them all alike."""
    reals: Reals
    comparison: Comparison
    chunk: int
    """How many examples of a member a network is given at a time."""
    setup_seconds: float
    """How long it took to prepare all this."""
    expected_seconds: float
    """How long an evaluation may take, estimated before there was one."""

    @classmethod
    def of(
        cls, recipe: Recipe, game: Game, data_dir: Path | None, members: int = 0, choice: Choice | None = None
    ) -> Evaluator:
        """For a game of `recipe`. It downloads no more than the data set's own test split.

        `members` is the size of the whole population, where this game is one shard of it. `choice` is the judge; where
        none is given, the one that goes with the data, which may be trained first.
        """
        choice = choice or choose_judge(recipe.data, data_dir, _on_cpu(recipe, game, data_dir))
        began = time.perf_counter()
        with torch.no_grad(), preserving_torch_rng():
            count = _count(recipe, members or len(recipe.seeds))
            rng = RandomStreams(recipe.seeds, game.rng.device, game.rng.dtype)
            drawn = [recipe.latent.draw(rng, "probe", count) for _ in range(DRAWS)]
            latents = [with_classes(recipe, each, game.classes_of_data(count)) for each in drawn]
            if not bool((latents[0] != latents[0][:, :1]).any()):
                latents = [latents[0][:, :1]]
            latent = latents[0]
            pixels, classes, why = _held_out(recipe, game, data_dir)
            reals = _reals(recipe, game, count, pixels, classes, why)
            source = _on_cpu(recipe, game, data_dir)
            asked = latent[0, :, -game.classes :].argmax(-1).cpu().numpy() if recipe.data_classes else None
            known = classes if recipe.data_classes else None
            comparison = Comparison.of(recipe.data, source, count, pixels, choice, latent.shape[1], asked, known)
            quantiles = quantiles_of(_without_classes(reals.training)[:1])[0]
        return cls(
            data=recipe.data,
            latent=latent,
            latents=latents,
            reals=reals.with_classes_of(latent, game.classes),
            comparison=replace(comparison, quantiles=quantiles),
            chunk=max(recipe.batch, MIN_COUNT),
            setup_seconds=time.perf_counter() - began,
            expected_seconds=comparison.seconds * len(recipe.seeds),
        )

    @property
    def real_baseline(self) -> Mapping[str, float]:
        """What held-out real data scores, by the metric's name."""
        return self.comparison.real_baseline

    def evaluate(self, game: Game, generated: Tensor | None = None) -> dict[str, np.ndarray]:
        """The metrics of the game's current samples, and D's mean outputs (`Game.outputs`): each float64 `(P,)`.

        Samples that are there already (`generate`) need not be generated again.
        """
        return self.evaluate_with_errors(game, generated)[0]

    def evaluate_with_errors(
        self, game: Game, generated: Tensor | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """The same, and the standard errors of `distance` metrics that come from how few samples there are."""
        generated = self.generate(game) if generated is None else generated
        with torch.no_grad(), preserving_torch_rng(), preserving_buffers(game.players["D"].networks):
            outputs = self._d_outputs(game, generated)
            samples = in_data_units(self.data, generated)
        values, errors = self.comparison(samples)
        return {**values, **outputs}, errors

    def baseline_event(self) -> dict[str, Any]:
        """The fields of the journal's real-baseline event."""
        of_examples = {"examples": self.reals.examples, "held_out": self.reals.held_out_from}
        return {**self.comparison.baseline_event(), "samples": self.latent.shape[1], **of_examples}

    def generate(self, game: Game, draw: int = 0) -> Tensor:
        """The game's current samples of one of the `latents`, as the networks see them, `(P, n, *shape)`."""
        with torch.no_grad(), preserving_torch_rng(), preserving_buffers(game.G), game.with_averaged_weights():
            game.G.train(False)
            try:
                return torch.cat([game.G(part) for part in self.latents[draw].split(self.chunk, 1)], 1)
            finally:
                game.G.train(True)

    def _d_outputs(self, game: Game, samples: Tensor) -> dict[str, np.ndarray]:
        """D's mean output for training, generated and held-out examples, and the pairs it ranks right, each `(P,)`."""
        if samples.shape[1] == 1:
            samples = samples.expand(-1, COUNT, *samples.shape[2:])
        fakes = Labeled(samples, self.latent[..., -game.classes :]) if game.classes else samples
        real, fake = self._scores(game, self.reals.training, fakes)
        training, generated = (_mean(outputs) for outputs in game.outputs_of(real, fake))
        outputs = {"d_train": training, "d_generated": generated}
        if self.reals.held_out is not None:
            real, fake = self._scores(game, self.reals.held_out, fakes)
            outputs["d_held_out"] = _mean(game.outputs_of(real, fake)[0])
        return {**outputs, "d_right": ranked_right(real, fake, self._classes(fakes, real.shape[1]))}

    def _classes(self, fakes: Examples, count: int) -> Tensor | None:
        """The classes of the first examples of every member, int64 `(n,)`; None in a game without."""
        return fakes.classes[0, :count].argmax(-1) if isinstance(fakes, Labeled) else None

    def _scores(self, game: Game, reals: Examples, fakes: Examples) -> tuple[Tensor, Tensor]:
        """D's scores of real examples and of as many generated ones, each `(P, n)`."""
        count = min(_without_classes(reals).shape[1], _without_classes(fakes).shape[1])
        parts = [slice(at, min(at + self.chunk, count)) for at in range(0, count, self.chunk)]
        pairs = [game.scores(_some(reals, part), _some(fakes, part)) for part in parts]
        real, fake = (torch.cat(kind, 1) for kind in zip(*pairs, strict=True))
        return real, fake


def ranked_right(real: Tensor, fake: Tensor, classes: Tensor | None = None) -> np.ndarray:
    """Share of all pairs of a real and a generated example in which D scores the real one higher, `(P,)`.

    Of scores `(P, n)` and `(P, m)`; equal scores count as half a pair. It is the area under D's ROC curve (Mann and
    Whitney, 1947): 0.5 where D cannot tell, whatever the unit of its scores. With the classes `(n,)` of both, n = m,
    pairs are of examples of one class.
    """
    if classes is not None:
        groups = [(classes == each).nonzero()[:, 0] for each in classes.unique()]
        shares = np.stack([ranked_right(real[:, group], fake[:, group]) for group in groups], -1)
        return np.average(shares, axis=-1, weights=[len(group) ** 2 for group in groups])
    ordered, real = fake.cpu().sort(1).values.contiguous(), real.cpu().contiguous()
    below, equal_too = (torch.searchsorted(ordered, real, right=right).double() for right in (False, True))
    share = (below + equal_too).mean(1) / (2 * ordered.shape[1])
    known = real.isfinite().all(1) & ordered.isfinite().all(1)
    return torch.where(known, share, torch.nan).numpy()


def _mean(outputs: Tensor) -> np.ndarray:
    return outputs.cpu().double().mean(1).numpy()


# Real examples.


def _count(recipe: Recipe, members: int) -> int:
    numbers = members * int(np.prod(recipe.data.shape))
    return max(MIN_COUNT, min(COUNT, AT_ONCE // numbers))


def _on_cpu(recipe: Recipe, game: Game, data_dir: Path | None) -> Source:
    """The opened data, to draw from on the CPU."""
    here = isinstance(game.source, Images) or game.rng.device.type == "cpu"
    return game.source if here else recipe.data.open(data_dir, "cpu")


def _held_out(recipe: Recipe, game: Game, data_dir: Path | None) -> tuple[np.ndarray | None, np.ndarray | None, str]:
    """The data's own held-out part, its classes in a class-conditional game, and where it comes from, or why there is
    none."""
    if not isinstance(game.source, Images):
        return None, None, "other draws from the same distribution"
    try:
        pixels = recipe.data.held_out(data_dir)
        if recipe.clusters and pixels is not None:
            classes = clusters_of(game.source, recipe.clusters).of(pixels)
        else:
            classes = recipe.data.held_out_classes(data_dir) if game.classes and pixels is not None else None
    except SparringError as error:
        return None, None, f"none: {error}"
    if pixels is None:
        return None, None, "none: the data set has no held-out part"
    if game.classes and classes is None:
        return None, None, "none: the classes of held-out examples are not known"
    return pixels, classes, "its test split"


def _reals(
    recipe: Recipe, game: Game, count: int, pixels: np.ndarray | None, classes: np.ndarray | None, where: str
) -> Reals:
    source = game.source
    if not isinstance(source, Images):
        training, held_out = _drawn(recipe, game, MAX_TRAINING, DRAWN_BY), _drawn(recipe, game, count, DRAWN_BY + 1)
        return Reals(training, held_out, where)
    examples = len(source.pixels)
    training = _drawn(recipe, game, min(examples, MAX_TRAINING), DRAWN_BY)
    if pixels is None:
        return Reals(training, None, where, examples)
    low, high = recipe.data.span
    chosen = np.random.default_rng(1).permutation(len(pixels))[:count]
    scaled = torch.from_numpy(pixels[chosen]).to(game.rng.device, game.rng.dtype).mul_((high - low) / 255).add_(low)
    repeated = scaled.expand(len(recipe.seeds), *scaled.shape)
    if classes is None:
        return Reals(training, repeated, where, examples)
    one_hot = game.one_hot(torch.from_numpy(classes[chosen].astype(np.int64)).to(game.rng.device))
    return Reals(training, Labeled(repeated, one_hot.expand(len(recipe.seeds), *one_hot.shape)), where, examples)


def _drawn(recipe: Recipe, game: Game, count: int, seed: int) -> Examples:
    """What a member of that seed, which does not train, would see first; repeated for every member."""
    rng = RandomStreams((seed,), game.rng.device, game.rng.dtype)
    members = len(recipe.seeds)
    x, classes = draw(game.source, rng, count, bool(game.classes))
    repeated = x.expand(members, *x.shape[1:])
    if classes is None:
        return repeated
    one_hot = game.one_hot(classes)
    return Labeled(repeated, one_hot.expand(members, *one_hot.shape[1:]))


def _with_classes(examples: Examples, wanted: Tensor) -> Examples:
    """An example of each wanted class, int64 `(n,)`, the same for every member; others where a class has none."""
    if not isinstance(examples, Labeled):
        return examples
    there, chosen = examples.classes[0].argmax(-1).tolist(), torch.zeros_like(wanted)
    of_class = {kind: [i for i, each in enumerate(there) if each == kind] for kind in set(there)}
    used = Counter[int]()
    for at, kind in enumerate(wanted.tolist()):
        some = of_class.get(kind) or range(len(there))
        chosen[at], used[kind] = some[used[kind] % len(some)], used[kind] + 1
    x, classes = examples.x[:1, chosen], examples.classes[:1, chosen]
    return Labeled(x.expand(len(examples.x), *x.shape[1:]), classes.expand(len(examples.x), *classes.shape[1:]))


def _without_classes(examples: Examples) -> Tensor:
    return examples.x if isinstance(examples, Labeled) else examples


def _some(examples: Examples, part: slice) -> Examples:
    """The same part of every member's examples."""
    if isinstance(examples, Labeled):
        return Labeled(examples.x[:, part], examples.classes[:, part])
    return examples[:, part]


# Changing nothing of the game.


@contextmanager
def preserving_buffers(*players: Population) -> Generator[None]:
    """Restores the networks' buffers: a user's own network may count or remember in evaluation mode too."""
    saved = [{name: buffer.clone() for name, buffer in _buffers(player)} for player in players]
    try:
        yield
    finally:
        for player, before in zip(players, saved, strict=True):
            for name, buffer in _buffers(player):
                if not torch.equal(buffer, before[name]):
                    buffer.copy_(before[name])


def _buffers(player: Population) -> Iterator[tuple[str, Tensor]]:
    weights = {weight.data_ptr() for weight in player.parameters}
    return ((name, tensor) for name, tensor in player.state().items() if tensor.data_ptr() not in weights)
