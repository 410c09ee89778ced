"""One member's generator, ready to be steered: places in its latent space, and what it makes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor

from sparring.analysis.generators import explorable, latents
from sparring.analysis.latent_tools.arithmetic import arithmetic, letters
from sparring.analysis.latent_tools.blend import blend
from sparring.analysis.latent_tools.distributions import parts_of
from sparring.analysis.latent_tools.inputs import checked_dims
from sparring.analysis.latent_tools.truncation import truncated
from sparring.errors import SparringError, UsageError
from sparring.record import RunFolder

MAX_MEMBERS = 16
"""Members that are shown side by side."""
CELLS, STEPS, GIF_STEPS = 7, 9, 24
"""Examples along a side of the plane's overview, in a strip, and in half of an animation."""
WIDTH = 1.25
"""How far the plane reaches from its middle, either way; a latent vector of its own lies at 1."""
BASES = 16
"""Latent vectors that a dimension's map is a mean over."""
MAX_PLACE, MAX_DIMS = 4.0, 12
"""Limits of what an address may ask for."""
DIRECTIONS = "figures/directions.json"
"""In a run's folder: what `sparring directions` found last."""
Plane = Literal["seeds", "dims", "directions"]


@dataclass(frozen=True)
class Spot:
    """A place in a latent space, as an address holds it."""

    plane: Plane = "seeds"
    a: int = 0
    """The z seed at x = 1, y = 0 of a plane through two; of another plane, the one that it goes through."""
    b: int = 1
    """The z seed at x = 0, y = 1."""
    first: int = 1
    """The dimension, or the direction, from 1, along x."""
    second: int = 2
    """The same along y."""
    x: float = 1.0
    y: float = 0.0
    dims: tuple[tuple[int, float], ...] = ()
    """Dimensions, from 1, that are set to a value each."""
    psi: float = 1.0
    """Of truncation."""
    cls: int | None = None
    """The class; that of the z seed a if None."""

    @classmethod
    def read(cls, asked: Mapping[str, str]) -> Spot:
        """From an address. Raises UsageError for what is no place."""
        try:
            dims = tuple(_setting(part) for part in asked.get("dims", "").split(",") if part)
            kind = asked.get("plane", "seeds")
            spot = cls(
                plane=cast(Plane, kind),
                a=int(asked.get("a", cls.a)),
                b=int(asked.get("b", cls.b)),
                first=int(asked.get("first", cls.first)),
                second=int(asked.get("second", cls.second)),
                x=float(asked.get("x", cls.x)),
                y=float(asked.get("y", cls.y)),
                dims=dims,
                psi=float(asked.get("psi", cls.psi)),
                cls=int(asked["cls"]) if asked.get("cls") else None,
            )
        except ValueError as error:
            raise UsageError(f"this is no place in a latent space: {error}") from error
        numbers = (spot.x, spot.y, spot.psi, *(value / 25 for _, value in dims))
        if kind not in ("seeds", "dims", "directions") or not all(abs(each) <= MAX_PLACE for each in numbers):
            raise UsageError("this is no place in a latent space: a number is too large")
        if len(dims) > MAX_DIMS:
            raise UsageError(f"at most {MAX_DIMS} dimensions can be set")
        return spot


def _setting(text: str) -> tuple[int, float]:
    dim, _, value = text.partition(":")
    return int(dim), float(value)


@dataclass(frozen=True)
class Direction:
    """A direction that was found in one member."""

    name: str
    """What it does, in words."""
    vector: Tensor
    """`(size,)`."""
    reach: float
    """How far it is followed, either way, for x or y at 1."""


