"""A game of points in the plane as a picture: D's outputs everywhere, both kinds of points, the gradient of G's loss.

Of examples with up to four numbers the first two are drawn; D's outputs then are those where the other numbers are as
G makes them. Nothing of the game changes: latent vectors and real examples come from random streams of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from torch import Tensor

from sparring.analysis.evaluator import preserving_buffers
from sparring.analysis.planar import MAX_SHOWN
from sparring.analysis.samples import DRAWN_BY, draw
from sparring.errors import SparringError
from sparring.game.assembly import game_of, weights_of
from sparring.game.game import Game
from sparring.game.runtime import preserving_torch_rng
from sparring.recipe import Recipe
from sparring.record.files import write_atomically
from sparring.rng import RandomStreams

POINTS = 128
"""Real and generated points of each member."""
SIDE = 40
"""Points of the field along either axis."""
LATENT_SIDE = 15
"""Lines of the latent grid along either of its two dimensions."""
LATENT_QUANTILES = (0.05, 0.95)
"""Between which values of a latent dimension its grid lies."""
DIMS = {"field": 3, "real": 3, "fake": 3, "arrows": 3, "latent": 4, "levels": 1}
"""The arrays of a picture, and how many dimensions each has."""
MARGIN = 0.25
"""Of the data's width, around it."""


@dataclass(frozen=True)
class Plane:
    """One moment of a game, for its first MAX_SHOWN members."""

    round: int
    extent: tuple[float, float, float, float]
    """Left, right, bottom and top of the field."""
    level: float
    """D's output at equilibrium; of a critic, whose loss does not depend on what is added to all scores, 0."""
    arrays: Mapping[str, np.ndarray]
    """float32: `field` `(P, SIDE, SIDE)`, D's outputs, rows from the bottom up; `real` and `fake` `(P, POINTS, 2)`;
    `arrows` `(P, POINTS, 2)`, minus the gradient of G's loss at each generated point; `latent` `(P, U, V, 2)`, the
    image of a grid in the latent space, or empty where G is always fed the same; `levels` `(P,)`, D's output between
    what it says of both kinds: `level`, but for a critic the mean of its mean scores."""

    def save(self, path: Path) -> None:
        """Write it as one file, which appears whole."""
        facts = {"round": str(self.round), "level": str(self.level), "extent": " ".join(map(str, self.extent))}
        data = safetensors.numpy.save(dict(self.arrays), facts)
        write_atomically(path, lambda partial: partial.write_bytes(data))

    @classmethod
    def read(cls, path: Path) -> Plane:
        """What `save` wrote. Raises SparringError for a file that is damaged."""
        try:
            with safetensors.safe_open(path, framework="numpy") as file:
                facts = file.metadata() or {}
                arrays = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
            left, right, bottom, top = map(float, facts["extent"].split())
            level = float(facts["level"])
            dims = {name: array.ndim for name, array in arrays.items()}
            if not np.isfinite([left, right, bottom, top, level]).all() or dims != DIMS:
                raise ValueError("it is no picture of the plane")
            return cls(int(facts["round"]), (left, right, bottom, top), level, arrays)
        except (safetensors.SafetensorError, OSError, KeyError, ValueError) as error:
            raise SparringError(f"{path.name} cannot be read ({error})") from error


