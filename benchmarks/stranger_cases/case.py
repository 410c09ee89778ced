"""One case: a GAN whose state is known beforehand, and the recipes that cases begin from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from sparring.datasets import Dataset
from sparring.datasets.folder import Folder
from sparring.game.moves import MODERN
from sparring.latents.normal import Normal
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.optimizers import Optimizer
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe, find_recipe
from sparring.tricks import Trick
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.learning_rate_schedule import LearningRateSchedule
from sparring.tricks.r1_r2 import R1R2
from stranger_cases import networks
from stranger_cases.data import SPAN, Rows

SEEDS = 2
LOG_POINTS = 30
KINDS = ("folders", "small folders", "tables", "signals", "networks", "short runs")
State = Literal["sound", "sick", "unfinished", "unclear"]
NEW = "new"
"""The part of the cases that were written after all rules, and read once."""
NEWER = "new2"
"""Further ones of that sort, written when those of NEW had been read."""
WRITTEN_LAST = (NEW, NEWER)
"""Both, whose cases are measured and never corrected."""
Make = Callable[[Dataset], Recipe]

NOT_SURE, EQUILIBRIUM, UNDERTRAINED = "not-sure", "equilibrium", "undertrained"
NOISE, COLLAPSE, AVERAGE = "noise-output", "mode-collapse", "average-image"
WINS, WEAK, VANISHING = "discriminator-wins", "weak-discriminator", "vanishing-gradient"
OSCILLATION, DIVERGENCE = "oscillation", "divergence"
OVERFITTING, MEMORIZATION = "overfitting-discriminator", "memorization"
SCALE, CHECKERBOARD, BLUR, COLORS = "range-mismatch", "checkerboard", "blur", "wrong-colors"
SIGMOID = "bounded-scores"


class ImageFolder(Protocol):
    """A folder of images, which may yet have to be drawn."""

    @property
    def kind(self) -> str:
        """What is to be seen."""
        ...

    def make(self, root: Path) -> Path:
        """Draw it below `root`, unless it is there."""
        ...

    def data(self, root: Path, span: tuple[float, float] = SPAN) -> Folder:
        """As a recipe has it."""
        ...

    def others(self, count: int, begin: int = 0) -> np.ndarray:
        """Examples to compare with, float32 `(count, C, H, W)` in [0, 1]."""
        ...


Examples = ImageFolder | Rows


@dataclass(frozen=True)
class Case:
    """A stranger's GAN with its correct verdicts."""

    name: str
    kind: str
    """One of `KINDS`."""
    state: State
    """`sound` and complete, `sick`, merely `unfinished`, or with too little evidence to say (`unclear`)."""
    right: tuple[str, ...]
    """The correct verdicts; the first is what was done to it, the others follow from that."""
    data: Examples
    make: Make
    span: tuple[float, float] = SPAN
    """Range of pixel values, for pictures."""
    part: str = "tune"
    """`tune` and `report`, the first halves; `new` and `new2`, written last; `extra`, on a folder of one's own."""

    def recipe(self, root: Path, seeds: int = SEEDS) -> Recipe:
        """The recipe that it trains, on a folder below `root`."""
        data = self.data if isinstance(self.data, Rows) else self.data.data(root, self.span).resolved()
        return self.make(data).replace(name=self.name, seeds=seeds)

    @property
    def folder(self) -> ImageFolder | None:
        """The folder that must be there for it."""
        return None if isinstance(self.data, Rows) else self.data

    @property
    def slug(self) -> str:
        """Its name as a folder's."""
        words = "".join(letter if letter.isalnum() else " " for letter in self.name.lower()).split()
        return "-".join(words)


def auto(rounds: int, **changes: Any) -> Make:
    """What `sparring train auto` does, so many rounds long."""
    return lambda data: find_recipe("auto", data).replace(rounds=rounds, log_points=LOG_POINTS, **changes)


def own(
    g: Callable[..., Any] | None = None,
    d: Callable[..., Any] | None = None,
    both: Optimizer | None = None,
    **changes: Any,
) -> Make:
    """Networks of one's own, cross-entropy and Adam, as tutorials have them; DCGANs for pictures, dense ones for rows.

    Args:
        g: A function of the examples' shape that makes G.
        d: The same for D.
        both: The optimizer of both players.
        **changes: Fields of the recipe.
    """

    def make(data: Dataset) -> Recipe:
        images = len(data.shape) == 3
        optimizer = both or Adam(5e-4, betas=(0.5, 0.999))
        fields: dict[str, Any] = {
            "generator": partial(g or (networks.dcgan_g if images else networks.dense_g), data.shape),
            "discriminator": partial(d or (networks.dcgan_d if images else networks.dense_d), data.shape),
            "objective": BCEWithLogits(),
            "latent": Normal(networks.LATENT),
            "round": MODERN,
            "generator_optimizer": optimizer,
            "discriminator_optimizer": optimizer,
            "batch": 64,
            "rounds": 2_000,
        }
        changed = fields | changes
        return Recipe(data=data, log_points=min(LOG_POINTS, changed["rounds"]), **changed)

    return make


def modern(*tricks: Trick, **changes: Any) -> Make:
    """Networks of one's own, trained as `auto` trains its: relativistic, with R1 and R2, averaged, rates that fall."""
    every = (*tricks, R1R2(3.0, every=8), LearningRateSchedule(), ExponentialMovingAverage())
    return own(both=Adam(2e-3, betas=(0.0, 0.99)), objective=RelativisticPaired(), tricks=every, **changes)
