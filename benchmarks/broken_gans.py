"""Break GANs on purpose, in known ways, and see whether the diagnosis says what was broken.

    python benchmarks/broken_gans.py --data-dir DIR [--out runs/broken] [--only NAME ...] [--part tune|report]

Every case is a recipe that trains well, or one small change to it, with the names that are right for what was done: the
first names what was broken, the others what follows from it. Healthy GANs are cases too. Thresholds were chosen by
looking at the part `tune`. The part `report` was written down, with its right names, when the rules were finished, and
run once: it is what counts. A change that was to spoil the samples, and left them about as near to the data as the
unchanged recipe's, broke nothing: it is told and not counted.

It says first how long it will take; each run goes on where it was when the script is started again, and those that are
done are opened. What was said is kept in `results/broken-gans.json`, from which docs/diagnosis.md takes its tables.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, final

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import numpy as np
import torch
from torch import Tensor, nn

from sparring import catalogue
from sparring.assembly import game_of
from sparring.datasets import Card, Dataset, Shape, Source
from sparring.datasets._images import Images
from sparring.datasets.digits import Digits
from sparring.datasets.fashion_mnist import FashionMNIST
from sparring.datasets.mnist import MNIST
from sparring.datasets.ring import Ring
from sparring.diagnosis import NOT_SURE, diagnose, story_of
from sparring.errors import SparringError
from sparring.game import MODERN, Game, d_sees_both, d_sees_fake, d_sees_real, g_fools_d
from sparring.latent.normal import Normal
from sparring.latent.uniform import Uniform
from sparring.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.hinge import Hinge
from sparring.objectives.least_squares import LeastSquares
from sparring.objectives.minimax import Minimax
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.objectives.sigmoid_twice import SigmoidTwice
from sparring.objectives.wasserstein import Wasserstein
from sparring.optimisers import Optimiser
from sparring.optimisers.adam import Adam
from sparring.optimisers.sgd import SGD
from sparring.recipe import Recipe, find_recipe
from sparring.record import Run
from sparring.rules import Reading
from sparring.trainer import train
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.gradient_penalty import GradientPenalty
from sparring.tricks.label_swapping import LabelSwapping
from sparring.tricks.learning_rate_schedule import LearningRateSchedule
from sparring.tricks.r1 import R1
from sparring.tricks.zero_centred import ZeroCentred

RESULTS = Path(__file__).parent / "results" / "broken-gans.json"
SEEDS = 3
PACED = 0.3
"""Seconds of rounds by which a training's length is foretold."""
SPOILT = 1.5
"""Times the unchanged recipe's distance from the data, from which on samples are spoilt."""
FROZEN = SGD(0.0)
TWO = FullyConnected(hidden=(2,))
"""A network too narrow for anything."""
NOISE, COLLAPSE, AVERAGE = "noise-output", "mode-collapse", "average-image"
WINS, WEAK, VANISHING = "discriminator-wins", "weak-discriminator", "vanishing-gradient"
OSCILLATION, DIVERGENCE, UNDERTRAINED = "oscillation", "divergence", "undertrained"
OVERFITTING, MEMORISATION, EQUILIBRIUM = "overfitting-discriminator", "memorisation", "equilibrium"


# Healthy GANs.


def digits() -> Recipe:
    """The demonstration."""
    return find_recipe("digits")


def pattern() -> Recipe:
    """1010, as its write-up has it."""
    return find_recipe("pattern-1010")


def modern(recipe: Recipe, rate: float = 1e-3) -> Recipe:
    """Relativistic, held flat by a zero-centred penalty, samples from averaged weights."""
    return recipe.with_(
        objective=RelativisticPaired(),
        tricks=(ZeroCentred(1.0), ExponentialMovingAverage()),
        generator_optimiser=Adam(rate, betas=(0.0, 0.99)),
        discriminator_optimiser=Adam(rate, betas=(0.0, 0.99)),
    )


def points(data: Dataset, gamma: float) -> Recipe:
    """Points in the plane: the modern game at a high rate that falls to 0."""
    return modern(
        Recipe(
            data=data,
            generator=FullyConnected(hidden=(128, 128, 128), activation="relu"),
            discriminator=FullyConnected(hidden=(128, 128, 128), activation="relu"),
            objective=BCEWithLogits(),
            latent=Normal(2),
            round=MODERN,
            generator_optimiser=Adam(1e-3),
            discriminator_optimiser=Adam(1e-3),
            batch=64,
            rounds=2_500,
            ticks=25,
            pictured=256,
        ),
        rate=5e-3,
    ).with_(
        tricks=(ZeroCentred(gamma, final=gamma / 100, until=1.0), LearningRateSchedule(), ExponentialMovingAverage())
    )


