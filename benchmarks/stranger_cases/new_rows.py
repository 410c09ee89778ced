"""New cases of tables, points, signals and small gray pictures, with networks of one's own: read once, changed never.

Their verdicts were fixed before any was read, without a look at the rules. That a sound run is good and that
a fault spoils its samples was checked by `truth.py` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from torch import Tensor, nn

from sparring.game.moves import d_sees_both, g_fools_d
from sparring.latents.normal import Normal
from sparring.objectives.hinge import Hinge
from sparring.objectives.least_squares import LeastSquares
from sparring.objectives.minimax import Minimax
from sparring.objectives.relativistic_average import RelativisticAverage
from sparring.objectives.wasserstein import Wasserstein
from sparring.optimizers.adam import Adam
from sparring.tricks import Trick
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.gradient_penalty import GradientPenalty
from sparring.tricks.learning_rate_schedule import LearningRateSchedule
from sparring.tricks.r1 import R1
from sparring.tricks.r1_r2 import R1R2
from sparring.tricks.two_time_scales import TwoTimeScales
from stranger_cases import networks
from stranger_cases.case import (
    COLLAPSE,
    DIVERGENCE,
    EQUILIBRIUM,
    OSCILLATION,
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
from stranger_cases.networks import Shape
from stranger_cases.new_rows_data import GrayPictures, rows

FIXED = "fixed-pattern"
COUNT = 2_000
CALM = Adam(1e-3, betas=(0.0, 0.99))
ICONS, PIPS, STAMPS = (
    GrayPictures("icons", COUNT, 8),
    GrayPictures("pips", COUNT, 12),
    GrayPictures("stamps", COUNT, 12),
)


def new_rows() -> Iterator[Case]:
    """Five sound runs, two unfinished ones, and seven with a fault each."""
    for case in (*sound(), *unfinished(), *sick()):
        yield replace(case, part="new")


def averaged(*tricks: Trick) -> tuple[Trick, ...]:
    """These tricks, rates that fall, and an averaged G."""
    return (*tricks, LearningRateSchedule(), ExponentialMovingAverage())


def sound() -> Iterator[Case]:
    """Sound recipes that had the time that they need."""
    critic = (d_sees_both,) * 3 + (g_fools_d,)
    for name, kind, data, make in (
        (
            "spiral, own networks, R1 and R2",
            "tables",
            rows("spiral"),
            modern(rounds=6_000, batch=128),
        ),
        (
            "orders, WGAN-GP",
            "tables",
            rows("orders"),
            own(
                objective=Wasserstein(),
                tricks=averaged(GradientPenalty(1.0)),
                both=CALM,
                round=critic,
                rounds=3_000,
            ),
        ),
        (
            "clusters, least squares with R1",
            "tables",
            rows("clusters"),
            own(objective=LeastSquares(), tricks=averaged(R1(0.3)), both=CALM, rounds=9_000, batch=128),
        ),
        (
            "heartbeats, hinge with R1",
            "signals",
            rows("heartbeats"),
            own(objective=Hinge(), tricks=averaged(R1(0.3)), both=CALM, rounds=6_000),
        ),
        (
            "icons, relativistic average with R1 and R2",
            "folders",
            ICONS,
            own(
                networks.dense_g,
                networks.dense_d,
                objective=RelativisticAverage(),
                tricks=averaged(R1R2(3.0, every=8)),
                both=Adam(2e-3, betas=(0.0, 0.99)),
                rounds=9_000,
            ),
        ),
    ):
        yield Case(name, kind, "sound", (EQUILIBRIUM,), data, make)


def unfinished() -> Iterator[Case]:
    """Sound recipes that were stopped far too early."""
    for name, data, make in (
        ("strikes, auto, 120 rounds", rows("strikes"), auto(120)),
        ("pips, own networks, hinge with R1, 150 rounds", PIPS, own(objective=Hinge(), tricks=(R1(0.3),), rounds=150)),
    ):
        yield Case(name, "short runs", "unfinished", (UNDERTRAINED,), data, make)


def sick() -> Iterator[Case]:
    """One fault each."""
    decaying = Adam(5e-4, betas=(0.5, 0.999), weight_decay=0.1)
    for name, kind, right, data, make in (
        (
            "icons, minimax and a D that learns 20 times as fast",
            "networks",
            (VANISHING, WINS, COLLAPSE),
            ICONS,
            own(networks.dense_g, networks.dense_d, objective=Minimax(), tricks=(TwoTimeScales(20.0),)),
        ),
        (
            "orders, tanh for standardized columns",
            "tables",
            (SCALE, WINS),
            rows("orders"),
            modern(g=tanh_g, rounds=3_000),
        ),
        (
            "spiral, weights of D that decay",
            "tables",
            (WEAK, VANISHING),
            rows("spiral"),
            own(discriminator_optimizer=decaying, rounds=3_000),
        ),
        (
            "heartbeats, eight sigmoid layers in G",
            "signals",
            (VANISHING, COLLAPSE, WINS),
            rows("heartbeats"),
            own(sigmoid_layers_g, rounds=3_000),
        ),
        (
            "strikes, a latent of three coin flips",
            "signals",
            (COLLAPSE, WINS),
            rows("strikes"),
            own(coin_flips_g, tricks=(R1(0.3),), latent=Normal(3), rounds=3_000),
        ),
        (
            "strikes, a beta1 of 0.99 for both players",
            "signals",
            (OSCILLATION, DIVERGENCE, COLLAPSE, WINS),
            rows("strikes"),
            own(both=Adam(2e-3, betas=(0.99, 0.999)), rounds=3_000),
        ),
        (
            "stamps, a D that does not see the border",
            "networks",
            (FIXED, WEAK),
            STAMPS,
            own(d=cropping_d, rounds=1_500),
        ),
    ):
        yield Case(name, kind, "sick", right, data, make)


def tanh_g(shape: Shape) -> nn.Module:
    """Ends in tanh, as for pictures, where columns reach far beyond 1."""
    return nn.Sequential(networks.dense_g(shape), nn.Tanh())


def sigmoid_layers_g(shape: Shape) -> nn.Module:
    """Eight layers with sigmoids between them, as networks were made before there were ReLUs."""
    layers: list[nn.Module] = [nn.Linear(networks.LATENT, 64), nn.Sigmoid()]
    for _ in range(7):
        layers += [nn.Linear(64, 64), nn.Sigmoid()]
    return nn.Sequential(*layers, nn.Linear(64, prod(shape)))


class Signs(nn.Module):
    """The signs of latent numbers: heads or tails."""

    def forward(self, z: Tensor) -> Tensor:
        """Any shape."""
        return z.sign()


def coin_flips_g(shape: Shape) -> nn.Module:
    """Gets three signs, and so has eight different examples to give."""
    return nn.Sequential(Signs(), networks.dense_g(shape, latent=3))


class Middle(nn.Module):
    """All but two pixels at each side."""

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H - 4, W - 4)`."""
        return x[..., 2:-2, 2:-2]


def cropping_d(shape: Shape) -> nn.Module:
    """Looks at the middle alone, as if a border were of no interest."""
    return nn.Sequential(Middle(), networks.dcgan_d((shape[0], shape[1] - 4, shape[2] - 4)))
