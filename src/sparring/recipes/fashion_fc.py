"""Fully connected networks on Fashion-MNIST (write-up 003)."""

from sparring.datasets.fashion_mnist import FashionMNIST
from sparring.game.moves import MODERN
from sparring.latents.normal import Normal
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.optimizers.sgd import SGD
from sparring.recipe import Recipe, recipe


@recipe(
    "fashion-fc",
    source="write-up 003",
    verdict=(
        "Losses are noisy, D's rising and G's falling; blurred images with rough outlines; "
        "a latent dimension controls the brightness or extent of a region, but alone changes little."
    ),
    sweep=(5, 25, 45, 65, 85),
)
def fashion_fc() -> Recipe:
    """Clothes from 100 normal latent dimensions: D 784-128-1, G 100-128-784, LeakyReLU(0.2).

    The write-up prints the layers only. They are those of a widely used teaching notebook (T. Sercu, "GAN lab", 2019),
    so what the write-up leaves open follows that notebook: binary cross-entropy, SGD at 0.03 for both, one joint step
    for D, batch 64, images and G's tanh in [-1, 1]. The length, 25 epochs of 60,000 images, is chosen so that the
    outlines of the reference result appear.
    """
    return Recipe(
        data=FashionMNIST(span=(-1.0, 1.0)),
        generator=FullyConnected(hidden=(128,), output="tanh"),
        discriminator=FullyConnected(hidden=(128,)),
        objective=BCEWithLogits(),
        latent=Normal(100),
        round=MODERN,
        generator_optimizer=SGD(0.03),
        discriminator_optimizer=SGD(0.03),
        batch=64,
        rounds=23_450,
        log_points=50,
        samples_per_grid=8,
    )