def ring() -> Recipe:
    """Eight modes on a circle."""
    return points(Ring(), 0.01)


def grid() -> Recipe:
    """Twenty-five modes on a lattice: the recipe, half as long."""
    return find_recipe("grid").with_(rounds=6_000, ticks=30)


def images(data: Dataset) -> Recipe:
    """28 x 28 pixels: the recipe `mnist`, a third as long."""
    return find_recipe("mnist").with_(data=data, rounds=4_000, ticks=20)


def mnist() -> Recipe:
    """Handwritten digits."""
    return images(MNIST(span=(-1.0, 1.0)))


def fashion() -> Recipe:
    """Clothes."""
    return images(FashionMNIST(span=(-1.0, 1.0)))


# What is broken with more than a field.


class Saturated(nn.Module):
    """A generator whose last layer starts far out on the flat of its tanh."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(32, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64))

    def forward(self, z: Tensor) -> Tensor:
        """`(B, 32)` -> `(B, 1, 8, 8)`."""
        return (60 * self.body(z)).tanh().unflatten(1, (1, 8, 8))


class Copier(nn.Module):
    """A generator that looks up one in eight of the training images, blurs nothing and learns nothing else."""

    held: Tensor

    def __init__(self) -> None:
        super().__init__()
        source = Digits(span=(-1.0, 1.0)).open(None, "cpu")
        assert isinstance(source, Images)
        self.register_buffer("held", source.pixels[::8].float() * (2 / 255) - 1)
        self.brightness = nn.Parameter(torch.zeros(1))
        self.picks = nn.Parameter(torch.randn(32, len(source.pixels[::8])), requires_grad=False)

    def forward(self, z: Tensor) -> Tensor:
        """`(B, 32)` -> `(B, 1, 8, 8)`."""
        chosen = torch.nn.functional.one_hot((z @ self.picks).argmax(1), len(self.held)).to(z.dtype)
        return (chosen @ self.held.flatten(1)).unflatten(1, (1, 8, 8)) + 0.01 * self.brightness


@final
@dataclass(frozen=True)
class Few(Dataset):
    """The first of scikit-learn's digits alone; the others are held out."""

    count: int = 24
    span: tuple[float, float] = (-1.0, 1.0)
    shape: ClassVar[Shape] = (1, 8, 8)
    card: ClassVar[Card] = replace(Digits.card, title="A few digits", examples=None)

    def open(self, data_dir: Path | None, device: str | torch.device) -> Source:
        return Images.of(_pixels()[: self.count], self.span, device)

    def held_out(self, data_dir: Path | None) -> np.ndarray:
        return _pixels()[self.count :]


@final
@dataclass(frozen=True)
class FewMNIST(Dataset):
    """The first images of MNIST alone, with its test split."""

    count: int = 200
    span: tuple[float, float] = (-1.0, 1.0)
    shape: ClassVar[Shape] = (1, 28, 28)
    card: ClassVar[Card] = replace(MNIST.card, title="A few of MNIST", examples=None)

    def open(self, data_dir: Path | None, device: str | torch.device) -> Source:
        source = MNIST().open(data_dir, device)
        assert isinstance(source, Images)
        return Images.of(source.pixels[: self.count].cpu().numpy(), self.span, device)

    def held_out(self, data_dir: Path | None) -> np.ndarray | None:
        return MNIST().held_out(data_dir)


def _pixels() -> np.ndarray:
    source = Digits().open(None, "cpu")
    assert isinstance(source, Images)
    return source.pixels.numpy()


def d_never_sees_four_classes(game: Game) -> None:
    """D is shown real examples of six classes only, so that G drops the other four."""
    source = game.source
    assert isinstance(source, Images)
    x, classes = source.draw_with_classes(game.chance, 3 * game.batch)
    wanted = torch.argsort((classes < 6).to(torch.int8), dim=1, descending=True, stable=True)[:, : game.batch]
    real = x.gather(1, wanted[:, :, None, None, None].expand(-1, -1, *x.shape[2:]))
    fake = game.fake().detach()
    assert isinstance(fake, Tensor)
    game.learn("D", game.called(1, game.D(real)) + game.called(0, game.D(fake)) + game.penalty(real, fake))


