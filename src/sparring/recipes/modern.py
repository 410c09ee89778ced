"""Modern GANs to start from: images, points in the plane, or your own data.

A relativistic objective with R1 and R2 gradient penalties (Huang et al., "The GAN is dead; long live the GAN!", NeurIPS
2024), Adam without momentum, samples from an averaged generator. Small images use fully connected networks; larger ones
narrow convolutional networks, with batch normalization in G only, small batches, a high learning rate, and the penalty
in every eighth round. On MNIST, after the same time on one core, the Fréchet distance of these was about half that of
fully connected networks.
"""

import math
from dataclasses import fields, replace
from typing import Any, Literal, cast

from sparring.datasets import Dataset
from sparring.datasets.digits import Digits
from sparring.datasets.fashion_mnist import FashionMNIST
from sparring.datasets.mnist import MNIST
from sparring.datasets.stacked_mnist import StackedMNIST
from sparring.game.moves import MODERN
from sparring.latents.normal import Normal
from sparring.latents.normal_and_signs import NormalAndSigns
from sparring.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe, recipe
from sparring.recipes.points import SETTLING, grid
from sparring.tricks.adaptive_augmentation import AdaptiveAugmentation
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.learning_rate_schedule import LearningRateSchedule
from sparring.tricks.r1_r2 import R1R2

SPAN = (-1.0, 1.0)
"""Range of pixel values for networks, which is that of tanh."""
LARGEST_CONNECTED = 16
"""Largest side of images, in pixels, for which `auto` uses fully connected networks; of others, as many pixels.

In the same time they gave better samples than DCGAN's at 8 pixels, and worse ones at 28 (docs/choosing.md).
"""
FEW = 1_000
"""Number of images below which `auto` adds augmentation whose strength follows D's scores, so that D does not memorize
them. DiffAugment, whose strength is the same from the first round on, did worse than none
(docs/choosing-measured.md)."""
RAMP = 100_000
"""Real examples in which that strength can go from none to all: small data are trained on for some hundred thousand."""
GAMMA_SHARE = 0.025
"""Gamma over the variance, for data that are points: the penalty, a squared gradient, has units of 1 / variance."""
SIGNS = 4
"""Latent dimensions that are signs, for data that are points; as many normal ones as a point has numbers are added."""
VARIANCE_SAMPLES = 1_000
"""Points from which the variance is estimated."""
NARROW, LARGEST_NARROW = 16, 64
"""Channels at half the image's side, and the largest side for them (of images that are not square, as many pixels):
twice as many gave worse samples in the same minutes (at 64 pixels: after ten, one seed)."""
WIDE, LONG = 32, 10.0
"""The same for pixel art in color that is trained for so many minutes or longer: tiles come nearer with these then, or
where they are transparent about as near, with less of a checkered pattern, but not in fewer minutes (docs/choosing.md).
"""
COLORS, LARGEST_TRIED, LARGEST_PHOTOGRAPH = 3, 32, 64
"""Channels of images in color, at least; stacked digits have fewer. And the largest side of images, in pixels, for
which changes of `mnist`'s networks were found to be better, and of photographs; of others, as many pixels."""
GAMMA, GAMMA_OF_CLUSTERS, GAMMA_OF_CLASSES = 3.0, 0.3, 0.1
"""Weight of the penalties on D's gradient for convolutions, and in `auto` where there are clusters: a D that may be
steeper brings samples nearer there. With the non-saturating loss it fails, and one seed of five on photographs, which
have no clusters (docs/choosing.md). And of gray images with classes, trained for LONG minutes or longer with the
relativistic loss: in these the non-saturating one brings samples no nearer than in three."""
FALLS_TO = 0.1
"""Share of gamma that is left at the end, as in R3GAN: with a gamma that stays, the rounds of ten minutes bring samples
little nearer than those of three (docs/choosing-measured.md)."""
MAX_CLUSTERS = 128
"""Clusters of images, at most; otherwise as many as the square root of the number of images."""
WIDTHS = 512, 512
"""Widths of the hidden layers of fully connected networks for images."""


