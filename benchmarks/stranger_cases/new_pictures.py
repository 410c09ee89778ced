"""New cases on folders of small pictures, made after the rules of the diagnosis had been settled.

Their verdicts were fixed before any was read, by what was done to each and by how far its samples are from held-out
pictures (`truth.py`). Faults lie in the data, the networks, the penalty and the latent: each is one that people have.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from sparring.latents.constant import Constant
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.hinge import Hinge
from sparring.objectives.least_squares import LeastSquares
from sparring.optimizers.adam import Adam
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.learning_rate_schedule import LearningRateSchedule
from sparring.tricks.r1 import R1
from sparring.tricks.r1_r2 import R1R2
from stranger_cases import networks
from stranger_cases.case import (
    AVERAGE,
    COLLAPSE,
    COLORS,
    EQUILIBRIUM,
    MEMORIZATION,
    NOISE,
    OVERFITTING,
    SCALE,
    UNDERTRAINED,
    VANISHING,
    WEAK,
    WINS,
    Case,
    auto,
    modern,
    own,
)
from stranger_cases.data import SPAN
from stranger_cases.new_drawing import Album

FIXED = "fixed-pattern"
IMAGENET = ((0 - 0.449) / 0.226, (1 - 0.449) / 0.226)
"""Black and white after the mean and standard deviation of ImageNet, which are averaged over its colors here."""
CLOUDS, GRASS = Album("clouds", 1_500, 8), Album("grass", 1_500, 8)
QUILTS, MARBLES = Album("quilts", 1_500, 8), Album("marbles", 1_500, 8)
CHARTS, COPIED = Album("charts", 1_500, 12), Album("quilts", 40, 8, copies=25)
FAST = Adam(2e-3, betas=(0.0, 0.99))
LAZY_R1 = R1(1.0, every=4)
STEADY = (R1R2(3.0, every=8), LearningRateSchedule(), ExponentialMovingAverage())
NARROW = FullyConnected((128, 128))
DENSE = (networks.dense_g, networks.dense_d)
LONG_ENOUGH = 3_500
"""Rounds of dense networks on pictures that are so small: more than the fault needs to show."""


def new_pictures() -> Iterator[Case]:
    """Sound ones, unfinished ones, and sick ones with a fault each."""
    yield from _sound()
    yield from _unfinished()
    yield from _spoiled_by_data()
    yield from _spoiled_by_networks()
    yield from _spoiled_by_settings()


def _sound() -> Iterator[Case]:
    """Trained to their end: the rates have fallen to 0."""
    # `auto` has dense networks of 512 units for pictures that are so small.
    narrow = auto(10_000, generator=NARROW, discriminator=NARROW)
    for name, data, make in (
        ("clouds, auto with narrow networks", CLOUDS, narrow),
        ("clouds, hinge with R1 and R2", CLOUDS, own(*DENSE, FAST, objective=Hinge(), tricks=STEADY, rounds=5_000)),
        ("grass, cross-entropy with R1 and R2", GRASS, own(*DENSE, FAST, tricks=STEADY, rounds=6_000)),
        (
            "marbles, least squares with R1 and R2",
            MARBLES,
            own(*DENSE, FAST, objective=LeastSquares(), tricks=STEADY, rounds=7_000),
        ),
        ("quilts, own networks, R1 and R2", QUILTS, modern(g=networks.dense_g, d=networks.dense_d, rounds=10_000)),
    ):
        yield Case(name, "folders", "sound", (EQUILIBRIUM,), data, make, part="new")


def _unfinished() -> Iterator[Case]:
    """Sound recipes that were stopped far too early."""
    for name, data, make in (
        ("marbles, auto, 120 rounds", MARBLES, auto(120)),
        ("quilts, own networks, 150 rounds", QUILTS, modern(rounds=150)),
    ):
        yield Case(name, "short runs", "unfinished", (UNDERTRAINED,), data, make, part="new")


def _spoiled_by_data() -> Iterator[Case]:
    """The networks and the training are sound; what they are given is not."""
    # Normalized as for a pretrained classifier: tanh reaches less than half of the range.
    yield Case(
        "marbles, ImageNet's mean and SD before tanh",
        "networks",
        "sick",
        (SCALE, COLORS, WINS),
        MARBLES,
        modern(g=networks.dense_g, d=networks.dense_d, rounds=4_000),
        IMAGENET,
        part="new",
    )
    # Enough files, it seems: someone copied theirs. Half of the samples are nearer to one of the forty than 95 % of
    # other quilts are.
    yield Case(
        "quilts, 40 in 1,000 files",
        "small folders",
        "sick",
        (MEMORIZATION, OVERFITTING, COLLAPSE),
        COPIED,
        own(*DENSE, tricks=(R1(0.1, every=4),), rounds=4_000),
        part="new",
    )


def _spoiled_by_networks() -> Iterator[Case]:
    """A mistake in D, which then can't see something, or anything."""
    blind = (WEAK, COLLAPSE, AVERAGE, VANISHING)
    for name, data, right, make in (
        (
            "marbles, batch normalization after D's last layer",
            MARBLES,
            blind,
            own(networks.dense_g, normalized_score_d, rounds=LONG_ENOUGH),
        ),
        (
            "marbles, a D that sees gray",
            MARBLES,
            (COLORS, WEAK),
            own(networks.dense_g, gray_d, tricks=(LAZY_R1,), rounds=LONG_ENOUGH),
        ),
        (
            "charts, a D without padding",
            CHARTS,
            (FIXED, WEAK),
            own(networks.dense_g, cut_off_d, FAST, tricks=STEADY, rounds=LONG_ENOUGH),
        ),
    ):
        yield Case(name, "networks", "sick", right, data, make, SPAN, part="new")


def _spoiled_by_settings() -> Iterator[Case]:
    """Sound networks, one setting far off."""
    flat = own(*DENSE, tricks=(R1(5_000.0, every=2),), rounds=LONG_ENOUGH)
    constant = own(*DENSE, latent=Constant(0.5, networks.LATENT), rounds=LONG_ENOUGH)
    for name, data, right, make in (
        ("clouds, R1 with a gamma of 5,000", CLOUDS, (WEAK, NOISE, COLLAPSE), flat),
        ("quilts, a latent that is always 0.5", QUILTS, (COLLAPSE, WINS), constant),
    ):
        yield Case(name, "networks", "sick", right, data, make, SPAN, part="new")


# Networks with a mistake.


def normalized_score_d(shape: tuple[int, ...]) -> nn.Module:
    """Batch normalization behind the last layer too: the scores of every batch, real or not, have the same mean."""
    return nn.Sequential(networks.dense_d(shape), nn.BatchNorm1d(1))


def cut_off_d(shape: tuple[int, ...]) -> nn.Module:
    """Convolutions of 3 x 3 with stride 2 whose padding was forgotten: of an even side, the last pixel is not seen."""
    last = ((shape[1] - 1) // 2 - 1) // 2
    return nn.Sequential(
        nn.Conv2d(shape[0], 16, 3, 2),
        nn.LeakyReLU(0.2),
        nn.Conv2d(16, 32, 3, 2),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(32 * last**2, 1),
    )


class Grayed(nn.Module):
    """The mean of the three colors."""

    def forward(self, x: Tensor) -> Tensor:
        """`(B, 3, H, W)` -> `(B, 1, H, W)`."""
        return x.mean(1, keepdim=True)


def gray_d(shape: tuple[int, ...]) -> nn.Module:
    """A D for gray pictures, as tutorials have it, with colors averaged so that they fit."""
    return nn.Sequential(Grayed(), networks.dense_d((1, *shape[1:])))