def d_sees_one_class(game: Game) -> None:
    """D is shown real examples of the first class only."""
    source = game.source
    assert isinstance(source, Images)
    x, classes = source.draw_with_classes(game.chance, 20 * game.batch)
    wanted = torch.argsort((classes == 0).to(torch.int8), dim=1, descending=True, stable=True)[:, : game.batch]
    real = x.gather(1, wanted[:, :, None, None, None].expand(-1, -1, *x.shape[2:]))
    fake = game.fake().detach()
    assert isinstance(fake, Tensor)
    game.learn("D", game.called(1, game.D(real)) + game.called(0, game.D(fake)) + game.penalty(real, fake))


def faster(recipe: Recipe, player: str, factor: float) -> Recipe:
    """One player's learning rate multiplied."""
    name = f"{player}_optimiser"
    optimiser = getattr(recipe, name)
    return recipe.with_(**{name: replace(optimiser, rate=optimiser.rate * factor)})


def g_faster(factor: float) -> Callable[[Recipe], Recipe]:
    """G's rate multiplied."""
    return lambda recipe: faster(recipe, "generator", factor)


def d_faster(factor: float) -> Callable[[Recipe], Recipe]:
    """D's rate multiplied."""
    return lambda recipe: faster(recipe, "discriminator", factor)


def both_faster(factor: float) -> Callable[[Recipe], Recipe]:
    """Both rates multiplied."""
    return lambda recipe: faster(faster(recipe, "generator", factor), "discriminator", factor)


def cut_to(rounds: int) -> Callable[[Recipe], Recipe]:
    """Stopped early."""
    return lambda recipe: recipe.with_(rounds=rounds, ticks=min(recipe.ticks, 30))


def slowly(recipe: Recipe) -> Recipe:
    """Both learn by plain gradient descent at a rate far too low."""
    return recipe.with_(generator_optimiser=SGD(1e-3), discriminator_optimiser=SGD(1e-3))


def plain(recipe: Recipe) -> Recipe:
    """Cross-entropy and nothing else, as GANs first were."""
    return recipe.with_(objective=BCEWithLogits(), tricks=())


def put(**fields: Any) -> Callable[[Recipe], Recipe]:
    """Fields replaced."""
    return lambda recipe: recipe.with_(**fields)


def both_by(optimiser: Optimiser) -> Callable[[Recipe], Recipe]:
    """Both players step by one rule."""
    return put(generator_optimiser=optimiser, discriminator_optimiser=optimiser)


def in_turn(*changes: Callable[[Recipe], Recipe]) -> Callable[[Recipe], Recipe]:
    """Several changes."""

    def change(recipe: Recipe) -> Recipe:
        for each in changes:
            recipe = each(recipe)
        return recipe

    return change


@dataclass(frozen=True)
class Case:
    """One GAN whose state is known beforehand."""

    name: str
    base: Callable[[], Recipe]
    right: tuple[str, ...]
    """Names that are right for it; the first is what was done to it."""
    change: Callable[[Recipe], Recipe] = field(default=lambda recipe: recipe)

    part: str = "tune"
    """`report` for those that no threshold has seen."""

    @property
    def healthy(self) -> bool:
        return EQUILIBRIUM in self.right

    @property
    def needs_files(self) -> bool:
        """Whether it needs MNIST's or Fashion-MNIST's."""
        return self.base in (mnist, fashion)

    def recipe(self, seeds: int = SEEDS) -> Recipe:
        """What it trains."""
        return self.change(self.base()).with_(name=self.name, seeds=seeds)


def cases() -> Iterator[Case]:
    """Every one."""
    yield from healthy_cases()
    yield from digits_cases()
    yield from pattern_cases()
    yield from points_cases()
    yield from images_cases()
    yield from (replace(case, part="report") for case in unseen_cases())


def healthy_cases() -> Iterator[Case]:
    """GANs that train well, under several objectives."""
    gentle = Adam(1e-3, betas=(0.0, 0.99))
    for name, base, change in (
        ("digits as they come", digits, put()),
        ("digits, hinge", digits, put(objective=Hinge(), tricks=(R1(1.0),))),
        ("digits, relativistic", digits, modern),
        (
            "digits, smaller networks",
            digits,
            put(generator=FullyConnected((64, 128), output="tanh"), tricks=(R1(1.0),)),
        ),
        ("digits, batch of 16", digits, put(batch=16, rounds=8_000)),
        ("digits, least squares", digits, put(objective=LeastSquares(), tricks=(R1(1.0),))),
        ("digits, cross-entropy with R1", digits, put(tricks=(R1(1.0),))),
        (
            "digits, wasserstein",
            digits,
            put(objective=Wasserstein(), tricks=(GradientPenalty(1.0),), round=(d_sees_both,) * 3 + (g_fools_d,)),
        ),
        ("1010 as it comes", pattern, put(rounds=15_000)),
        ("1010, cross-entropy", pattern, put(objective=BCEWithLogits(), rounds=15_000)),
        ("1010, adam", pattern, put(generator_optimiser=gentle, discriminator_optimiser=gentle, rounds=15_000)),
        ("1010, batch of 8", pattern, put(batch=8, rounds=15_000)),
        ("ring as it comes", ring, put()),
        ("ring, hinge", ring, put(objective=Hinge())),
        ("ring, cross-entropy", ring, put(objective=BCEWithLogits())),
        ("grid as it comes", grid, put()),
        ("mnist as it comes", mnist, put()),
        ("mnist, hinge", mnist, put(objective=Hinge())),
        ("fashion as it comes", fashion, put()),
        ("fashion, cross-entropy with R1", fashion, put(objective=BCEWithLogits(), tricks=(R1(1.0),))),
    ):
        yield Case(name, base, (EQUILIBRIUM,), change)