class Planes:
    """Pictures of a game, whenever asked."""

    def __init__(self, recipe: Recipe, game: Game):
        self._game, self._members = game, len(recipe.seeds)
        rng = RandomStreams(recipe.seeds, game.rng.device, game.rng.dtype)
        with torch.no_grad(), preserving_torch_rng():
            self.latent = recipe.latent.draw(rng, "picture", POINTS)
            x, _ = draw(game.source, RandomStreams((DRAWN_BY,), game.rng.device, game.rng.dtype), POINTS, False)
        self.real = x.expand(self._members, *x.shape[1:])
        self._grid, self._lines = _latent_grid(self.latent)
        self._extent = _extent(x[0, :, :2], recipe.data.target is not None)

    @classmethod
    def of_recipe(cls, recipe: Recipe, data_dir: Path | None = None) -> Planes:
        """For a recipe whose weights are loaded from checkpoints."""
        return cls(recipe, game_of(recipe, recipe.data.open(data_dir, "cpu")))

    def at(self, round: int, checkpoint: dict[str, np.ndarray]) -> Plane:
        """The picture of a checkpoint of this recipe."""
        for who, player in self._game.players.items():
            player.networks.load(weights_of(checkpoint, who))
        self._game.round = round
        return self.now()

    def now(self) -> Plane:
        """The picture of the game as it is, with the weights that G trains."""
        game, D = self._game, self._game.players["D"].networks
        objective = game.objective
        with preserving_torch_rng(), game.rng.undisturbed(), preserving_buffers(game.G, D):
            game.G.train(False)
            D.train(False)
            try:
                with torch.no_grad():
                    fake, image = game.G(self.latent), game.G(self._grid)
                    field, levels = self._field(fake), self._levels(fake)
                arrows = self._pushes(fake)
            finally:
                game.G.train(True)
                D.train(True)
        level = float(objective.output(torch.tensor([[objective.undecided]])))
        lines = image.reshape(self._members, *self._lines, -1)[..., :2] if self._lines[0] else image[:, :0, None, :2]
        shown = {"field": field, "levels": levels, "arrows": arrows, "latent": lines}
        shown |= {"real": self.real[..., :2], "fake": fake[..., :2]}
        arrays = {
            name: np.ascontiguousarray(each[:MAX_SHOWN].detach().float().cpu().numpy()) for name, each in shown.items()
        }
        return Plane(game.round, self._extent, level, arrays)

    def _field(self, fake: Tensor) -> Tensor:
        """D's outputs `(P, SIDE, SIDE)`; under a relativistic objective beside a generated example of mean score."""
        game, D = self._game, self._game.players["D"].networks
        left, right, bottom, top = self._extent
        x = torch.linspace(left, right, SIDE, device=fake.device, dtype=fake.dtype)
        y = torch.linspace(bottom, top, SIDE, device=fake.device, dtype=fake.dtype)
        rows, columns = torch.meshgrid(y, x, indexing="ij")
        plane = torch.stack([columns.flatten(), rows.flatten()], -1).expand(self._members, -1, -1)
        others = fake[..., 2:].mean(1, keepdim=True).expand(-1, SIDE * SIDE, -1)
        scores = D(torch.cat([plane, others], -1))
        if game.objective.relativistic:
            scores = game.objective.compare(scores, D(fake).mean(1, keepdim=True).expand_as(scores))
        return game.objective.output(scores).reshape(-1, SIDE, SIDE)

    def _levels(self, fake: Tensor) -> Tensor:
        """D's output between both kinds, `(P,)`."""
        game, D, objective = self._game, self._game.players["D"].networks, self._game.objective
        scores = torch.tensor([[-1.0, 0.5]])
        loss, moved = (objective.d_loss_real(x) + objective.d_loss_fake(x) for x in (scores, scores + 3.0))
        if objective.relativistic or not torch.allclose(loss, moved):
            return objective.output(torch.full((self._members,), objective.undecided, device=game.rng.device))
        return (D(self.real).mean(1) + D(fake).mean(1)) / 2

    def _pushes(self, fake: Tensor) -> Tensor:
        """Where G's loss would have each generated point go: minus its gradient there, `(P, POINTS, 2)`."""
        objective, D = self._game.objective, self._game.players["D"].networks
        with torch.enable_grad():
            x = fake.detach().requires_grad_()
            score = D(x)
            if objective.relativistic:
                score = objective.compare(score, D(self.real).detach())
            (gradient,) = torch.autograd.grad(objective.g_loss(score).sum(), x)
        return -gradient[..., :2]


def _latent_grid(latent: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """Latent vectors over the first two dimensions, the others as in the first vector, and the grid's two sides.

    Returns:
        `(P, U * V, size)` and (U, V); one vector and (0, 0) where all vectors are the same.
    """
    low, high = (torch.quantile(latent.float(), q, dim=1, keepdim=True).to(latent) for q in LATENT_QUANTILES)
    if not bool((high > low).any()):
        return latent[:, :1], (0, 0)
    u, v = LATENT_SIDE, LATENT_SIDE if latent.shape[-1] > 1 else 1
    grid = latent[:, :1].repeat(1, u * v, 1)
    steps = torch.linspace(0, 1, LATENT_SIDE, device=latent.device, dtype=latent.dtype)
    grid[..., 0] = low[..., 0] + (high - low)[..., 0] * steps.repeat_interleave(v)
    if v > 1:
        grid[..., 1] = low[..., 1] + (high - low)[..., 1] * steps.repeat(u)
    return grid, (u, v)


def _extent(real: Tensor, one_target: bool) -> tuple[float, float, float, float]:
    """A square around real points `(N, 2)`, with a margin; around all of 0 to 1 where the points lie in one place."""
    low, high = real.min(0).values, real.max(0).values
    if one_target:
        low, high = low.clamp(max=0.0), high.clamp(min=1.0)
    middle, half = (low + high) / 2, float((high - low).max()) * (0.5 + MARGIN) or 1.0
    x, y = middle.tolist()
    return x - half, x + half, y - half, y + half


def planes_of(recipe: Mapping[str, Any]) -> Planes:
    """Pictures for a run's recipe, given as plain data. Raises SparringError for one that is damaged."""
    return Planes.of_recipe(Recipe.from_dict(recipe))