@recipe(
    "mnist",
    source="Sparring: DCGAN with R1/R2 gradient penalties, on MNIST",
    verdict=(
        "Ten digits with three seeds; Fréchet distance 2.6 (real: 0.3; independent judge 8.6, real 0.5) after 12,000 "
        "rounds, 1,000 samples."
    ),
)
def mnist() -> Recipe:
    """MNIST: small DCGAN, relativistic objective; R1 and R2 in every eighth round, small batches, averaged G.

    Without clusters of similar digits. `auto --data mnist` has them, and comes nearer: 1.5 by the independent judge in
    three minutes.
    """
    return convolutional(MNIST(span=SPAN), rounds=12_000)


@recipe(
    "fashion-mnist",
    source="Sparring: DCGAN with R1/R2 gradient penalties, on Fashion-MNIST",
    verdict=(
        "All ten classes with three seeds; Fréchet distance 6.4 (real: 0.6; independent judge 7.7, real 0.7) after "
        "12,000 rounds, 1,000 samples."
    ),
)
def fashion_mnist() -> Recipe:
    """Fashion-MNIST: the same training and networks as `mnist`."""
    return convolutional(FashionMNIST(span=SPAN), rounds=12_000)


@recipe(
    "mnist-fast",
    source="Sparring: the best MNIST result in a minute",
    verdict="Fréchet distance 0.20 (real: 0.09; independent judge 0.72, real 0.17), 8 seeds, 1 to 1.5 min of one core.",
)
def mnist_fast() -> Recipe:
    """MNIST in a minute: as `mnist`, class-conditional, with twice the learning rates and a hundredth of the gamma."""
    # Both for so few rounds only: runs of 10,000 come nearer with the rates of `mnist` (docs/choosing-measured.md).
    made = convolutional(MNIST(span=SPAN), rounds=5_000, gamma=0.03, lr=4e-3)
    return replace(made, conditional=True, log_points=20)


@recipe(
    "stacked-mnist",
    source="Sparring: DCGAN with R1/R2 gradient penalties, on stacked MNIST with two digits",
    verdict="All 100 modes with five of five seeds, KL 0.045 nats (real: 0.004), in 8 min on one core each.",
)
def stacked_mnist() -> Recipe:
    """Two MNIST digits as two color channels, 100 modes: as `mnist`, with networks half as wide again."""
    return convolutional(StackedMNIST(digits_stacked=2, span=SPAN), width=24, rounds=20_000)


def convolutional(
    data: Dataset,
    rounds: int,
    width: int = NARROW,
    output: Literal["sigmoid", "tanh"] = "tanh",
    gamma: float = GAMMA,
    gamma_falls_to: float = 1.0,
    lr: float = 2e-3,
) -> Recipe:
    """The recipe for images of more than 16 pixels; gamma falls to this share of it."""
    return Recipe(
        data=data,
        generator=DCGANGenerator(width, output),
        discriminator=DCGANDiscriminator(width, normalization="none"),
        objective=RelativisticPaired(),
        tricks=(R1R2(gamma, every=8, final=gamma_falls_to), LearningRateSchedule(), ExponentialMovingAverage()),
        latent=Normal(64),
        round=MODERN,
        generator_optimizer=Adam(lr, betas=(0.0, 0.99)),
        discriminator_optimizer=Adam(lr, betas=(0.0, 0.99)),
        batch=32,
        rounds=rounds,
    )


