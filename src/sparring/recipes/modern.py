"""One modern game for images and for whatever else there is: what to start from.

A relativistic pair with R1 and R2 (Huang et al., "The GAN is dead; long live the GAN!", NeurIPS 2024), Adam without
momentum, samples from an averaged generator. Small images go through fully connected networks; larger ones through
narrow convolutions, with batch normalization in G alone, small batches, a high rate, and R1 and R2 in every eighth
round only. On MNIST, after the same time on one core, that came about twice as near to the data as fully connected
networks did.
"""

import math
from dataclasses import fields, replace
from typing import Any, Literal, cast

from sparring.datasets import Dataset, Shape
from sparring.datasets.digits import Digits
from sparring.datasets.fashion_mnist import FashionMNIST
from sparring.datasets.mnist import MNIST
from sparring.datasets.stacked_mnist import StackedMNIST
from sparring.game.moves import MODERN
from sparring.latents.normal import Normal
from sparring.latents.normal_and_signs import NormalAndSigns
from sparring.networks._images import sides
from sparring.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe, recipe
from sparring.recipes.points import SETTLING, grid
from sparring.tricks.diff_augment import DiffAugment
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.learning_rate_schedule import LearningRateSchedule
from sparring.tricks.r1_r2 import R1R2

SPAN = (-1.0, 1.0)
"""What networks see of images, and what tanh gives."""
LARGEST_CONNECTED = 16
"""Side of images, in pixels, up to which `auto` lets fully connected networks draw them.

In the same time they came further than DCGAN's with 8 pixels, and less far with 28 (docs/choosing.md).
"""
FEW = 1_000
"""Images below which D is shown them changed, lest it learn them by heart.

With 1,437 digits it need not be: 5,000 rounds came to a Fréchet distance of 0.7 without DiffAugment, 2.2 with it.
"""
GAMMA_SHARE = 0.025
"""Of gamma in the variance of data that are points: D's slope is in units of one over theirs, its square counts."""
SIGNS = 4
"""Among the latent numbers for data that are points, beside as many normal ones as a point has."""
LOOKED_AT = 1_000
"""Points that the variance is taken from."""
NARROW, LARGEST_NARROW = 16, 32
"""Maps at half the image's side, and the largest side they are for: twice as many came less far in the same time."""
WIDTHS = 512, 512
"""Of the hidden layers of fully connected networks that draw or judge images."""


@recipe(
    "mnist",
    source="ours: DCGAN's networks held flat, on MNIST",
    verdict="All ten digits in three seeds, Fréchet distance 4.3 after 4,000 rounds; 2.5 after all in one (real: 0.1).",
)
def mnist() -> Recipe:
    """MNIST: small convolutions, a relativistic pair, R1 and R2 in every eighth round, small batches, averaged G."""
    return convolutional(MNIST(span=SPAN), rounds=12_000)


@recipe(
    "fashion-mnist",
    source="ours: DCGAN's networks held flat, on Fashion-MNIST",
    verdict="All ten classes in three seeds; Fréchet distance 8.2 after 4,000 of 12,000 rounds (real: 0.1).",
)
def fashion_mnist() -> Recipe:
    """Fashion-MNIST: the same game and networks as `mnist`."""
    return convolutional(FashionMNIST(span=SPAN), rounds=12_000)


@recipe(
    "mnist-fast",
    source="ours: the best of MNIST in a minute",
    verdict="Fréchet distance 0.27 to 0.38 (real: 0.1) in eight seeds, after a minute of one core each.",
)
def mnist_fast() -> Recipe:
    """MNIST in a minute: the networks of `mnist`, players that are told classes, a non-saturating loss."""
    return replace(mnist(), objective=BCEWithLogits(), conditional=True, rounds=5_000, log_points=20)


