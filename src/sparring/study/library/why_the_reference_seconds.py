"""Why does the reference GAN converge faster and better than the author's own, if both train for the same seconds?

Each pair of `why-the-reference` trains for as long as three epochs of the whole reference take: 279 seconds of one core
for one seed. A pair whose rounds take a fifteenth of the time plays fifteen times as many.
"""

from __future__ import annotations

from sparring.recipe import Recipe
from sparring.study.definition import Study
from sparring.study.factors import Change, Factor
from sparring.study.library.why_the_reference import EPOCH
from sparring.study.library.why_the_reference import study as at_equal_images

PACE = {
    ("own", "own"): 35.7e-3,
    ("own", "reference"): 128.7e-3,
    ("reference", "own"): 6.8e-3,
    ("reference", "reference"): 99.1e-3,
}
"""Whose G and whose D -> seconds of a round of one seed: medians of five turns of one core with AVX-512, compiled, in
bfloat16 (`benchmarks/study_paces.py`)."""
SECONDS = 3 * EPOCH * PACE["reference", "reference"]
"""For which each seed is trained."""


def study() -> Study:
    """{own G, reference G} x {own D, reference D} x 6 seeds, 279 seconds each."""
    images = at_equal_images()
    generators, discriminators = images.factors
    whose = {level.value: level.label for level in generators.levels}

    def with_rounds(discriminator: object, label: str) -> Change:
        def change(recipe: Recipe) -> Recipe:
            pace = PACE[whose[recipe.generator], label]
            return recipe.replace(discriminator=discriminator, rounds=round(SECONDS / pace))

        return change

    changes = {level.label: with_rounds(level.value, level.label) for level in discriminators.levels}
    return Study(
        images.base,
        [generators, Factor("paired D", changes)],
        seeds=images.seeds,
        outcome=images.outcome,
        name="why-the-reference-seconds",
        question="Why does the reference converge faster and better at equal seconds: its G, its D, or both?",
    )
