"""Evaluate a game's samples while it trains: a few quick metrics of each member, beside what real data scores.

An evaluation changes nothing of the game: what is trained is the same with and without it. The real examples that
samples are compared with are drawn once, from a random stream of their own.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.analysis.generators import with_classes
from sparring.analysis.judge_choice import judge_of
from sparring.analysis.samples import DRAWN_BY, draw, fitting_metrics, in_data_units, quantiles_of, views
from sparring.datasets import Dataset
from sparring.datasets._images import Images
from sparring.errors import SparringError
from sparring.game.assembly import preserving_torch_rng
from sparring.game.game import Examples, Game, Labeled
from sparring.game.population import Population
from sparring.judges import Judge
from sparring.metrics import MIN_EXAMPLES, Metric
from sparring.recipe import Recipe
from sparring.record.journal import json_numbers
from sparring.rng import RandomStreams

COUNT = 256
"""Samples of each member in one evaluation: enough for 64 features, and a judge takes a tenth of a second for them."""
MIN_COUNT = 64
"""Where so many members' samples would not fit in memory there are fewer, but not fewer than this."""
AT_ONCE = 2**25
"""How many numbers of samples are in memory at once: an eighth of a gigabyte, and metrics make copies."""
MAX_TRAINING = 2_048
"""How many training examples nearest neighbors are searched among. More would cost more than the judge."""


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


