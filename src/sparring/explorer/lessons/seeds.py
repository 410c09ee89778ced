"""Lesson 6: why seeds differ."""

from sparring.explorer.lessons import Lesson, Trial, points
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.recipe import Recipe
from sparring.tricks.r1_r2 import R1R2


def twelve() -> Recipe:
    return points().replace(
        name="twelve-seeds",
        generator=FullyConnected(hidden=(24,), activation="relu"),
        discriminator=FullyConnected(hidden=(24,)),
        seeds=12,
        rounds=1_200,
    )


def steadier() -> Recipe:
    """The same networks, an objective that compares both kinds, and penalties."""
    return twelve().replace(name="twelve-steady", objective=RelativisticPaired(), tricks=[R1R2(gamma=0.05)])


LESSON = Lesson(
    name="seeds",
    title="Why seeds differ",
    question="You trained it again, changed nothing, and got something else. Which of the two is the result?",
    text=(
        "A random seed decides the weights that both networks begin with, and the order in which they see latent "
        "vectors and examples. Everything else is the same here: twelve GANs, one recipe, twelve seeds.",
        "In most training this matters little: all seeds go down much the same slope. A GAN has no such slope, "
        "because each player’s goal moves whenever the other one does. A small difference in the beginning decides "
        "which part of the circle G finds first, D reacts to that, and the two never meet again.",
        "One run shows what can happen. What a change is worth, only several seeds show: compare the ranges, not the "
        "best pictures.",
    ),
    watch="Go back to round 0 with the slider and play. All twelve begin as a heap near the middle. See how soon they "
    "go their own ways, and how many of the eight spots each has found in the end.",
    attempt="Train the same twelve seeds with a paired objective and a penalty on D’s gradient. Do they differ less?",
    trials=(
        Trial("twelve", "Train twelve seeds", twelve),
        Trial("steady", "Train them with penalties", steadier),
    ),
    curves="losses",
)
