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
    verdict="The 1010 format emerges; D's loss falls from 0.25 as D learns, then returns to 0.25: D answers 0.5.",
    expects=("equilibrium",),
)
def pattern_1010() -> Recipe:
    """Learn the pattern 1010: four numbers from the constant 0.5.

    Everything is the write-up's: D 4-3-1, G 1-3-4, sigmoids throughout, MSE, SGD 0.01, one example at a time, 10,000
    rounds of three steps. D's last sigmoid is inside the objective.
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
