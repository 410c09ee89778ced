"""Looks at a game's samples while it trains: a few cheap figures for each member, beside what real data scores.

A look changes nothing of the game: what is trained is the same with and without. What real examples it holds them
against is drawn once, from chance of its own.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from sparring import catalogue
from sparring.analysis.generators import with_classes
from sparring.analysis.measure import DRAWN_BY, judge_of, views
from sparring.datasets import Dataset, LabeledSource
from sparring.datasets._images import Images
from sparring.errors import SparringError
from sparring.game.game import Examples, Game, Labeled
from sparring.game.population import Population
from sparring.game.runtime import preserving_torch_rng
from sparring.judges import Judge
from sparring.metrics import SMALLEST, Metric
from sparring.metrics._neighbors import nearest
from sparring.recipe import Recipe
from sparring.rng import RandomStreams

COUNT = 256
"""Examples of each member that a look takes: enough for 64 features, and a judge sees them in a tenth of a second."""
LEAST = 64
"""Where so many members' examples would not fit in memory, it takes fewer, but not below this."""
AT_ONCE = 2**25
"""Numbers of generated examples that are held at once: an eighth of a gigabyte, and metrics take copies."""
AMONG = 2_048
"""Training examples, at most, that the nearest is looked for among. More would cost more than the judge."""
NEARER = 100.0
"""Times as near to the average as real examples, at most: the average itself would be infinitely near."""
METRICS = (
    "frechet-distance",
    "modes",
    "class-divergence",
    "confidence",
    "high-quality",
    "reached-modes",
    "mode-divergence",
)
"""Those that are cheap enough, in the order in which they are told."""


@dataclass(frozen=True)
class Reals:
    """Real examples as the networks see them, the same for every member: `(P, N, *shape)` without P copies."""

    seen: Examples
    """That a run is trained on."""
    unseen: Examples | None
    """That no run is trained on; None where there are none."""
    unseen_from: str
    """Where they come from, or why there are none, in words."""