@dataclass(frozen=True)
class RelativeMetrics:
    """Metrics of samples as they are, without a judge, as ratios to what held-out real examples score."""

    training: np.ndarray
    """float32 `(M, *shape)` in data units."""
    metrics: Mapping[str, Metric]
    """By name; all of them are `relative`."""
    real: Mapping[str, float]
    """What held-out real examples score, by the metric's name; none of these is 0."""

    @classmethod
    def of(cls, data: Dataset, training: np.ndarray, held_out: np.ndarray | None, samples: int) -> RelativeMetrics:
        """Every relative metric that fits.

        Args:
            data: The data set.
            training: Training examples `(M, *shape)` in data units.
            held_out: Others `(N, *shape)`; without these, training examples are compared with one another.
            samples: How many samples each member will be evaluated with.
        """
        found = fitting_metrics(data, {"examples"})
        fitting = {n: m for n, m in found.items() if m.quick and m.relative and samples >= m.min_examples}
        real: dict[str, float] = {}
        for name, metric in fitting.items():
            if held_out is None:
                enough = len(training) >= metric.min_examples
                score = metric.leave_one_out(training, COUNT) if enough else 0.0
            else:
                enough = min(len(training), len(held_out)) >= metric.min_examples
                score = float(metric(training, held_out[None])[0]) if enough else 0.0
            if 0 < score < np.inf:
                real[name] = score
        return cls(training, {name: fitting[name] for name in real}, real)

    def __call__(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        """Of samples `(P, n, *shape)` in data units, each metric's ratios `(P,)`; NaN for a member that diverged."""
        return {n: m.ratio(m(self.training, samples), self.real[n]) for n, m in self.metrics.items()}


@dataclass(frozen=True)
class Evaluator:
    """What evaluations need; the same for every evaluation of a run."""

    data: Dataset
    latent: Tensor
    """The run's own latent vectors for evaluation, `(P, n, size)`, with the classes appended where G gets classes.

    n is 1 for a constant latent vector.
    """
    reals: Reals
    relative: RelativeMetrics
    judge: Judge | None
    metrics: Mapping[str, Metric]
    """Those in the space of features, classes or coordinates."""
    reference: Mapping[str, np.ndarray]
    """Real examples in each space, `(N, D)`; as many samples are compared with them."""
    real_baseline: Mapping[str, float]
    """What held-out real data scores, by the metric's name."""
    quantiles: np.ndarray
    """QUANTILES of the numbers of training examples, as the networks see them, `(Q,)`."""
    chunk: int
    """How many examples of a member a network is given at a time."""
    setup_seconds: float
    """How long it took to prepare all this."""
    expected_seconds: float
    """How long an evaluation may take, estimated before there was one."""

    @classmethod
    def of(cls, recipe: Recipe, game: Game, data_dir: Path | None, members: int = 0) -> Evaluator:
        """For a game of `recipe`. It downloads no more than the data set's own test split, and trains no judge.

        `members` is the size of the whole population, where this game is one shard of it.
        """
        began = time.perf_counter()
        with torch.no_grad(), preserving_torch_rng():
            count = _count(recipe, members or len(recipe.seeds))
            rng = RandomStreams(recipe.seeds, game.rng.device, game.rng.dtype)
            latent = with_classes(recipe, recipe.latent.draw(rng, "probe", count), range(count))
            if not bool((latent != latent[:, :1]).any()):
                latent = latent[:, :1]
            reals = _reals(recipe, game, count, data_dir)
            training = in_data_units(recipe.data, _without_classes(reals.training)[0])
            held_out = None
            if reals.held_out is not None:
                held_out = in_data_units(recipe.data, _without_classes(reals.held_out)[0])
            relative = RelativeMetrics.of(recipe.data, training, held_out, latent.shape[1])
            judge = judge_of(recipe.data)
            judge = judge if judge is not None and judge.accepts(recipe.data.shape) else None
            prepared = time.perf_counter()
            reference, held_out_views = (views(side, judge) for side in _sides(training, held_out, count))
            metrics = _quick(recipe.data, reference) if len(reference["pixels"]) >= MIN_EXAMPLES else {}
            baseline = {
                name: float(m(reference[m.space], held_out_views[m.space][None])[0]) for name, m in metrics.items()
            }
            took = time.perf_counter() - prepared
        return cls(
            data=recipe.data,
            latent=latent,
            reals=reals,
            relative=relative,
            judge=judge,
            metrics=metrics,
            reference=reference,
            real_baseline={**baseline, **dict.fromkeys(relative.real, 1.0)},
            quantiles=quantiles_of(_without_classes(reals.training)[:1])[0],
            chunk=max(recipe.batch, MIN_COUNT),
            setup_seconds=time.perf_counter() - began,
            expected_seconds=took / 2 * len(recipe.seeds),  # two sides were scored
        )

    def evaluate(self, game: Game, generated: Tensor | None = None) -> dict[str, np.ndarray]:
        """The metrics of the game's current samples, and D's mean outputs in evaluation mode: each float64 `(P,)`.

        Samples that are there already (`generate`) need not be generated again.
        """
        generated = self.generate(game) if generated is None else generated
        with torch.no_grad(), preserving_torch_rng(), _preserving_buffers(game.players["D"].networks):
            outputs = self._d_outputs(game, generated)
            samples = in_data_units(self.data, generated)
        compared = samples[:, : self.compared] if samples.shape[1] > 1 else samples.repeat(self.compared, 1)
        with np.errstate(over="ignore", invalid="ignore"):  # of a member that is about to diverge
            spaces = views(compared, self.judge) if self.metrics else {}
            values = {name: m(self.reference[m.space], spaces[m.space]) for name, m in self.metrics.items()}
            return {**values, **self.relative(samples), **outputs}

    @property
    def compared(self) -> int:
        """Examples on either side of a comparison."""
        return len(self.reference["pixels"])

    def baseline_event(self) -> dict[str, Any]:
        """The fields of the journal's real-baseline event."""
        return {
            "n": self.compared if self.metrics else None,
            "samples": self.latent.shape[1],
            "training": len(self.relative.training),
            "examples": self.reals.examples,
            "judge": self.judge.name if self.judge and self.metrics else None,
            "held_out": self.reals.held_out_from,
            "quantiles": json_numbers(self.quantiles),
            "metrics": {n: json_numbers(value) for n, value in self.real_baseline.items() if np.isfinite(value)},
        }

    def generate(self, game: Game) -> Tensor:
        """The game's current samples as the networks see them, `(P, n, *shape)`."""
        with torch.no_grad(), preserving_torch_rng(), _preserving_buffers(game.G), game.with_averaged_weights():
            game.G.train(False)
            try:
                return torch.cat([game.G(part) for part in self.latent.split(self.chunk, 1)], 1)
            finally:
                game.G.train(True)

    def _d_outputs(self, game: Game, samples: Tensor) -> dict[str, np.ndarray]:
        """D's mean output for training, generated and held-out examples, each `(P,)`."""
        if samples.shape[1] == 1:
            samples = samples.expand(-1, COUNT, *samples.shape[2:])
        fakes = Labeled(samples, self.latent[..., -game.classes :]) if game.classes else samples
        training, generated = self._mean_outputs(game, self.reals.training, fakes)
        outputs = {"d_train": training, "d_generated": generated}
        if self.reals.held_out is not None:
            outputs["d_held_out"], _ = self._mean_outputs(game, self.reals.held_out, fakes)
        return outputs

    def _mean_outputs(self, game: Game, reals: Examples, fakes: Examples) -> tuple[np.ndarray, np.ndarray]:
        """For real examples and for as many generated ones beside them, each `(P,)`."""
        count = min(_without_classes(reals).shape[1], _without_classes(fakes).shape[1])
        parts = [slice(at, min(at + self.chunk, count)) for at in range(0, count, self.chunk)]
        pairs = [game.outputs(_some(reals, part), _some(fakes, part)) for part in parts]
        real, fake = (torch.cat(kind, 1).cpu().double().mean(1).numpy() for kind in zip(*pairs, strict=True))
        return real, fake


# Real examples.


def _count(recipe: Recipe, members: int) -> int:
    numbers = members * int(np.prod(recipe.data.shape))
    return max(MIN_COUNT, min(COUNT, AT_ONCE // numbers))


def _reals(recipe: Recipe, game: Game, count: int, data_dir: Path | None) -> Reals:
    data, source = recipe.data, game.source
    if not isinstance(source, Images):
        training, held_out = _drawn(recipe, game, MAX_TRAINING, DRAWN_BY), _drawn(recipe, game, count, DRAWN_BY + 1)
        return Reals(training, held_out, "other draws from the same distribution")
    examples = len(source.pixels)
    training = _drawn(recipe, game, min(examples, MAX_TRAINING), DRAWN_BY)
    if game.classes:
        return Reals(training, None, "none: the classes of held-out examples are not known", examples)
    try:
        held_out = data.held_out(data_dir)
    except SparringError as error:
        return Reals(training, None, f"none: {error}", examples)
    if held_out is None:
        return Reals(training, None, "none: the data set has no held-out part", examples)
    low, high = data.span
    chosen = torch.from_numpy(held_out[np.random.default_rng(1).permutation(len(held_out))[:count]])
    scaled = chosen.to(game.rng.device, game.rng.dtype).mul_((high - low) / 255).add_(low)
    return Reals(training, scaled.expand(len(recipe.seeds), *scaled.shape), "its test split", examples)


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


def _sides(training: np.ndarray, held_out: np.ndarray | None, count: int) -> tuple[np.ndarray, np.ndarray]:
    """What samples are compared with, and as many others that take the samples' place for the baseline."""
    if held_out is not None:
        n = min(count, len(training), len(held_out))
        return training[:n], held_out[:n]
    n = min(count, len(training) // 2)
    return training[:n], training[n : 2 * n]


def _quick(data: Dataset, spaces: Mapping[str, np.ndarray]) -> dict[str, Metric]:
    """The metrics that are cheap enough during training and can be computed in these spaces, by name."""
    return {name: metric for name, metric in fitting_metrics(data, spaces.keys()).items() if metric.quick}


def _without_classes(examples: Examples) -> Tensor:
    return examples.x if isinstance(examples, Labeled) else examples


def _some(examples: Examples, part: slice) -> Examples:
    """The same part of every member's examples."""
    if isinstance(examples, Labeled):
        return Labeled(examples.x[:, part], examples.classes[:, part])
    return examples[:, part]


# Changing nothing of the game.


@contextmanager
def _preserving_buffers(*players: Population) -> Generator[None]:
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