def digits_cases() -> Iterator[Case]:
    """Scikit-learn's digits, broken."""
    many = (d_sees_both,) * 300 + (g_fools_d,)
    for name, right, change in (
        ("G's rate x 10", (COLLAPSE, OSCILLATION, WEAK), g_faster(10)),
        ("G's rate / 100", (WINS, UNDERTRAINED, NOISE), g_faster(0.01)),
        ("D's rate x 10", (WINS, VANISHING, COLLAPSE), d_faster(10)),
        ("D's rate / 100", (WEAK, UNDERTRAINED, COLLAPSE), d_faster(0.01)),
        ("frozen G", (WINS, VANISHING, NOISE), put(generator_optimiser=FROZEN)),
        ("frozen D", (WEAK, COLLAPSE, NOISE), put(discriminator_optimiser=FROZEN)),
        ("half the labels flipped", (WEAK, COLLAPSE, NOISE), put(tricks=(LabelSwapping(0.5, 0.0),))),
        ("D far too small", (WEAK, COLLAPSE, AVERAGE), put(discriminator=FullyConnected(hidden=(1,)))),
        (
            "D far too big for G",
            (WINS, COLLAPSE, AVERAGE),
            in_turn(
                put(
                    discriminator=FullyConnected(hidden=(512, 512)),
                    generator=FullyConnected((4,), output="tanh"),
                    tricks=(),
                ),
                d_faster(4),
            ),
        ),
        (
            "G far too small",
            (COLLAPSE, WINS, AVERAGE),
            put(generator=FullyConnected(hidden=(1,), output="tanh"), tricks=()),
        ),
        ("300 steps of D", (WINS, VANISHING, NOISE), put(round=many, rounds=30, ticks=15, tricks=())),
        (
            "300 steps of G",
            (WEAK, COLLAPSE, NOISE),
            put(round=(d_sees_both,) + (g_fools_d,) * 300, rounds=30, ticks=15),
        ),
        ("saturated outputs", (VANISHING, NOISE, WINS), put(generator=Saturated)),
        ("wrong scale", (WINS, VANISHING, NOISE), put(data=Digits(span=(0.0, 255.0)))),
        (
            "G cannot go dark",
            (WINS, VANISHING, NOISE),
            put(generator=FullyConnected(hidden=(128, 256), output="sigmoid"), tricks=()),
        ),
        ("four classes dropped", (COLLAPSE,), put(round=(d_never_sees_four_classes, g_fools_d), rounds=6_000)),
        ("a tiny data set", (OVERFITTING, MEMORISATION), put(data=Few(24), tricks=())),
        ("a G that copies", (MEMORISATION,), put(generator=Copier)),
        ("a latent of 1", (COLLAPSE,), put(latent=Uniform(1))),
        (
            "sigmoid twice against a sure D",
            (VANISHING, WINS, NOISE),
            in_turn(put(objective=SigmoidTwice(), tricks=()), d_faster(10)),
        ),
        (
            "minimax against a sure D",
            (VANISHING, WINS, NOISE),
            in_turn(put(objective=Minimax(), tricks=()), d_faster(10)),
        ),
        ("rates x 100", (DIVERGENCE, OSCILLATION, COLLAPSE, NOISE), both_faster(100)),
        (
            "SGD far too fast",
            (DIVERGENCE,),
            put(objective=LeastSquares(), tricks=(), generator_optimiser=SGD(30.0), discriminator_optimiser=SGD(30.0)),
        ),
        (
            "wasserstein with nothing to hold D",
            (DIVERGENCE, WINS),
            put(objective=Wasserstein(), tricks=(), discriminator_optimiser=Adam(1e-2)),
        ),
        ("stopped after 150 rounds", (UNDERTRAINED,), cut_to(150)),
        ("rates / 100", (UNDERTRAINED,), both_faster(0.01)),
        ("SGD too slow", (UNDERTRAINED,), slowly),
    ):
        yield Case(f"digits, {name}", digits, right, change)


