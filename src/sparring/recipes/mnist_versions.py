"""MNIST, one author's versions 1 to 5 (write-up 004).

The write-up gives what changes from version to version, the step ratios, the tricks and the sizes of the last networks,
and leaves most else open. What is open is chosen once and kept from version to version, so that two successive versions
differ only in what the write-up names: batch 64, 100 normal latent dimensions, Adam at 1e-4 (the rate that its section
3 states), a joint step for D, and epochs of 938 rounds, with one D step each. "D and G 1:200" is 200 generator steps
for each discriminator step.
"""

from dataclasses import replace

from sparring.datasets.mnist import MNIST
from sparring.game.moves import d_sees_both, d_sees_mixture, g_fools_d
from sparring.latents.normal import Normal
from sparring.networks.convolutional import Convolutional
from sparring.networks.fully_connected import FullyConnected
from sparring.networks.fully_convolutional import FullyConvolutional
from sparring.networks.linear_then_convolution import LinearThenConvolution
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.double_sigmoid import DoubleSigmoid
from sparring.objectives.handwritten_cross_entropy import HandwrittenCrossEntropy
from sparring.objectives.mse import MSE
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe, recipe
from sparring.tricks.label_smoothing import LabelSmoothing
from sparring.tricks.label_swapping import LabelSwapping

EPOCH = 938
"""Rounds in an epoch: 60,000 images in batches of 64."""

FIRST_D = Convolutional(channels=(16, 32, 64), hidden=(128,), slope=0.0)
SHALLOW_D = Convolutional(channels=(8, 8), padding=0, slope=0.0)
OWN_G = FullyConnected(hidden=(512, 1024, 2048, 2560), normalization="batch", dropout=0.3, output="sigmoid")
OWN_D = Convolutional(channels=(8, 8), padding=0, dropout=0.3)
REFERENCE_G = FullyConnected(hidden=(128, 256), normalization="batch", dropout=0.3, output="sigmoid")
REFERENCE_D = Convolutional(channels=(64, 128, 256), kernel=3, hidden=(2048, 512), normalization="batch")
TUNED_ADAM = Adam(1e-4, betas=(0.5, 0.999), weight_decay=1e-4)


@recipe(
    "mnist-v1",
    source="write-up 004, v1",
    verdict="Too slow to use.",
)
def mnist_v1() -> Recipe:
    """D learns from one mixed set of MNIST images and images drawn from G one by one; convolutional G; MSE; 1:200.

    G turns a large random array (56 x 56 numbers) into an image by convolutions alone. One epoch.
    """
    return Recipe(
        data=MNIST(),
        generator=FullyConvolutional(slope=0.0),
        discriminator=FIRST_D,
        objective=MSE(),
        latent=Normal(56 * 56),
        round=(d_sees_mixture,) + (g_fools_d,) * 200,
        generator_optimizer=Adam(1e-4),
        discriminator_optimizer=Adam(1e-4),
        batch=64,
        rounds=EPOCH,
        log_points=1,
    )


@recipe(
    "mnist-v2",
    source="write-up 004, v2",
    verdict="Speed is acceptable; D's loss falls fast and D trains well; G does not train: its images are noise.",
    expects=("noise-output", "discriminator-wins"),
)
def mnist_v2() -> Recipe:
    """Data in batches; a G of two linear layers and one convolution; hand-written cross-entropy; 1:300. One epoch."""
    return replace(
        mnist_v1(),
        generator=LinearThenConvolution(hidden=(128,), channels=(4,), slope=0.0),
        objective=HandwrittenCrossEntropy(),
        latent=Normal(100),
        round=(d_sees_both,) + (g_fools_d,) * 300,
    )


@recipe(
    "mnist-v3.0",
    source="write-up 004, v3.0",
    verdict="G does not train: its images have no structure.",
    expects=("noise-output", "discriminator-wins"),
)
def mnist_v3_0() -> Recipe:
    """D with fewer layers, G with more; labels 0.9 for real and 0.1 for fake; 1:10. Ten epochs."""
    return replace(
        mnist_v2(),
        generator=LinearThenConvolution(hidden=(128, 256), channels=(4, 8), slope=0.0),
        discriminator=SHALLOW_D,
        tricks=(LabelSmoothing(real=(0.9, 0.9), fake=(0.1, 0.1)),),
        round=(d_sees_both,) + (g_fools_d,) * 10,
        rounds=10 * EPOCH,
        log_points=10,
    )