@recipe(
    "auto",
    source="Sparring: settings found reliable in our trials, sized by the data",
    verdict="Digits: Fréchet distance 0.24 (real: 0.2; independent judge 0.86, real 0.59), two seeds, 5,000 rounds.",
    start=True,
)
def auto(data: Dataset | None = None, conditional: bool | None = None, minutes: float | None = None) -> Recipe:
    """For your own data: a folder of images, points or other vectors; networks and settings are chosen by the data.

    Points and other short vectors: as `grid`, with gamma in proportion to the variance of the data. Images of up to 256
    pixels, as 16 x 16 has: fully connected networks. Larger ones, of any height and width: as `mnist`, with DCGAN's
    networks; up to 32 x 32 (in color and not pixel art: 64 x 64) with minibatch standard deviation in D and a gamma
    that falls to a tenth, and images in color that are not pixel art are enlarged by repeated pixels and convolutions,
    in place of transposed convolutions.
    Fewer than 1,000 images: adaptive augmentation (of pixel art only mirroring and shifts). Classes are used with
    --conditional, and those of your own images without it where each has 1,000 images or more and none has more than
    twice as many as another. Images have the non-saturating loss then; gray ones of 16 x 16 to 32 x 32 that are given
    ten minutes or more (--minutes) keep the relativistic loss, with a thirtieth of the gamma. Without classes, 1,000
    images or more of up to 32 x 32 that are gray or pixel art have clusters of similar images in their place
    (--clusters 0: none), and above 16 pixels a tenth of the gamma. With these, pixel art in color has networks twice as
    wide where it is given ten minutes or more.
    """
    data = data or Digits()
    shape, examples = data.shape_and_count()
    if len(shape) != 3:
        gamma = float(f"{GAMMA_SHARE * _variance(data):.2g}")
        latent = NormalAndSigns(math.prod(shape) + SIGNS, SIGNS)
        tricks = R1R2(gamma, final=1e-4), *SETTLING
        return replace(grid(), data=data, latent=latent, tricks=tricks, conditional=bool(conditional))
    if "span" in {field.name for field in fields(cast(Any, data))}:
        data = cast(Dataset, replace(cast(Any, data), span=SPAN))
    output = "tanh" if data.span == SPAN else "sigmoid"
    large = math.prod(shape[1:]) > LARGEST_CONNECTED**2
    width = NARROW if math.prod(shape[1:]) <= LARGEST_NARROW**2 else 0  # 0: the networks choose
    classes = data.auto_conditional if conditional is None else conditional
    clustered = not classes and math.prod(shape[1:]) <= LARGEST_TRIED**2 and not _is_photographic(data)
    clusters = clusters_for(examples or 0) if clustered else 0
    if clusters and shape[0] >= COLORS and (minutes or 0) >= LONG:
        width = WIDE
    tried = large and shape[0] < COLORS and math.prod(shape[1:]) <= LARGEST_TRIED**2
    for_long = classes and tried and (minutes or 0) >= LONG
    gamma = GAMMA_OF_CLUSTERS if clusters else GAMMA_OF_CLASSES if for_long else GAMMA
    made = _for_images(data, width, output, gamma) if large else fully_connected(data, output)
    if for_long:
        made = replace(made, conditional=True)
    elif classes:
        made = replace(made, conditional=True, objective=BCEWithLogits())  # of both losses the better one with classes
    made = replace(made, clusters=clusters)
    few = examples is not None and examples < FEW
    return replace(made, tricks=(augmentation(data.pixel_art), *made.tricks)) if few else made


def _for_images(data: Dataset, width: int, output: Literal["sigmoid", "tanh"], gamma: float) -> Recipe:
    """`convolutional` with what brought its samples nearer in the same time (benchmarks/trials.py).

    Photographs lose the checkered pattern of transposed convolutions. Pixel art, whose edges are hard, came no nearer
    without them, and gray digits less near.
    """
    if math.prod(data.shape[1:]) > (LARGEST_PHOTOGRAPH if _is_photographic(data) else LARGEST_TRIED) ** 2:
        return convolutional(data, 12_000, width, output, gamma)
    return replace(
        convolutional(data, 12_000, width, output, gamma, FALLS_TO),
        generator=DCGANGenerator(width, output, "nearest" if _is_photographic(data) else "transposed"),
        discriminator=DCGANDiscriminator(width, normalization="none", minibatch_deviation=True),
    )


def _is_photographic(data: Dataset) -> bool:
    return data.shape[0] >= COLORS and not data.pixel_art


def clusters_for(examples: int) -> int:
    """How many clusters `auto` has of so many images; 0 for too few to speak of kinds."""
    return min(MAX_CLUSTERS, round(math.sqrt(examples))) if examples >= FEW else 0


def augmentation(pixel_art: bool) -> AdaptiveAugmentation:
    """Changes by which images stay images of their kind: pixel art keeps its colors and its grid."""
    if pixel_art:
        return AdaptiveAugmentation(ramp=RAMP, flips=True, rotations=False, scaling=False, colors=False)
    return AdaptiveAugmentation(ramp=RAMP, rotations=False)


def fully_connected(data: Dataset, output: Literal["sigmoid", "tanh"] = "tanh") -> Recipe:
    """The recipe for small images."""
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
    """The variance of the data, averaged over the numbers of an example."""
    from sparring.rng import RandomStreams

    rng = RandomStreams((0,))
    rng.begin(0)
    return float(data.open(None, "cpu").draw(rng, VARIANCE_SAMPLES).flatten(2).var(1).mean())