def pattern_cases() -> Iterator[Case]:
    """1010, broken."""
    d_often = (d_sees_real, d_sees_fake) * 300 + (g_fools_d,)
    g_often = (d_sees_real, d_sees_fake) + (g_fools_d,) * 300
    for name, right, change in (
        ("frozen G", (WINS, VANISHING), put(generator_optimiser=FROZEN)),
        ("frozen D", (WEAK,), put(discriminator_optimiser=FROZEN)),
        ("G's rate / 100", (WINS, UNDERTRAINED), g_faster(0.01)),
        ("D's rate / 100", (WEAK, UNDERTRAINED), d_faster(0.01)),
        ("D's rate x 10,000", (WINS, OSCILLATION, VANISHING), d_faster(10_000)),
        ("G's rate x 300", (OSCILLATION, WEAK), g_faster(300)),
        ("half the labels flipped", (WEAK,), put(tricks=(LabelSwapping(0.5, 0.0),))),
        ("stopped after 1,500 rounds", (UNDERTRAINED,), cut_to(1_500)),
        ("300 steps of D", (WINS, VANISHING), put(round=d_often, rounds=150, ticks=30)),
        ("300 steps of G", (OSCILLATION, WEAK), put(round=g_often, rounds=400, ticks=40)),
    ):
        yield Case(f"1010, {name}", pattern, right, change)


def points_cases() -> Iterator[Case]:
    """Ring and grid, broken."""
    heavy = Adam(5e-3, betas=(0.9, 0.999))
    g_often = (d_sees_both,) + (g_fools_d,) * 300
    for name, base, right, change in (
        ("ring, plain cross-entropy", ring, (COLLAPSE, OSCILLATION), plain),
        (
            "ring, momentum 0.9",
            ring,
            (OSCILLATION, COLLAPSE),
            in_turn(plain, put(generator_optimiser=heavy, discriminator_optimiser=heavy)),
        ),
        ("ring, frozen G", ring, (WINS, VANISHING, NOISE), in_turn(plain, put(generator_optimiser=FROZEN))),
        ("ring, frozen D", ring, (WEAK, COLLAPSE), put(discriminator_optimiser=FROZEN)),
        ("ring, D's rate / 100", ring, (WEAK, UNDERTRAINED, COLLAPSE), d_faster(0.01)),
        ("ring, stopped after 100 rounds", ring, (UNDERTRAINED,), cut_to(100)),
        ("ring, a narrow G", ring, (COLLAPSE,), put(generator=FullyConnected(hidden=(2,)))),
        ("grid, plain cross-entropy", grid, (COLLAPSE, OSCILLATION), plain),
        ("grid, 300 steps of G", grid, (OSCILLATION, WEAK, COLLAPSE), put(round=g_often, rounds=40, ticks=20)),
        ("grid, G's rate / 100", grid, (WINS, UNDERTRAINED), in_turn(plain, g_faster(0.01))),
    ):
        yield Case(name, base, right, change)


def images_cases() -> Iterator[Case]:
    """MNIST and Fashion-MNIST, broken."""
    short = put(rounds=1_500)
    for name, base, right, change in (
        ("mnist, D's rate x 10", mnist, (WINS, VANISHING, COLLAPSE), in_turn(plain, d_faster(10), short)),
        ("mnist, frozen G", mnist, (WINS, VANISHING, NOISE), in_turn(plain, put(generator_optimiser=FROZEN), short)),
        ("mnist, few images", mnist, (OVERFITTING, MEMORISATION), in_turn(plain, put(data=FewMNIST(100)))),
        ("mnist, stopped after 150 rounds", mnist, (UNDERTRAINED,), cut_to(150)),
        ("fashion, D's rate / 100", fashion, (WEAK, UNDERTRAINED, COLLAPSE), in_turn(plain, d_faster(0.01), short)),
        ("fashion, a latent of 1", fashion, (COLLAPSE,), in_turn(put(latent=Uniform(1)), short)),
        ("fashion, G's rate / 100", fashion, (WINS, UNDERTRAINED, NOISE), in_turn(plain, g_faster(0.01), short)),
    ):
        yield Case(name, base, right, change)