@recipe(
    "mnist-v3.1",
    source="write-up 004, v3.1",
    verdict="G does not train: its images have no structure.",
    expects=("noise-output", "discriminator-wins"),
)
def mnist_v3_1() -> Recipe:
    """G's loss is BCE with logits on a D that already ends in a sigmoid, so its score passes two sigmoids; 1:30."""
    return replace(mnist_v3_0(), objective=DoubleSigmoid(), round=(d_sees_both,) + (g_fools_d,) * 30)


@recipe(
    "mnist-v3.2",
    source="write-up 004, v3.2",
    verdict="G does not train: its images have no structure.",
    expects=("noise-output", "discriminator-wins"),
)
def mnist_v3_2() -> Recipe:
    """BCE for both players; 10 % of the labels are swapped throughout; 1:1. Twenty epochs."""
    return replace(
        mnist_v3_0(),
        objective=BCEWithLogits(),
        tricks=(LabelSmoothing(real=(0.9, 0.9), fake=(0.1, 0.1)), LabelSwapping(rate=0.1, until=0.0)),
        round=(d_sees_both, g_fools_d),
        rounds=20 * EPOCH,
        log_points=20,
    )


@recipe(
    "mnist-v3.2b",
    source="write-up 004, v3.2_",
    verdict="Some recognizable images, which then stop improving.",
    expects=("oscillation", "mode-collapse"),
)
def mnist_v3_2b() -> Recipe:
    """Adam(1e-4, betas (0.5, 0.999), weight decay 1e-4); label swapping fades out until half the epochs; 1:5."""
    return replace(
        mnist_v3_2(),
        generator_optimizer=TUNED_ADAM,
        discriminator_optimizer=TUNED_ADAM,
        tricks=(LabelSmoothing(real=(0.9, 0.9), fake=(0.1, 0.1)), LabelSwapping(rate=0.1, until=0.5)),
        round=(d_sees_both,) + (g_fools_d,) * 5,
    )


@recipe(
    "mnist-v4.0",
    source="write-up 004, v4.0",
    verdict="(none given)",
)
def mnist_v4_0() -> Recipe:
    """A G of linear layers with LeakyReLU and dropout; real labels from U(0.9, 1); 1:1.

    The random real label is one of the tricks of section 3, which does not say in which version it was added.
    """
    return replace(
        mnist_v3_2b(),
        generator=FullyConnected(hidden=(256, 512, 1024), dropout=0.3, output="sigmoid"),
        tricks=(LabelSmoothing(real=(0.9, 1.0)), LabelSwapping(rate=0.1, until=0.5)),
        round=(d_sees_both, g_fools_d),
    )


@recipe(
    "mnist-v4.1",
    source="write-up 004, v4.1",
    verdict="(none given)",
)
def mnist_v4_1() -> Recipe:
    """mnist-v4.0 with dropout in D."""
    return replace(mnist_v4_0(), discriminator=OWN_D)


@recipe(
    "mnist-own",
    source="write-up 004, section 2, model 1",
    verdict="Digits after about 50 epochs; slower and worse than mnist-reference.",
)
def mnist_own() -> Recipe:
    """The author's final networks: a G of 40 MB with BatchNorm and dropout, a D of 5.35 KB with dropout. Fifty epochs.

    G 100-512-1024-2048-2560-784 (39.8 MB of weights); D two convolutions of 8 channels, 4 x 4 with stride 2, and one
    linear layer (1,369 weights, 5.35 KB). The write-up gives the kinds of layers and the sizes in bytes.
    """
    return replace(mnist_v4_1(), generator=OWN_G, rounds=50 * EPOCH, log_points=50)


@recipe(
    "mnist-reference",
    source="write-up 004, section 2, model 2",
    verdict="Good after 10 epochs; converges faster and better than mnist-own, with a G 40 times smaller.",
)
def mnist_reference() -> Recipe:
    """The cited article's networks: G of about 1 MB, deep convolutional D with BatchNorm of about 40 MB. Ten epochs.

    G 100-128-256-784 with BatchNorm and dropout (1.0 MB of weights); D convolutions of 64, 128 and 256 channels with
    BatchNorm and linear layers of 2,048, 512 and 1 (39 MB). The write-up gives the kinds of layers and the sizes in
    bytes. Everything else is as in mnist-own.
    """
    return replace(mnist_own(), generator=REFERENCE_G, discriminator=REFERENCE_D, rounds=10 * EPOCH, log_points=10)


@recipe(
    "mnist-v5.0",
    source="write-up 004, v5.0",
    verdict="Good after 10 epochs, with networks from a published article.",
)
def mnist_v5_0() -> Recipe:
    """The same as mnist-reference, under its version number."""
    return mnist_reference()
