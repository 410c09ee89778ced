"""What in the reference's D carries the effect: depth, width, kernels, BatchNorm, or having no dropout?

From the author's own D to the reference's in five steps, in both orders, with the reference's G. The activation and the
stride of both are the same (LeakyReLU 0.2, stride 2), so they are no steps.
"""

from __future__ import annotations

import dataclasses

from sparring.networks.convolutional import Convolutional
from sparring.recipe import Recipe, find_recipe
from sparring.study.definition import Study
from sparring.study.designs import STEPWISE
from sparring.study.factors import Change, Factor
from sparring.study.library.why_the_reference import EPOCH

CHANNELS = {"narrow": {"shallow": (8, 8), "deep": (8, 16, 32)}, "wide": {"shallow": (64, 128), "deep": (64, 128, 256)}}
HIDDEN = {"narrow": (256, 64), "wide": (2048, 512)}
"""Of a deep D: sizes of its linear layers before the last; a shallow one has none."""


def study() -> Study:
    """2 x 5 steps of D x 6 seeds with the reference's G, three epochs each."""
    own, reference = find_recipe("mnist-own"), find_recipe("mnist-reference")
    factors = [
        Factor("depth", {"2 layers": None, "3 convolutions + 2 linear": _shaped(deep=True)}),
        Factor("width", {"8 channels": None, "64 channels and more": _shaped(wide=True)}),
        Factor("kernel", {"4, no padding": None, "3, padding 1": _with(kernel=3, padding=1)}),
        Factor("normalization", {"none": None, "batch": _with(normalization="batch")}),
        Factor("dropout", {"0.3": None, "none": _with(dropout=0.0)}),
    ]
    return Study(
        reference.replace(name="own D", discriminator=own.discriminator, log_points=30, precision="bfloat16"),
        factors,
        seeds=6,
        outcome="frechet-distance",
        design=STEPWISE,
        rounds=3 * EPOCH,
        name="why-the-reference-steps",
        question="Which difference between the own D and the reference's D makes the reference better?",
    )


def _shaped(*, deep: bool | None = None, wide: bool | None = None) -> Change:
    """D with another depth or width, whatever the other one is."""

    def change(recipe: Recipe) -> Recipe:
        D = _d_of(recipe)
        depth = "deep" if deep or len(D.channels) == len(CHANNELS["wide"]["deep"]) else "shallow"
        width = "wide" if wide or D.channels[0] == CHANNELS["wide"]["deep"][0] else "narrow"
        hidden = HIDDEN[width] if depth == "deep" else ()
        return recipe.replace(discriminator=dataclasses.replace(D, channels=CHANNELS[width][depth], hidden=hidden))

    return change


def _with(**fields: object) -> Change:
    def change(recipe: Recipe) -> Recipe:
        return recipe.replace(discriminator=dataclasses.replace(_d_of(recipe), **fields))

    return change


def _d_of(recipe: Recipe) -> Convolutional:
    assert isinstance(recipe.discriminator, Convolutional)
    return recipe.discriminator
