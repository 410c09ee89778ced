"""Lesson 1: the smallest GAN, and the three steps of a round."""

from sparring.explorer.lessons import Lesson, Trial
from sparring.recipe import Recipe
from sparring.recipes.pattern_1010 import pattern_1010

SEEDS = 6


def textbook() -> Recipe:
    return pattern_1010().replace(seeds=SEEDS)


def impatient() -> Recipe:
    """G may take steps ten times as long."""
    recipe = textbook()
    return recipe.replace(name="pattern-1010-fast-g", generator_optimizer="sgd(lr=0.1)")


LESSON = Lesson(
    name="1010",
    title="The smallest GAN: 1010",
    question="How can a network learn a pattern that nobody ever shows to it?",
    text=(
        "Real examples here are four numbers: high, low, high, low. G makes four numbers as well, and always from the "
        "same input, 0.5. It never sees a real example. All that reaches it is what D makes of its own four numbers.",
        "A round has three steps. D learns to answer 1 for a real example; D learns to answer 0 for one of G’s; G "
        "changes its weights so that D’s answer for its example moves towards 1, while D stays as it is. Then all of "
        "it again, ten thousand times.",
        "The picture shows the first two of the four numbers: the square of real examples lies at the lower right, "
        "where the first number is high and the second one low. The dot is what G makes.",
    ),
    watch="The dot begins in the middle. First the field turns: D learns which corner is real. Only then the dot "
    "moves, along its arrow, towards blue. Pause, and press “Next move” to see whose step does what.",
    attempt="Let G take steps that are ten times as long as D’s. Does it come to the corner sooner, and does it stay?",
    trials=(
        Trial("textbook", "Train six of them", textbook),
        Trial("fast-g", "Train with G’s learning rate at 0.1", impatient),
    ),
    layers=("field", "real", "fake", "arrows"),
    curves="outputs",
)
