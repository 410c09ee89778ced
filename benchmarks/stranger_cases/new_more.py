"""More new cases, on data and with faults that the others do not have: read once, changed never.

Their verdicts were fixed before any was read, without a look at the rules. That a sound run is good and that a fault
spoils its samples, some of them at least, was checked by `truth.py` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from sparring.game.moves import d_sees_both, g_fools_d
from sparring.objectives.hinge import Hinge
from sparring.objectives.least_squares import LeastSquares
from sparring.objectives.relativistic_average import RelativisticAverage
from sparring.objectives.wasserstein import Wasserstein
from sparring.optimizers.adam import Adam
from sparring.tricks import Trick
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.gradient_penalty import GradientPenalty
from sparring.tricks.learning_rate_schedule import LearningRateSchedule
from sparring.tricks.r1 import R1
from sparring.tricks.r1_r2 import R1R2
from stranger_cases import networks
from stranger_cases.case import (
    COLLAPSE,
    COLORS,
    EQUILIBRIUM,
    NEWER,
    NOISE,
    UNDERTRAINED,
    VANISHING,
    WEAK,
    WINS,
    Case,
    auto,
    modern,
    own,
)
from stranger_cases.data import ROW_KINDS, Rows
from stranger_cases.networks import Shape
from stranger_cases.new_drawing import ALBUMS, Album

FIXED, OUTLIERS = "fixed-pattern", "outliers"
FAST = Adam(2e-3, betas=(0.0, 0.99))
CALM = Adam(1e-3, betas=(0.0, 0.99))
DENSE = (networks.dense_g, networks.dense_d)


def new_more() -> Iterator[Case]:
    """Seven sound runs, one unfinished one, and six with a fault each."""
    for case in (*sound(), *unfinished(), *sick()):
        yield replace(case, part=NEWER)


# Pictures.


def slopes(number: int, side: int) -> np.ndarray:
    """Gray: a sheet of paper that is lit from any side."""
    rng = np.random.default_rng((31, number))
    down, across = np.mgrid[:side, :side] / (side - 1) - 0.5
    lit = rng.uniform(90, 165) + rng.normal(0, 60) * down + rng.normal(0, 60) * across
    return lit + rng.normal(0, 25, lit.shape)


def lamps(number: int, side: int) -> np.ndarray:
    """Gray: a lamp somewhere in the fog."""
    rng = np.random.default_rng((32, number))
    down, across = np.mgrid[:side, :side] / (side - 1) - rng.uniform(0.25, 0.75, (2, 1, 1))
    lit = rng.uniform(100, 160) * np.exp(-(down**2 + across**2) / 2 / rng.uniform(0.15, 0.25) ** 2)
    return 50 + lit + rng.normal(0, 28, lit.shape)


def ripples(number: int, side: int) -> np.ndarray:
    """Gray: waves that run across a pond in one of two directions."""
    rng = np.random.default_rng((33, number))
    down, across = np.mgrid[:side, :side] / side
    along = down + across if rng.random() < 0.5 else down - across
    waves = np.sin(2 * np.pi * (along + rng.uniform()))
    return 127 + rng.uniform(40, 80) * waves + rng.normal(0, 30, waves.shape)


def dusks(number: int, side: int) -> np.ndarray:
    """In color: clouds at dusk, from a violet sky above to an orange one below."""
    rng = np.random.default_rng((34, number))
    height = np.arange(side)[:, None] / (side - 1) - 0.5
    low, high = rng.uniform((200, 110, 50), (240, 150, 90)), rng.uniform((50, 40, 90), (90, 70, 150))
    cloud = rng.normal(0, 0.2, (side, side))
    share = (0.5 + 0.5 * height + cloud + 0.6 * np.roll(cloud, 1, 1))[..., None]
    return share * low + (1 - share) * high + rng.normal(0, 10, (side, side, 3))


def beads(number: int, side: int) -> np.ndarray:
    """In color: a bead of any color on cloth."""
    rng = np.random.default_rng((38, number))
    down, across = np.mgrid[:side, :side] / (side - 1) - rng.uniform(0.3, 0.7, (2, 1, 1))
    bead = np.exp(-(down**2 + across**2) / 2 / rng.uniform(0.2, 0.26) ** 2)
    cloth = 70 + rng.normal(0, 22, (side, side, 1)) + rng.normal(0, 8, (side, side, 3))
    return cloth + bead[..., None] * rng.uniform(20, 140, 3)


ALBUMS.update({kind.__name__: kind for kind in (slopes, lamps, ripples, dusks, beads)})
SLOPES, LAMPS, RIPPLES, DUSKS, BEADS = (
    Album(kind.__name__, 2_000, 8) for kind in (slopes, lamps, ripples, dusks, beads)
)


# Rows.


def days(count: int, seed: int) -> np.ndarray:
    """The temperature of a day, every hour: standardized, warmest in the afternoon, under clouds or not."""
    rng = np.random.default_rng((36, seed))
    hour = np.arange(24)
    clear = rng.random((count, 1)) < 0.6
    swing = np.where(clear, rng.uniform(0.8, 1.3, (count, 1)), rng.uniform(0.1, 0.5, (count, 1)))
    day = rng.normal(0, 0.6, (count, 1)) + swing * np.cos(2 * np.pi * (hour - rng.normal(15, 1, (count, 1))) / 24)
    return (day + rng.normal(0, 0.35, (count, 24))).astype(np.float32)


DISTRICTS = np.array([(-1.1, 1.2), (-0.6, -0.9), (0.6, 0.7), (1.2, -1.0)])


def houses(count: int, seed: int) -> np.ndarray:
    """Houses for sale in four districts and four columns, standardized: area, age, distance to the center, price."""
    rng = np.random.default_rng((37, seed))
    age, distance = (DISTRICTS[rng.integers(4, size=count)] + rng.normal(0, 0.2, (count, 2))).T
    area = rng.normal(0, 1, count)
    price = 0.8 * area - 0.2 * age - 0.4 * distance + rng.normal(0, 0.25, count)
    return np.stack([area, age, distance, price], 1).astype(np.float32)


ROW_KINDS.update({kind.__name__: kind for kind in (days, houses)})


# The cases.


def averaged(*tricks: Trick) -> tuple[Trick, ...]:
    """These tricks, rates that fall, and an averaged G."""
    return (*tricks, LearningRateSchedule(), ExponentialMovingAverage())


STEADY = averaged(R1R2(3.0, every=8))


def sound() -> Iterator[Case]:
    """Sound recipes that had the time that they need."""
    critic = (d_sees_both,) * 3 + (g_fools_d,)
    lazy = averaged(R1(1.0, every=4))
    for name, kind, data, make in (
        (
            "slopes, hinge with R1",
            "folders",
            SLOPES,
            own(*DENSE, FAST, objective=Hinge(), tricks=lazy, rounds=12_000),
        ),
        (
            "lamps, own networks, R1 and R2",
            "folders",
            LAMPS,
            modern(g=networks.dense_g, d=networks.dense_d, rounds=12_000),
        ),
        (
            "ripples, relativistic average with R1 and R2",
            "folders",
            RIPPLES,
            own(*DENSE, FAST, objective=RelativisticAverage(), tricks=STEADY, rounds=15_000),
        ),
        (
            "dusks, cross-entropy with R1 and R2",
            "folders",
            DUSKS,
            own(*DENSE, FAST, tricks=STEADY, rounds=15_000),
        ),
        (
            "beads, least squares with R1 and R2",
            "folders",
            BEADS,
            own(*DENSE, FAST, objective=LeastSquares(), tricks=STEADY, rounds=12_000),
        ),
        (
            "houses, own networks, R1 and R2",
            "tables",
            Rows("houses"),
            modern(rounds=14_000, batch=128),
        ),
        (
            "days, WGAN-GP",
            "signals",
            Rows("days"),
            own(
                objective=Wasserstein(),
                tricks=averaged(GradientPenalty(1.0)),
                both=CALM,
                round=critic,
                rounds=7_000,
            ),
        ),
    ):
        yield Case(name, kind, "sound", (EQUILIBRIUM,), data, make)


def unfinished() -> Iterator[Case]:
    """A sound recipe that was stopped far too early."""
    yield Case("beads, auto, 100 rounds", "short runs", "unfinished", (UNDERTRAINED,), BEADS, auto(100))


def sick() -> Iterator[Case]:
    """One fault each; the first three spoil a part of the samples, or of their variety."""
    for name, kind, right, data, make in (
        (
            "beads, dropout of colors that is never off",
            "networks",
            (OUTLIERS, COLORS),
            BEADS,
            modern(g=dropping_g, d=networks.dense_d, rounds=6_000),
        ),
        (
            "houses, a truncated latent in evaluation mode",
            "tables",
            (COLLAPSE,),
            Rows("houses"),
            modern(g=truncating_g, rounds=6_000, batch=128),
        ),
        (
            "dusks, a D that turns half of all pictures upside down",
            "networks",
            (WEAK, OUTLIERS),
            DUSKS,
            own(networks.dense_g, turning_d, FAST, tricks=STEADY, rounds=5_000),
        ),
        (
            "slopes, a D that standardizes each picture",
            "networks",
            (COLORS, WEAK),
            SLOPES,
            modern(g=networks.dense_g, d=standardizing_d, rounds=4_000),
        ),
        (
            "ripples, a G of 7 x 7 pixels and a margin",
            "networks",
            (FIXED, WINS),
            RIPPLES,
            modern(g=padding_g, d=networks.dense_d, rounds=4_000),
        ),
        (
            "days, a D that rounds",
            "signals",
            (VANISHING, WINS, COLLAPSE, NOISE),
            Rows("days"),
            own(d=rounding_d, rounds=2_500),
        ),
    ):
        yield Case(name, kind, "sick", right, data, make)


# Networks with a mistake.


class AlwaysDropped(nn.Module):
    """Whole channels are dropped in evaluation mode too: the function does so unless it is told not to."""

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> the same shape."""
        return nn.functional.dropout2d(x, 0.1)