@recipe(
    "stacked-mnist",
    source="ours: DCGAN's networks held flat, on stacked MNIST with two digits",
    verdict="All hundred modes in five of five seeds, KL 0.045 nats (real: 0.004), in 8 min of one core each.",
)
def stacked_mnist() -> Recipe:
    """Two digits of MNIST as two colors, a hundred modes: the game of `mnist`, networks half as wide again."""
    return convolutional(StackedMNIST(digits_stacked=2, span=SPAN), width=24, rounds=20_000)


def convolutional(
    data: Dataset, rounds: int, width: int = NARROW, output: Literal["sigmoid", "tanh"] = "tanh"
) -> Recipe:
    """The game for images of more than 16 pixels."""
    return Recipe(
        data=data,
        generator=DCGANGenerator(width, output),
        discriminator=DCGANDiscriminator(width, normalization="none"),
        objective=RelativisticPaired(),
        tricks=(R1R2(gamma=3.0, every=8), LearningRateSchedule(), ExponentialMovingAverage()),
        latent=Normal(64),
        round=MODERN,
        generator_optimizer=Adam(2e-3, betas=(0.0, 0.99)),
        discriminator_optimizer=Adam(2e-3, betas=(0.0, 0.99)),
        batch=32,
        rounds=rounds,
    )


@recipe(
    "auto",
    source="ours: what our trials show to be sound, sized by the data",
    verdict="Digits: ten classes, Fréchet distance 0.7 (real: 0.2) in two seeds after 5,000 of 10,000 rounds.",
)
def auto(data: Dataset | None = None) -> Recipe:
    """Any data set: `--data DIR`, points, gray or RGB images. The game, the networks and their sizes follow from it.

    Points and other short rows of numbers: the game of `grid`, with a gamma in proportion to the variance of the data.
    Images up to 16 pixels: fully connected networks. Larger ones, where the side allows it: the game of `mnist`, with
    DCGAN's convolutions. Fewer than 1,000 images: D is shown them through DiffAugment. Classes are not used.
    """
    data = data or Digits()
    shape, examples = data.shape_and_count()
    if len(shape) != 3:
        gamma = float(f"{GAMMA_SHARE * _variance(data):.2g}")
        latent = NormalAndSigns(math.prod(shape) + SIGNS, SIGNS)
        return replace(grid(), data=data, latent=latent, tricks=(R1R2(gamma, final=1e-4), *SETTLING))
    if "span" in {field.name for field in fields(cast(Any, data))}:
        data = cast(Dataset, replace(cast(Any, data), span=SPAN))
    output = "tanh" if data.span == SPAN else "sigmoid"
    large = min(shape[1:]) > LARGEST_CONNECTED and _has_sides_to_halve(shape)
    width = NARROW if max(shape[1:]) <= LARGEST_NARROW else 0  # 0: the networks' own
    game = convolutional(data, 12_000, width, output) if large else fully_connected(data, output)
    few = examples is not None and examples < FEW
    return replace(game, tricks=(DiffAugment(), *game.tricks)) if few else game


def fully_connected(data: Dataset, output: Literal["sigmoid", "tanh"] = "tanh") -> Recipe:
    """The game for small images."""
    return Recipe(
        data=data,
        generator=FullyConnected(WIDTHS, output=output),
        discriminator=FullyConnected(WIDTHS),
        objective=RelativisticPaired(),
        tricks=(R1R2(gamma=1.0), LearningRateSchedule(), ExponentialMovingAverage()),
        latent=Normal(64),
        round=MODERN,
        generator_optimizer=Adam(1e-3, betas=(0.0, 0.99)),
        discriminator_optimizer=Adam(1e-3, betas=(0.0, 0.99)),
        batch=64,
        rounds=10_000,
    )


def _variance(data: Dataset) -> float:
    """Of one number of an example, on average."""
    from sparring.rng import RandomStreams

    rng = RandomStreams((0,))
    rng.begin(0)
    return float(data.open(None, "cpu").draw(rng, LOOKED_AT).flatten(2).var(1).mean())


def _has_sides_to_halve(shape: Shape) -> bool:
    try:
        sides(shape)
    except ValueError:
        return False
    return True
