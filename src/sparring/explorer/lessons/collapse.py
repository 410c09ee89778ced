"""Lesson 3: mode collapse, and the four remedies that are often named."""

from sparring.explorer.lessons import Lesson, Trial, points
from sparring.latents.normal import Normal
from sparring.latents.uniform import Uniform
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.mse import MSE
from sparring.optimizers.adam import Adam
from sparring.optimizers.sgd import SGD
from sparring.recipe import Recipe
from sparring.tricks.learning_rate_schedule import LearningRateSchedule

ADAM = Adam(5e-3, betas=(0.0, 0.99))
SETTLING = LearningRateSchedule(until=0.8)
"""Of every trial, so that its run ends with samples that have settled, of which the rules can say what they are."""


def first_gan() -> Recipe:
    """A first GAN: sigmoids, mean squared error, SGD, one uniform latent number."""
    sigmoids = FullyConnected(hidden=(64,), activation="sigmoid")
    return points().replace(
        name="first-gan",
        generator=sigmoids,
        discriminator=sigmoids,
        objective=MSE(),
        latent=Uniform(1),
        generator_optimizer=SGD(0.3),
        discriminator_optimizer=SGD(0.3),
        tricks=[SETTLING],
        rounds=4_000,
    )


def adam() -> Recipe:
    return first_gan().replace(name="first-gan-adam", generator_optimizer=ADAM, discriminator_optimizer=ADAM)


def network() -> Recipe:
    return first_gan().replace(
        name="first-gan-network",
        generator=FullyConnected(hidden=(64, 64, 64), activation="relu"),
        discriminator=FullyConnected(hidden=(64, 64, 64)),
    )


def normal() -> Recipe:
    return first_gan().replace(name="first-gan-randn", latent=Normal(2))


def cross_entropy() -> Recipe:
    return first_gan().replace(name="first-gan-bce", objective=BCEWithLogits())


def all_four() -> Recipe:
    return network().replace(
        name="first-gan-all",
        objective=BCEWithLogits(),
        latent=Normal(2),
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
    )


LESSON = Lesson(
    name="collapse",
    title="Collapse, and four remedies",
    question="D is fooled, the loss looks healthy, and every sample is the same. Why does G stop looking further?",
    text=(
        "The data are eight spots on a circle. Nothing in G’s loss asks for all eight. It asks only that D takes each "
        "sample for real, and one good spot is enough for that. Once all samples lie there, D learns to reject the "
        "spot, and all samples leave it together for the next one.",
        "This is mode collapse. Four remedies are often named: Adam in place of SGD, other networks, normal latent "
        "vectors in place of a uniform number, and cross-entropy in place of the squared error. Each of them changes "
        "something else: how fast G moves, how sharply it can separate spots, how much it has to vary, and how strong "
        "a signal it gets when it is caught.",
        "G draws its samples from latent vectors. With a single latent number all that it can draw is a curve, however "
        "it bends. The gray lines show the image of the latent space: with one number a thread, with two a cloth.",
    ),
    watch="Whether the orange dots of a seed lie in a heap, on a thread, or in all eight squares. The heap moves while "
    "it trains. Then read the verdict: of the three layers alone it is mode-collapse, since one latent number draws a "
    "thread; of all four it is equilibrium.",
    attempt="Before you press a button, guess: which of the four helps most by itself? Then take all four.",
    trials=(
        Trial("first", "Train the first GAN", first_gan),
        Trial("adam", "Adam in place of SGD", adam),
        Trial("network", "Three layers of ReLUs", network),
        Trial("normal", "Two normal latent numbers", normal),
        Trial("bce", "Cross-entropy in place of MSE", cross_entropy),
        Trial("all", "All four", all_four),
    ),
    layers=("field", "real", "fake", "latent"),
    curves="outputs",
)