def unseen_cases() -> Iterator[Case]:
    """Written down after the rules were."""
    held_flat, short = put(tricks=(R1(1.0),)), put(rounds=1_500)
    small = put(generator=DCGANGenerator(32, "tanh"), discriminator=DCGANDiscriminator(32, normalise="none"))
    for name, base, change in (
        ("digits, cross-entropy with a gradient penalty", digits, put(tricks=(GradientPenalty(1.0),))),
        ("digits, hinge with both penalties", digits, put(objective=Hinge(), tricks=(ZeroCentred(1.0),))),
        ("digits, convolutions", digits, in_turn(held_flat, small, put(rounds=3_000))),
        ("digits, batch of 128", digits, in_turn(held_flat, put(batch=128, rounds=3_000))),
        ("digits, latent of 8", digits, in_turn(held_flat, put(latent=Normal(8)))),
        ("ring, least squares", ring, put(objective=LeastSquares())),
        ("ring, batch of 256", ring, put(batch=256)),
        ("ring, uniform latent", ring, put(latent=Uniform(2))),
        ("1010, batch of 32", pattern, put(batch=32, rounds=15_000)),
        ("mnist, non-saturating", mnist, put(objective=BCEWithLogits())),
        ("fashion, non-saturating", fashion, put(objective=BCEWithLogits())),
    ):
        yield Case(name, base, (EQUILIBRIUM,), change)
    flipped, swapped = put(tricks=(LabelSwapping(0.5, 0.0),)), put(tricks=(LabelSwapping(1.0, 0.0),))
    often, apart = (d_sees_both,) * 100 + (g_fools_d,), (d_sees_real, d_sees_fake) * 100 + (g_fools_d,)
    fast = in_turn(both_by(SGD(100.0)), put(objective=LeastSquares(), tricks=()))
    loose = in_turn(both_by(Adam(5e-3, betas=(0.9, 0.999))), put(objective=Wasserstein(), tricks=()))
    one = put(latent=Normal(1), objective=Hinge(), tricks=(R1(1.0),))
    for name, base, right, change in (
        ("digits, G's rate / 1,000", digits, (WINS, UNDERTRAINED, NOISE), g_faster(1e-3)),
        ("digits, D's rate / 1,000", digits, (WEAK, UNDERTRAINED, COLLAPSE, NOISE), d_faster(1e-3)),
        ("digits, 100 steps of D", digits, (WINS, VANISHING, NOISE), put(round=often, rounds=60, ticks=15, tricks=())),
        ("digits, every label flipped", digits, (WEAK, COLLAPSE, NOISE), swapped),
        ("digits, one class", digits, (COLLAPSE,), put(round=(d_sees_one_class, g_fools_d))),
        ("digits, a latent of 1 and hinge", digits, (COLLAPSE,), one),
        ("digits, twelve images", digits, (OVERFITTING, MEMORISATION), put(data=Few(12), tricks=())),
        ("digits, sixty images", digits, (OVERFITTING, MEMORISATION), put(data=Few(60), tricks=())),
        ("digits, SGD at 100", digits, (DIVERGENCE,), fast),
        ("digits, stopped after 80 rounds", digits, (UNDERTRAINED,), cut_to(80)),
        ("digits, rates / 300", digits, (UNDERTRAINED,), both_faster(1 / 300)),
        ("digits, D of two units", digits, (WEAK, COLLAPSE, AVERAGE, NOISE), put(discriminator=TWO)),
        (
            "digits, G of two units",
            digits,
            (COLLAPSE, WINS, AVERAGE),
            put(generator=replace(TWO, output="tanh"), tricks=()),
        ),
        ("digits, too wide a scale", digits, (WINS, VANISHING, NOISE), put(data=Digits(span=(-20.0, 20.0)))),
        (
            "1010, frozen G and Adam",
            pattern,
            (WINS, VANISHING),
            in_turn(both_by(Adam(1e-3)), put(generator_optimiser=FROZEN)),
        ),
        ("1010, 100 steps of D", pattern, (WINS, VANISHING), put(round=apart, rounds=400, ticks=40)),
        ("1010, D's rate / 1,000", pattern, (WEAK, UNDERTRAINED), d_faster(1e-3)),
        ("ring, half the labels flipped", ring, (WEAK, COLLAPSE), in_turn(plain, flipped)),
        ("ring, stopped after 60 rounds", ring, (UNDERTRAINED,), cut_to(60)),
        ("ring, D of two units", ring, (WEAK, COLLAPSE), put(discriminator=TWO)),
        ("ring, wasserstein with nothing to hold D", ring, (DIVERGENCE, WINS, OSCILLATION, COLLAPSE), loose),
        ("mnist, G's rate / 100", mnist, (WINS, UNDERTRAINED, NOISE), in_turn(plain, g_faster(0.01), short)),
        ("fashion, stopped after 100 rounds", fashion, (UNDERTRAINED,), cut_to(100)),
    ):
        yield Case(name, base, right, change)