@dataclass(frozen=True)
class OwnNumbers:
    """Examples told by their own numbers alone, over what real ones are: 1 is as the data.

    - `diversity`: mean distance between two samples. All alike: 0.
    - `roughness`, of images: mean difference of neighboring pixels. Noise has several times the data's.
    - `similarity-to-mean`: how near samples lie to the data's average; twice as near is 2, and NEARER is the most.
    - `nearest-neighbor`: median distance to the nearest of AMONG training examples, over that of examples which are
      none of them. Copies have 0. Of more training examples than AMONG, the copies of others are not seen.
    """

    training: np.ndarray
    """float32 `(M, D)`."""
    average: np.ndarray
    """float32 `(D,)`."""
    real: Mapping[str, float]
    """What samples' numbers are divided by; none of these is 0."""

    @classmethod
    def of(cls, training: np.ndarray, unseen: np.ndarray | None, varied: bool = True) -> OwnNumbers:
        """From training examples `(M, *shape)` and unseen ones; without these, each is held against the others.

        A generator that is not `varied`, because it is fed one latent vector always, is not asked for diversity.
        """
        flat = training.reshape(len(training), -1)
        average = flat.mean(0)
        stand_in = unseen if unseen is not None else training[:COUNT]
        own = None if unseen is not None else np.arange(len(stand_in))
        told = {name: float(value[0]) for name, value in _own_numbers(stand_in[None], average, flat, own).items()}
        asked = {name: value for name, value in told.items() if varied or name != "diversity"}
        return cls(flat, average, {name: value for name, value in asked.items() if 0 < value < np.inf})

    def __call__(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        """Of samples `(P, n, *shape)`, each `(P,)`; NaN for a member with a number that is not finite."""
        sound = np.isfinite(samples.reshape(len(samples), -1)).all(1)
        told = _own_numbers(samples[sound], self.average, self.training) if sound.any() else {}
        figures: dict[str, np.ndarray] = {}
        for name, real in self.real.items():
            figures[name] = np.full(len(samples), np.nan)
            if name in told:
                likeness = name == "similarity-to-mean"
                ratio = real / np.maximum(told[name], real / NEARER) if likeness else told[name] / real
                figures[name][sound] = ratio
        return figures


@dataclass(frozen=True)
class Evaluator:
    """What a look needs; the same for every tick of a run."""

    data: Dataset
    latent: Tensor
    """The run's own latent vectors for looking, `(P, n, size)`, with classes behind them where G is told such.

    Of a latent law that gives one vector only, n is 1.
    """
    reals: Reals
    own_numbers: OwnNumbers
    judge: Judge | None
    metrics: Mapping[str, Metric]
    reference: Mapping[str, np.ndarray]
    """Real examples as each kind of metric sees them, `(N, D)`; as many generated ones are compared with them."""
    real_baseline: Mapping[str, float]
    """What real data scores."""
    chunk: int
    """Examples of a member that a network is given at a time."""
    seconds: float
    """That it took to make all this."""
    guess: float
    """Seconds that a look may take, before there was one."""

    @classmethod
    def of(cls, recipe: Recipe, game: Game, data_dir: Path | None, members: int = 0) -> Evaluator:
        """For a game of `recipe`. It downloads no more than the data set's own test split, and trains no judge.

        `members` are those of the whole run, where this game is a part of one.
        """
        began = time.perf_counter()
        with torch.no_grad(), preserving_torch_rng():
            count = _count(recipe, members or len(recipe.seeds))
            rng = RandomStreams(recipe.seeds, game.rng.device, game.rng.dtype)
            latent = with_classes(recipe, recipe.latent.draw(rng, "probe", count), range(count))
            varied = bool((latent != latent[:, :1]).any())
            reals = _reals(recipe, game, count, data_dir)
            seen = _in_data_units(recipe.data, _alone(reals.seen)[0])
            unseen = None if reals.unseen is None else _in_data_units(recipe.data, _alone(reals.unseen)[0])
            own_numbers = OwnNumbers.of(seen, unseen, varied)
            by = judge_of(recipe.data)
            by = by if by is not None and by.sees(recipe.data.shape) else None
            reference, stand_in = _sides(seen, unseen, count)
            prepared = time.perf_counter()
            sides = _seen_by(by, reference), _seen_by(by, stand_in)
            metrics = _fitting(recipe.data, by, sides[0]) if len(reference) >= SMALLEST else {}
            real_baseline = {n: float(m(sides[0][m.through], sides[1][m.through][None])[0]) for n, m in metrics.items()}
            took = time.perf_counter() - prepared
        return cls(
            data=recipe.data,
            latent=latent if varied else latent[:, :1],
            reals=reals,
            own_numbers=own_numbers,
            judge=by,
            metrics=metrics,
            reference=sides[0],
            real_baseline={**real_baseline, **dict.fromkeys(own_numbers.real, 1.0)},
            chunk=max(recipe.batch, LEAST),
            seconds=time.perf_counter() - began,
            guess=took / 2 * len(recipe.seeds),  # it looked at two sides
        )

    def look(self, game: Game) -> dict[str, np.ndarray]:
        """What the game's samples are like now, and what D says of them and of real examples: each float64 `(P,)`."""
        with torch.no_grad(), preserving_torch_rng(), _left_as_found(game.G, game.players["D"].networks):
            samples = self._made(game)
            opinions = self._opinions(game, samples)
            examples = _in_data_units(self.data, samples)
        many = examples[:, : self.compared] if examples.shape[1] > 1 else examples.repeat(self.compared, 1)
        with np.errstate(over="ignore", invalid="ignore"):  # of a member that is about to diverge
            seen = _seen_by(self.judge, many, 1) if self.metrics else {}
            told = {name: m(self.reference[m.through], seen[m.through]) for name, m in self.metrics.items()}
            return {**told, **self.own_numbers(examples), **opinions}

    @property
    def compared(self) -> int:
        """Examples on either side of a metric."""
        return len(next(iter(self.reference.values())))

    def told(self) -> dict[str, Any]:
        """What the journal tells of it."""
        return {
            "n": self.compared if self.metrics else None,
            "samples": self.latent.shape[1],
            "training": len(self.own_numbers.training),
            "judge": self.judge.name if self.judge and self.metrics else None,
            "held_out": self.reals.unseen_from,
            "metrics": {
                name: float(f"{value:.6g}") for name, value in self.real_baseline.items() if np.isfinite(value)
            },
        }

    def _made(self, game: Game) -> Tensor:
        """Generated examples as the networks see them, `(P, n, *shape)`."""
        with game.with_averaged_weights():
            game.G.train(False)
            try:
                return torch.cat([game.G(part) for part in self.latent.split(self.chunk, 1)], 1)
            finally:
                game.G.train(True)

    def _opinions(self, game: Game, samples: Tensor) -> dict[str, np.ndarray]:
        """D's mean answers, each `(P,)`."""
        if samples.shape[1] == 1:
            samples = samples.expand(-1, COUNT, *samples.shape[2:])
        fakes = Labeled(samples, self.latent[..., -game.classes :]) if game.classes else samples
        seen, generated = self._opinion(game, self.reals.seen, fakes)
        told = {"d_train": seen, "d_generated": generated}
        if self.reals.unseen is not None:
            told["d_held_out"], _ = self._opinion(game, self.reals.unseen, fakes)
        return told

    def _opinion(self, game: Game, reals: Examples, fakes: Examples) -> tuple[np.ndarray, np.ndarray]:
        """Of real examples and of as many generated ones beside them."""
        count = min(_alone(reals).shape[1], _alone(fakes).shape[1])
        parts = [slice(at, min(at + self.chunk, count)) for at in range(0, count, self.chunk)]
        answers = [game.outputs(_some(reals, part), _some(fakes, part)) for part in parts]
        real, fake = (torch.cat(kind, 1).double().mean(1).cpu().numpy() for kind in zip(*answers, strict=True))
        return real, fake


# Real examples.


def _count(recipe: Recipe, members: int) -> int:
    each = members * int(np.prod(recipe.data.shape))
    return max(LEAST, min(COUNT, AT_ONCE // each))


def _reals(recipe: Recipe, game: Game, count: int, data_dir: Path | None) -> Reals:
    data, source = recipe.data, game.source
    if not isinstance(source, Images):
        seen, unseen = _drawn(recipe, game, AMONG, DRAWN_BY), _drawn(recipe, game, count, DRAWN_BY + 1)
        return Reals(seen, unseen, "other draws from the same law")
    seen = _drawn(recipe, game, min(len(source.pixels), AMONG), DRAWN_BY)
    if game.classes:
        return Reals(seen, None, "none: the classes of what was put aside are not known")
    try:
        held = data.held_out(data_dir)
    except SparringError as error:
        return Reals(seen, None, f"none: {error}")
    if held is None:
        return Reals(seen, None, "none: no data was put aside")
    low, high = data.span
    chosen = torch.from_numpy(held[np.random.default_rng(1).permutation(len(held))[:count]])
    scaled = chosen.to(game.rng.device, game.rng.dtype).mul_((high - low) / 255).add_(low)
    return Reals(seen, scaled.expand(len(recipe.seeds), *scaled.shape), "its test split")


def _drawn(recipe: Recipe, game: Game, count: int, seed: int) -> Examples:
    """What a member of that seed, which does not play, would be shown; for every member."""
    rng = RandomStreams((seed,), game.rng.device, game.rng.dtype)
    members = len(recipe.seeds)
    if not game.classes:
        x = game.source.draw(rng, count)
        return x.expand(members, *x.shape[1:])
    x, classes = cast(LabeledSource, game.source).draw_with_classes(rng, count)
    told = game.one_hot(classes)
    return Labeled(x.expand(members, *x.shape[1:]), told.expand(members, *told.shape[1:]))


def _sides(seen: np.ndarray, unseen: np.ndarray | None, count: int) -> tuple[np.ndarray, np.ndarray]:
    """What samples are compared with, and as many others that stand where samples would."""
    if unseen is not None:
        n = min(count, len(seen), len(unseen))
        return seen[:n], unseen[:n]
    n = min(count, len(seen) // 2)
    return seen[:n], seen[n : 2 * n]


def _seen_by(judge: Judge | None, examples: np.ndarray, lead: int = 0) -> Mapping[str, np.ndarray]:
    """Examples `(N, *shape)`, or `(P, n, *shape)` with a lead of 1, as each kind of metric sees them."""
    images = examples.ndim == lead + 4
    return views(examples if images else examples.reshape(*examples.shape[: lead + 1], -1), judge)


def _fitting(data: Dataset, by: Judge | None, seen: Mapping[str, np.ndarray]) -> dict[str, Metric]:
    """The cheap metrics that have something to look through, by name."""
    through = set(seen) - (set() if data.modes else {"coordinates"})
    known = {"centers": data.modes.centers, "sd": data.modes.sd} if data.modes else {}
    leaves = {name: catalogue.find("metrics", name) for name in METRICS}
    return {
        name: leaf(**known) if leaf.through == "coordinates" else leaf()
        for name, leaf in leaves.items()
        if leaf.through in through
    }


# Numbers.


def _own_numbers(
    examples: np.ndarray, average: np.ndarray, training: np.ndarray, own: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Of examples `(P, n, *shape)`, in the data's own unit, each `(P,)`. `own` says which training examples they are.

    What takes two examples, or two pixels, is left out where there is but one.
    """
    members, count = examples.shape[:2]
    flat = examples.reshape(members, count, -1)
    told: dict[str, np.ndarray] = {}
    if count > 1:
        told["diversity"] = np.array([_between_two(member) for member in flat])
    if examples.ndim == 5 and max(examples.shape[-2:]) > 1:
        told["roughness"] = _between_neighbors(examples)
    told["similarity-to-mean"] = np.linalg.norm(flat - average, axis=-1).mean(1, dtype=np.float64)
    if own is None or len(training) > 1:
        away = nearest(flat.reshape(members * count, flat.shape[-1]), training, own)
        told["nearest-neighbor"] = np.median(away.reshape(members, count), axis=1)
    return told


def _between_two(points: np.ndarray) -> float:
    """Mean distance between two different ones of `(n, D)`."""
    # About their own middle: differences of large numbers leave a remainder.
    x = torch.from_numpy(points - points.mean(0))
    return float(torch.cdist(x, x).double().sum()) / (len(x) * (len(x) - 1))


def _between_neighbors(images: np.ndarray) -> np.ndarray:
    """Mean difference between neighboring pixels of `(P, n, C, H, W)`, across and down, `(P,)`."""
    steps = [np.abs(np.diff(images, axis=axis)).reshape(len(images), -1) for axis in (-1, -2)]
    return np.concatenate(steps, 1).mean(1, dtype=np.float64)


def _in_data_units(data: Dataset, examples: Tensor) -> np.ndarray:
    return data.in_data_units(examples).float().cpu().numpy()


def _alone(examples: Examples) -> Tensor:
    """Without their classes."""
    return examples.x if isinstance(examples, Labeled) else examples


def _some(examples: Examples, part: slice) -> Examples:
    """Of every member's examples."""
    if isinstance(examples, Labeled):
        return Labeled(examples.x[:, part], examples.classes[:, part])
    return examples[:, part]


# Leaving no trace.


@contextmanager
def _left_as_found(*players: Population) -> Generator[None]:
    """What networks keep besides their weights is put back: a user's own may count or remember in evaluation too."""
    held = [{name: buffer.clone() for name, buffer in _buffers(player)} for player in players]
    try:
        yield
    finally:
        for player, before in zip(players, held, strict=True):
            for name, buffer in _buffers(player):
                if not torch.equal(buffer, before[name]):
                    buffer.copy_(before[name])


def _buffers(player: Population) -> Iterator[tuple[str, Tensor]]:
    weights = {weight.data_ptr() for weight in player.parameters}
    return ((name, held) for name, held in player.state().items() if held.data_ptr() not in weights)
