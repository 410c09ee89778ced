"""Lesson 5: what a penalty on D's gradient does."""

from sparring.explorer.lessons import Lesson, Trial, points
from sparring.game.moves import d_sees_both, g_fools_d
from sparring.objectives.wasserstein import Wasserstein
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe
from sparring.tricks.gradient_penalty import GradientPenalty
from sparring.tricks.r1_r2 import R1R2


def without() -> Recipe:
    """A critic whose scores have no bound, and nothing that holds it."""
    adam = Adam(1e-3, betas=(0.0, 0.99))
    return points().replace(
        name="critic",
        objective=Wasserstein(),
        round=(d_sees_both,) * 3 + (g_fools_d,),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        rounds=800,
    )


def gradient_penalty() -> Recipe:
    return without().replace(name="critic-gp", tricks=[GradientPenalty(weight=1.0)])


def zero_centered() -> Recipe:
    return without().replace(name="critic-r1-r2", tricks=[R1R2(gamma=0.3)])


LESSON = Lesson(
    name="penalties",
    title="What a penalty does to D",
    question="Why would anybody punish D for telling real from generated too well?",
    text=(
        "This D is a critic: its score may be any number, and its loss asks only that real examples score higher than "
        "generated ones. However far apart the two are, further apart is better still. Nothing stops it, so the scores "
        "grow, and the field becomes a cliff.",
        "G’s arrows are the slope of that field. On a cliff they are huge in one place and point anywhere in the next, "
        "and G jumps from side to side.",
        "A penalty on D’s gradient asks for a gentle slope: of about 1 between real and generated examples (gradient "
        "penalty), or near 0 at the examples themselves (R1 and R2). D may still prefer real examples, but it has to "
        "do so smoothly. Then the arrows of neighbors agree, and point to where the data are.",
    ),
    watch="How the colors pass into one another, and whether arrows that begin side by side agree. Hover over the "
    "field to read the scores.",
    attempt="Train the same critic with each of the two penalties, and compare the lengths of the arrows.",
    trials=(
        Trial("without", "Train without a penalty", without),
        Trial("gp", "With a gradient penalty", gradient_penalty),
        Trial("r1-r2", "With R1 and R2", zero_centered),
    ),
    layers=("field", "real", "fake", "arrows"),
    curves="gradients",
)
