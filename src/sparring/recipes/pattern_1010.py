"""The smallest GAN: four numbers, 1010 (write-up 002)."""

from sparring.datasets.pattern_1010 import Pattern1010
from sparring.game.moves import TEXTBOOK
from sparring.latents.constant import Constant
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.mse import MSE
from sparring.optimizers.sgd import SGD
from sparring.recipe import Recipe, recipe


@recipe(
    "pattern-1010",
    source="write-up 002, section 1",
    verdict="The pattern 1010 emerges; D's loss falls from 0.25, then returns to 0.25, where D's output is 0.5.",
    expects=("equilibrium",),
    start=True,
)
def pattern_1010() -> Recipe:
    """The pattern 1010: four numbers from the constant latent 0.5.

    Everything is as in the write-up: D 4-3-1, G 1-3-4, sigmoids throughout, MSE, SGD 0.01, one example per step, 10,000
    rounds of three steps. D's last sigmoid is part of the objective.
    """
    return Recipe(
        data=Pattern1010(),
        generator=FullyConnected(hidden=(3,), activation="sigmoid", output="sigmoid"),
        discriminator=FullyConnected(hidden=(3,), activation="sigmoid"),
        objective=MSE(),
        latent=Constant(0.5),
        round=TEXTBOOK,
        generator_optimizer=SGD(0.01),
        discriminator_optimizer=SGD(0.01),
        batch=1,
        rounds=10_000,
        log_points=100,
        samples_per_grid=1,
    )