def dropping_g(shape: Shape) -> nn.Module:
    """Dropout behind the last layer: in a quarter of the pictures, a color is missing."""
    return nn.Sequential(networks.dense_g(shape), AlwaysDropped())


def padding_g(shape: Shape) -> nn.Module:
    """A pixel short at each side, as strides have it, so that zeros were added to the right and below."""
    return nn.Sequential(networks.dense_g((shape[0], shape[1] - 1, shape[2] - 1)), nn.ZeroPad2d((0, 1, 0, 1)))


class Truncated(nn.Module):
    """The latent is drawn toward 0 in evaluation mode, for samples that are nicer one by one."""

    def forward(self, z: Tensor) -> Tensor:
        """Any shape."""
        return z if self.training else 0.5 * z


def truncating_g(shape: Shape) -> nn.Module:
    """The truncation trick, which was meant for a demo, is in the network."""
    return nn.Sequential(Truncated(), networks.dense_g(shape))


class Turned(nn.Module):
    """Augmentation that leaks: half of what D sees is upside down, and nobody's samples are the wrong way up then."""

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> the same shape."""
        turned = torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5
        return torch.where(turned, x.flip(2), x)


def turning_d(shape: Shape) -> nn.Module:
    """Turns pictures at random, real ones and samples alike."""
    return nn.Sequential(Turned(), networks.dense_d(shape))


class Standardized(nn.Module):
    """Every picture has mean 0 and standard deviation 1, as `InstanceNorm2d` makes it."""

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> the same shape."""
        return (x - x.mean((2, 3), keepdim=True)) / (x.std((2, 3), keepdim=True) + 1e-5)


def standardizing_d(shape: Shape) -> nn.Module:
    """Sees neither how bright a picture is nor how strong its contrast is."""
    return nn.Sequential(Standardized(), networks.dense_d(shape))


class Rounded(nn.Module):
    """To tenths, as the sensor has them: there is no slope behind it."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return (10 * x).round() / 10


def rounding_d(shape: Shape) -> nn.Module:
    """Rounds what it is given, real or not, so that the two are alike in that."""
    return nn.Sequential(Rounded(), networks.dense_d(shape))
