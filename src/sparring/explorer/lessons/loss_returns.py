"""Lesson 2: why D's loss returns to its level at equilibrium."""

from sparring.explorer.lessons import Lesson, Trial
from sparring.explorer.lessons.pattern import textbook
from sparring.recipe import Recipe


def fast_d() -> Recipe:
    """D may take steps ten times as long."""
    return textbook().replace(name="pattern-1010-fast-d", discriminator_optimizer="sgd(lr=0.1)")


LESSON = Lesson(
    name="loss",
    title="Why D’s loss comes back",
    question="D’s loss begins at 0.25, falls, and returns to 0.25. Has D forgotten what it learned?",
    text=(
        "With mean squared error, a D that answers 0.5 to everything loses (1 − 0.5)² = 0.25 on a real example and "
        "(0 − 0.5)² = 0.25 on a generated one. That is where every D begins: it knows nothing.",
        "Then D learns to tell the two kinds apart, and its loss falls. G follows, its examples become like the real "
        "ones, and there is ever less to tell apart. Where both kinds lie in the same place, the best answer that any "
        "D can give is 0.5 again, and its loss is 0.25 again.",
        "So the same number means two things: nothing learned yet, and nothing left to tell apart. A low loss of D is "
        "no success either. It says that G is behind.",
    ),
    watch="D’s loss against the dashed line, which is 0.25. Move the slider to the lowest point: the dot is far from "
    "the squares there, and the field has two colors. Move it to the end: where the squares lie, the field is pale.",
    attempt="Make D’s steps ten times as long. How low does its loss fall now, and does it still come back?",
    trials=(
        Trial("textbook", "Train six of them", textbook),
        Trial("fast-d", "Train with D’s learning rate at 0.1", fast_d),
    ),
    layers=("field", "real", "fake", "arrows"),
)
