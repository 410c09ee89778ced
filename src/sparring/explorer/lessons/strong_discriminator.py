"""Lesson 4: a D that is too strong, and gradients that vanish."""

from sparring.explorer.lessons import Lesson, Trial, points
from sparring.game.moves import d_sees_both, g_fools_d
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.minimax import Minimax
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe


def strong() -> Recipe:
    """Five steps of a fast D for each step of a slow G, and a loss of G that is flat where D is sure."""
    return points().replace(
        name="strong-d",
        objective=Minimax(),
        round=(d_sees_both,) * 5 + (g_fools_d,),
        discriminator_optimizer=Adam(5e-3, betas=(0.5, 0.99)),
        generator_optimizer=Adam(1e-4, betas=(0.5, 0.99)),
        rounds=500,
    )


def louder() -> Recipe:
    """The same players, and a loss that is steep where D is sure."""
    return strong().replace(name="strong-d-bce", objective=BCEWithLogits())


def even() -> Recipe:
    """One step each, at the same speed."""
    return points().replace(name="even-players", objective=Minimax())


LESSON = Lesson(
    name="strong-d",
    title="When D is too strong",
    question="A better teacher should be better for the pupil. Why does G learn nothing from a perfect D?",
    text=(
        "D’s answer is a number between 0 and 1, made by a sigmoid. Away from the middle the sigmoid is flat. A D that "
        "is sure that all of G’s samples are generated says 0 wherever they lie, and 0 a little further on as well: "
        "there is no direction in which its answer improves.",
        "G learns from that direction alone. The arrows are minus the gradient of G’s loss at each sample: where D is "
        "sure, and G’s loss is the one of the first paper (log of 1 − D), they shrink to nothing. G is not too stupid "
        "to follow. No signal reaches it.",
        "So people slow D down: fewer steps, a lower learning rate, labels of 0.9 in place of 1. Or they give G "
        "another loss, −log D, which is steep just where D is sure that it was caught.",
    ),
    watch="The median length of the arrows, in the line above the picture, and the gradient norms. D’s two histograms "
    "on the run’s own page lie at the two ends.",
    attempt="Keep D as strong as it is, and change G’s loss only. Do the arrows come back? Then let both players take "
    "turns evenly.",
    trials=(
        Trial("strong", "Train against a strong D", strong),
        Trial("louder", "The same with −log D", louder),
        Trial("even", "One step each", even),
    ),
    layers=("field", "real", "fake", "arrows"),
    curves="gradients",
)