@dataclass
class Explored:
    """One member of a run at one of its checkpoints."""

    run: RunFolder
    seed: int
    round: int | None = None
    directions: Sequence[Direction] = ()
    others: Any = field(default=None, repr=False)
    """Every member's generators as one function, loaded when they are first asked for."""

    def __post_init__(self) -> None:
        """Raises SparringError where there is no generator to load."""
        self.recipe, self.G = explorable(self.run, seeds=[self.seed], round=self.round)
        self.size, self.classes = self.recipe.latent.size, self.recipe.classes
        centers: list[float] = []
        for part in parts_of(self.recipe.latent):
            middle = (part["low"] + part["high"]) / 2 if part["law"] == "uniform" else part.get("value", 0.0)
            centers += [middle] * part["size"]
        self.center = torch.tensor(centers or [0.0] * self.size)
        low, high = self.recipe.latent.reach
        self.middle, self.half = (low + high) / 2, (high - low) / 2

    @property
    def can_truncate(self) -> bool:
        """Whether any part of the latent distribution is known and continuous."""
        return any(part["law"] in ("normal", "uniform") for part in parts_of(self.recipe.latent))

    def vectors(self, spot: Spot, places: Sequence[tuple[float, float]]) -> Tensor:
        """Latent vectors at places `(x, y)` of a spot's plane, `(N, size)`, one-hot classes appended where there are.

        Raises UsageError for a dimension, a direction, a z seed or a class that there is not.
        """
        both = latents(self.recipe, [spot.a, spot.b])[0]
        a, b = both[:, : self.size]
        at = torch.tensor(places, dtype=a.dtype)
        if spot.plane == "seeds":
            z = self.center + at[:, :1] * (a - self.center) + at[:, 1:] * (b - self.center)
        elif spot.plane == "dims":
            z = a.repeat(len(at), 1)
            for column, dim in enumerate(checked_dims(self.recipe, (spot.first, spot.second))):
                z[:, dim - 1] = self.middle + self.half * at[:, column]
        else:
            z = a.repeat(len(at), 1)
            for column, k in enumerate((spot.first, spot.second)):
                direction = self._direction(k)
                z = z + at[:, column : column + 1] * direction.reach * direction.vector
        return self._finished(z, spot, both[0, self.size :])

    def _direction(self, k: int) -> Direction:
        if not 1 <= k <= len(self.directions):
            raise UsageError(f"there is no direction {k}: {len(self.directions)} were found")
        return self.directions[k - 1]

    def _finished(self, z: Tensor, spot: Spot, own_class: Tensor) -> Tensor:
        """Truncated, with dimensions set, and with the class behind."""
        if spot.psi != 1 and self.can_truncate:
            z = truncated(z, self.recipe.latent, spot.psi)
        for dim, value in spot.dims:
            checked_dims(self.recipe, [dim])
            z[:, dim - 1] = value
        if not self.classes:
            return z
        if spot.cls is not None and not 0 <= spot.cls < self.classes:
            raise UsageError(f"there is no class {spot.cls}: there are {self.classes}")
        chosen = own_class if spot.cls is None else torch.eye(self.classes)[spot.cls]
        return torch.cat([z, chosen.to(z.dtype).expand(len(z), -1)], 1)

    def made(self, z: Tensor) -> np.ndarray:
        """Examples of latent vectors `(N, size)`, `(N, *shape)` in data units."""
        return self.G(z[None])[0].float().numpy()

    def of_every_member(self, z: Tensor) -> tuple[list[int], np.ndarray]:
        """Seeds, and what each member makes of one latent vector `(size,)`, `(P, *shape)`; of the first MAX_MEMBERS."""
        if self.others is None:
            seeds = list(dict.fromkeys(self.run.recipe["seeds"]))[:MAX_MEMBERS]
            self.others = explorable(self.run, seeds=seeds, round=self.round)
        recipe, G = self.others
        made = G(z.expand(len(recipe.seeds), 1, -1))[:, 0].float().numpy()
        return list(recipe.seeds), made

    def overview(self, spot: Spot) -> np.ndarray:
        """The plane in CELLS rows of CELLS, from above left, `(CELLS * CELLS, *shape)`."""
        steps = np.linspace(-WIDTH, WIDTH, CELLS)
        return self.made(self.vectors(spot, [(float(x), float(y)) for y in steps[::-1] for x in steps]))

    def strip(self, spot: Spot, steps: int = STEPS) -> np.ndarray:
        """From the z seed a to b along an arc; of another plane, along x through the spot. `(steps, *shape)`."""
        if spot.plane != "seeds":
            return self.made(self.vectors(spot, [(float(x), spot.y) for x in np.linspace(-1, 1, steps)]))
        both = latents(self.recipe, [spot.a, spot.b])[:, :, : self.size]
        z = blend(both, steps, "spherical")[0]
        return self.made(self._finished(z, spot, latents(self.recipe, [spot.a])[0, 0, self.size :]))

    def sum(self, spot: Spot, expression: str, z_seeds: Sequence[int]) -> tuple[list[str], np.ndarray]:
        """The letters of an expression and the expression itself, and the example of each.

        Raises UsageError for what cannot be read, or a letter without a z seed.
        """
        named = letters(expression)
        if len(named) > len(z_seeds):
            raise UsageError(f"{expression!r} has {len(named)} letters: give as many z seeds, not {len(z_seeds)}")
        z = latents(self.recipe, z_seeds[: len(named)])
        vectors = {letter: z[:, k, : self.size] for k, letter in enumerate(named)}
        result = arithmetic(expression, vectors)
        rows = torch.stack([*vectors.values(), result], 1)[0]
        return [*named, expression], self.made(self._finished(rows, spot, z[0, 0, self.size :]))

    def influence(self, dims: Sequence[int]) -> np.ndarray:
        """What each dimension changes in the mean, from its low to its high value, `(len(dims), *shape)`."""
        maps: list[np.ndarray] = []
        for dim in checked_dims(self.recipe, dims):
            ends: list[np.ndarray] = []
            for value in (self.middle - self.half, self.middle + self.half):
                z = latents(self.recipe, range(BASES))[0]
                z[:, dim - 1] = value
                ends.append(self.made(z))
            maps.append((ends[1] - ends[0]).mean(0))
        return np.stack(maps) if maps else np.zeros((0, *self.recipe.data.shape), np.float32)


def clock(steps: np.ndarray) -> np.ndarray:
    """A path there and back again, `(2 N - 2, *shape)` of `(N, *shape)`."""
    return np.concatenate([steps, steps[-2:0:-1]])


def length(z: Tensor) -> float:
    """|z|, for a vector `(size,)`."""
    return math.sqrt(float((z**2).sum()))


def found_directions(saved: Any, seed: int, size: int) -> list[Direction]:
    """The directions of a member in what `sparring directions --json` printed; none where it is of another shape.

    The file may be anybody's: whatever does not fit is left out.
    """
    found: list[Direction] = []
    try:
        reach = min(MAX_PLACE * 25, abs(float(saved["reach"])))
        member = next(each for each in saved["members"] if each["seed"] == seed)
        for each in member["directions"]:
            vector = torch.tensor([float(value) for value in each["vector"]])
            if vector.shape == (size,) and bool(torch.isfinite(vector).all()):
                name = " – ".join(map(str, each["name"])) if each["name"] else str(each["words"])
                found.append(Direction(f"{each['way']} {each['label']}: {name}", vector, reach))
    except (KeyError, TypeError, ValueError, StopIteration, SparringError):
        return found
    return found