UNCHANGED = {
    digits: "digits as they come",
    pattern: "1010 as it comes",
    ring: "ring as it comes",
    grid: "grid as it comes",
    mnist: "mnist as it comes",
    fashion: "fashion as it comes",
}
"""The healthy case that cases of a base depart from."""


def folder_of(out: Path, case: Case) -> Path:
    """Where a case's run lies."""
    return out / case.name.replace(",", "").replace("'", "").replace("/", "by").replace(" ", "-").lower()


def play(case: Case, out: Path, data_dir: Path | None, seeds: int = SEEDS) -> Run:
    """Train it, or go on, or open what is there."""
    return trained(case.recipe(seeds), folder_of(out, case), data_dir)


def trained(recipe: Recipe, folder: Path, data_dir: Path | None) -> Run:
    """A run to its end. One of which every seed diverged is a run too."""
    try:
        run = train(recipe, folder, data_dir=data_dir, threads=1)
    except SparringError:
        if is_done(folder):
            return Run(folder)
        raise
    if not is_done(folder):
        sys.exit("stopped and saved; the same command goes on")
    return run


def is_done(folder: Path) -> bool:
    """Whether nothing is left to train."""
    return Run(folder).exists and Run(folder).story.status in ("finished", "diverged")


def seconds_of(recipe: Recipe, data_dir: Path | None) -> float:
    """About how long a training will take, by its first rounds."""
    game = game_of(recipe, recipe.data.open(data_dir, "cpu"))
    game.play()
    began, rounds = time.perf_counter(), 0
    while rounds == 0 or (time.perf_counter() - began < PACED and rounds < recipe.rounds):
        game.play()
        rounds += 1
    return (time.perf_counter() - began) / rounds * recipe.rounds


