"""Why does the reference GAN converge faster and better than the author's own, with a G forty times smaller?

Write-up 004 leaves this open, with two hypotheses: "a deeper D converges more slowly", and "my D was too shallow and
overfitted". Each of the two generators is trained with each of the two discriminators, for three epochs: G's
effect, D's effect and whether they depend on one another are then separate numbers. The same runs answer at equal
seconds, with the outcome `at-seconds(frechet-distance, SECONDS)`. D's outputs on held-out images are in every row.
Networks compute in bfloat16: for the reference that took half the time, and its samples were as good (docs/speed.md).
"""

from __future__ import annotations

from sparring.recipe import find_recipe
from sparring.study.definition import Study
from sparring.study.factors import Factor

EPOCH = 938
"""Rounds in an epoch: 60,000 images in batches of 64."""


def study() -> Study:
    """{own G, reference G} x {own D, reference D} x 6 seeds, three epochs each."""
    own, reference = find_recipe("mnist-own"), find_recipe("mnist-reference")
    factors = [
        Factor("generator", {"own": own.generator, "reference": reference.generator}),
        Factor("discriminator", {"own": own.discriminator, "reference": reference.discriminator}),
    ]
    return Study(
        own.replace(log_points=30, precision="bfloat16"),
        factors,
        seeds=6,
        outcome="frechet-distance",
        rounds=3 * EPOCH,
        name="why-the-reference",
        question="Why does the reference converge faster and better than the author's own GAN: its G, its D, or both?",
    )
