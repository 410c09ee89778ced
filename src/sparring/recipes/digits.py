"""The demonstration: a small GAN that generates legible digits on any laptop in a minute."""

from sparring.datasets.digits import Digits
from sparring.game.moves import MODERN
from sparring.latents.normal import Normal
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe, recipe
from sparring.tricks.label_smoothing import LabelSmoothing


@recipe(
    "digits",
    source="Sparring: the demonstration",
    verdict="Legible digits of many classes with every seed; D stays ahead, with D(x) about 0.6 and D(G(z)) about 0.3.",
    start=True,
)
def digits() -> Recipe:
    """8x8 handwritten digits from scikit-learn, without a download: two fully connected networks, BCE, Adam."""
    return Recipe(
        data=Digits(span=(-1.0, 1.0)),
        generator=FullyConnected(hidden=(128, 256), output="tanh"),
        discriminator=FullyConnected(hidden=(256, 128)),
        objective=BCEWithLogits(),
        tricks=(LabelSmoothing(real=(0.9, 1.0)),),
        latent=Normal(32),
        round=MODERN,
        generator_optimizer=Adam(5e-4, betas=(0.5, 0.99)),
        discriminator_optimizer=Adam(5e-4, betas=(0.5, 0.99)),
        batch=64,
        rounds=5_000,
        log_points=40,
    )