def in_words(seconds: float) -> str:
    """`40 s`, `12 min`."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def nearness(run: Run) -> np.ndarray:
    """How far each member's samples are from the data in the end, `(P,)`; infinite for one that is lost.

    Of points about modes, by the nearest training example: their Frechet distance sees no more than mean and spread.
    """
    reading = Reading(story_of(run))
    values = reading.figure("nearest-training") if reading.has("high-quality") else reading.distance.values
    looks = min(3, max(1, len(values) // 2))  # the first of two is no end
    last = np.median(values[-looks:], axis=0) if len(values) else np.full(reading.members, np.inf)
    return np.where(reading.lost | ~np.isfinite(last), np.inf, last)


def told(case: Case, run: Run) -> dict[str, Any]:
    """What the diagnosis said of a case."""
    said = diagnose(run)
    away = float(np.median(nearness(run)))
    return {
        "part": case.part,
        "right": list(case.right),
        "verdict": said.verdict,
        "findings": {f.rule: len(f.members) for f in said.findings},
        "seeds": len(said.story.seeds),
        "rounds": said.story.round,
        "distance": float(f"{away:.4g}") if np.isfinite(away) else None,
        "unchanged": UNCHANGED.get(case.base),
        "seconds": round(said.story.seconds, 1),
        "date": date.today().isoformat(),
    }


# Tables, for docs/diagnosis.md.


def kept() -> dict[str, dict[str, Any]]:
    """What was last measured, case by case, in the order of the cases."""
    every = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return {case.name: every[case.name] for case in cases() if case.name in every}


def held(part: str) -> dict[str, dict[str, Any]]:
    """Those of a part, each with its distance from the data as `times` that of the unchanged recipe."""
    every = kept()
    return {name: {**each, "times": _times(each, every)} for name, each in every.items() if each["part"] == part}


def _times(each: dict[str, Any], every: dict[str, dict[str, Any]]) -> float | None:
    """Infinite where no sample is left; None where the unchanged recipe was not run."""
    usual = every.get(each["unchanged"], {}).get("distance")
    if not usual:
        return None
    return math.inf if each["distance"] is None else each["distance"] / usual


def counts(each: dict[str, Any]) -> bool:
    """Whether the case is what it was meant to be: a change to the samples shows in them."""
    hidden = EQUILIBRIUM in each["right"] or each["right"][0] in (OVERFITTING, MEMORISATION)
    return hidden or each["times"] is None or each["times"] >= SPOILT


def cases_in_markdown(part: str) -> str:
    """Every case of a part: how far off its samples were, what was right, what was said."""
    lines = [
        "| case | seeds | rounds | distance, times the unchanged recipe's | right | said | also found |",
        "| --- | ---: | ---: | ---: | --- | --- | --- |",
    ]
    for name, each in held(part).items():
        said = each["verdict"]
        mark = f"`{said}`" if said in each["right"] or not counts(each) else f"**`{said}`**"
        also = ", ".join(f"`{rule}`" for rule in each["findings"] if rule != said)
        right = " or ".join(f"`{rule}`" for rule in each["right"]) if counts(each) else "(broke nothing)"
        far = "–" if each["times"] is None else "lost" if math.isinf(each["times"]) else f"{each['times']:.2g}"
        lines.append(f"| {name} | {each['seeds']} | {each['rounds']:,} | {far} | {right} | {mark} | {also} |")
    return "\n".join(lines)


def matrix_in_markdown(part: str) -> str:
    """Confusion matrix: a row for what was broken (the first of the right names), a column for what was said."""
    every = [each for each in held(part).values() if counts(each)]
    columns = [name for name in (*catalogue.cards("rules"), NOT_SURE) if any(e["verdict"] == name for e in every)]
    rows = [name for name in catalogue.cards("rules") if any(e["right"][0] == name for e in every)]
    lines = [f"| broken | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    for row in rows:
        said = Counter(each["verdict"] for each in every if each["right"][0] == row)
        lines.append(f"| {row} | {' | '.join(str(said[c]) if said[c] else '' for c in columns)} |")
    return "\n".join(lines)


def score_in_words(part: str) -> str:
    """How many were right at the top, how many sick were called healthy and healthy sick."""
    every = [each for each in held(part).values() if counts(each)]
    if not every:
        return f"The part `{part}` was not run."
    sick, healthy = ([e for e in every if (EQUILIBRIUM in e["right"]) == good] for good in (False, True))
    right = sum(e["verdict"] in e["right"] for e in every)
    first = sum(e["verdict"] == e["right"][0] for e in sick)
    called_healthy = sum(e["verdict"] == EQUILIBRIUM for e in sick)
    called_sick = sum(e["verdict"] not in (EQUILIBRIUM, NOT_SURE) for e in healthy)
    there = sum(case.part == part for case in cases())
    done = "" if len(held(part)) == there else f" {len(held(part))} of its {there} cases were run."
    return (
        f"Part `{part}`: {right} of {len(every)} right at the top ({right / len(every):.0%}), and of {len(sick)} sick "
        f"ones {first} by the very name of what was broken; {called_healthy} of {len(sick)} sick ones called healthy; "
        f"{called_sick} of {len(healthy)} healthy ones called sick.{done}"
    )


def write(path: Path, name: str, said: dict[str, Any]) -> None:
    """One more entry in a file of results."""
    every = json.loads(path.read_text()) if path.exists() else {}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(every | {name: said}, indent=1) + "\n")


def chosen(arguments: argparse.Namespace) -> list[Case]:
    """The cases that the flags name and whose data is there."""
    return [
        case
        for case in cases()
        if (not arguments.only or any(case.name.startswith(name) for name in arguments.only))
        and (arguments.data_dir or not case.needs_files)
        and (not arguments.part or case.part == arguments.part)
        and (not arguments.done or is_done(folder_of(arguments.out, case)))
    ]


def flags(doc: str, out: str) -> argparse.ArgumentParser:
    """Those that choose cases."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--out", type=Path, default=Path(out))
    parser.add_argument("--only", nargs="*", default=[], help="cases whose name begins so; all if not given")
    parser.add_argument("--part", choices=("tune", "report"))
    parser.add_argument("--done", action="store_true", help="only cases that were trained: diagnose them again")
    return parser


def main() -> None:
    """Train what is missing, diagnose each, keep what was said after every case."""
    arguments = flags(__doc__ or "", "runs/broken").parse_args()
    torch.set_num_threads(1)
    wanted = chosen(arguments)
    missing = [case for case in wanted if not is_done(folder_of(arguments.out, case))]
    left = {case.name: seconds_of(case.recipe(), arguments.data_dir) for case in missing}
    print(f"{len(missing)} of {len(wanted)} cases to train, about {in_words(sum(left.values()))}", flush=True)
    for case in wanted:
        said = told(case, play(case, arguments.out, arguments.data_dir))
        left.pop(case.name, None)
        write(RESULTS, case.name, said)
        right = "right" if said["verdict"] in case.right else "WRONG"
        rest = f" ({in_words(sum(left.values()))} left)" if left else ""
        print(f"{case.part:<7}{right:<6}{case.name}: {said['verdict']}{rest}", flush=True)
    for part in ("tune", "report"):
        print(score_in_words(part))


if __name__ == "__main__":
    main()
