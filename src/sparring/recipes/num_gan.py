"""The first MNIST GANs: one image per step, one latent dimension (write-ups 000 and 001)."""

from dataclasses import replace

from sparring.datasets.mnist import MNIST
from sparring.game.moves import TEXTBOOK
from sparring.latents.normal import Normal
from sparring.latents.uniform import Uniform
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.mse import MSE
from sparring.optimizers.adam import Adam
from sparring.optimizers.sgd import SGD
from sparring.recipe import Recipe, recipe


@recipe(
    "num-gan",
    source="write-up 000, the first model",
    verdict="No longer pure noise; unbalanced: D learns far faster than G, and the images improve little.",
    expects=("discriminator-wins",),
)
def num_gan() -> Recipe:
    """MNIST from one uniform latent number: D 784-200-1, G 1-200-784, sigmoids, MSE, SGD 0.01, batch 1, 60,000 rounds.

    D and G mirror each other so that neither is faster; a round trains D on one real and one generated image, and its
    two generated images come from different latent vectors. D's last sigmoid is part of the objective.
    """
    return Recipe(
        data=MNIST(),
        generator=FullyConnected(hidden=(200,), activation="sigmoid", output="sigmoid"),
        discriminator=FullyConnected(hidden=(200,), activation="sigmoid"),
        objective=MSE(),
        latent=Uniform(1),
        round=TEXTBOOK,
        generator_optimizer=SGD(0.01),
        discriminator_optimizer=SGD(0.01),
        batch=1,
        rounds=60_000,
        log_points=60,
    )


@recipe(
    "num-gan-1",
    source="write-up 000, improved model 1",
    verdict="Digits appear; mode collapse: once G has found a good enough output, it stops improving.",
    expects=("mode-collapse",),
)
def num_gan_1() -> Recipe:
    """num-gan with LeakyReLU(0.02) in the hidden layers and Adam at 1e-4."""
    return replace(
        num_gan(),
        generator=FullyConnected(hidden=(200,), slope=0.02, output="sigmoid"),
        discriminator=FullyConnected(hidden=(200,), slope=0.02),
        generator_optimizer=Adam(1e-4),
        discriminator_optimizer=Adam(1e-4),
    )


@recipe(
    "num-gan-2",
    source="write-up 000, improved model 2",
    verdict="Mode collapse persists; the images have clearer structure.",
    expects=("mode-collapse",),
)
def num_gan_2() -> Recipe:
    """num-gan-1 with binary cross-entropy and normalization layers in both networks.

    The write-up does not say which normalization. At batch 1 only one that works within an example is possible, so it
    is layer normalization after the hidden activation, before the last linear layer.
    """
    return replace(
        num_gan_1(),
        generator=FullyConnected(hidden=(200,), slope=0.02, normalization="layer", output="sigmoid"),
        discriminator=FullyConnected(hidden=(200,), slope=0.02, normalization="layer"),
        objective=BCEWithLogits(),
    )


# The four remedies for mode collapse that the first steps name (write-up 001, section 2.3.7), each alone on num-gan and
# all together. The write-up gives no result for any of them.


@recipe(
    "num-gan-adam",
    source="write-up 001, section 2.3.7, remedy 1",
    verdict="(none given; named as a remedy for mode collapse)",
)
def num_gan_adam() -> Recipe:
    """num-gan with Adam in place of SGD, at the learning rate of num-gan-1, 1e-4."""
    return replace(num_gan(), generator_optimizer=Adam(1e-4), discriminator_optimizer=Adam(1e-4))


@recipe(
    "num-gan-network",
    source="write-up 001, section 2.3.7, remedy 2",
    verdict="(none given; named as a remedy for mode collapse)",
)
def num_gan_network() -> Recipe:
    """num-gan with the networks of num-gan-2: LeakyReLU(0.02) and layer normalization."""
    changed = num_gan_2()
    return replace(num_gan(), generator=changed.generator, discriminator=changed.discriminator)


@recipe(
    "num-gan-randn",
    source="write-up 001, section 2.3.7, remedy 3",
    verdict="(none given; named as a remedy for mode collapse)",
)
def num_gan_randn() -> Recipe:
    """num-gan with a normal latent distribution in place of the uniform one, still of one dimension."""
    return replace(num_gan(), latent=Normal(1))


@recipe(
    "num-gan-bce",
    source="write-up 001, section 2.3.7, remedy 4",
    verdict="(none given; named as a remedy for mode collapse)",
)
def num_gan_bce() -> Recipe:
    """num-gan with binary cross-entropy in place of mean squared error."""
    return replace(num_gan(), objective=BCEWithLogits())


@recipe(
    "num-gan-all",
    source="write-up 001, section 2.3.7, all remedies",
    verdict="(none given; named as remedies for mode collapse)",
)
def num_gan_all() -> Recipe:
    """num-gan with the four remedies together: Adam, the changed networks, a normal latent, binary cross-entropy."""
    return replace(num_gan_2(), latent=Normal(1))
