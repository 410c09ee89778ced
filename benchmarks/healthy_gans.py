"""GANs that train well, which the cases of `broken_cases.py` depart from."""

from __future__ import annotations

from sparring.datasets import Dataset
from sparring.datasets.fashion_mnist import FashionMNIST
from sparring.datasets.mnist import MNIST
from sparring.datasets.ring import Ring
from sparring.game.moves import MODERN
from sparring.latents.normal import Normal
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe, find_recipe
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.learning_rate_schedule import LearningRateSchedule
from sparring.tricks.r1_r2 import R1R2


def digits() -> Recipe:
    """The demonstration."""
    return find_recipe("digits")


def pattern() -> Recipe:
    """1010, as its write-up has it."""
    return find_recipe("pattern-1010")


def modern(recipe: Recipe, lr: float = 1e-3) -> Recipe:
    """Relativistic, with R1 and R2, samples from averaged weights."""
    return recipe.replace(
        objective=RelativisticPaired(),
        tricks=(R1R2(1.0), ExponentialMovingAverage()),
        generator_optimizer=Adam(lr, betas=(0.0, 0.99)),
        discriminator_optimizer=Adam(lr, betas=(0.0, 0.99)),
    )


def points(data: Dataset, gamma: float) -> Recipe:
    """Points in the plane: the modern game at a high learning rate that decays to 0."""
    return modern(
        Recipe(
            data=data,
            generator=FullyConnected(hidden=(128, 128, 128), activation="relu"),
            discriminator=FullyConnected(hidden=(128, 128, 128), activation="relu"),
            objective=BCEWithLogits(),
            latent=Normal(2),
            round=MODERN,
            generator_optimizer=Adam(1e-3),
            discriminator_optimizer=Adam(1e-3),
            batch=64,
            rounds=2_500,
            log_points=25,
            samples_per_grid=256,
        ),
        lr=5e-3,
    ).replace(tricks=(R1R2(gamma, final=gamma / 100, until=1.0), LearningRateSchedule(), ExponentialMovingAverage()))


def ring() -> Recipe:
    """Eight modes on a circle."""
    return points(Ring(), 0.01)


def grid() -> Recipe:
    """Twenty-five modes on a lattice: the recipe, half as long."""
    return find_recipe("grid").replace(rounds=6_000, log_points=30)


def images(data: Dataset) -> Recipe:
    """28 x 28 pixels: the recipe `mnist`, a third as long."""
    return find_recipe("mnist").replace(data=data, rounds=4_000, log_points=20)


def mnist() -> Recipe:
    """Handwritten digits."""
    return images(MNIST(span=(-1.0, 1.0)))


def fashion() -> Recipe:
    """Clothes."""
    return images(FashionMNIST(span=(-1.0, 1.0)))
