"""GANs that train well, and GANs broken on purpose in known ways: the cases of `broken_gans.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from broken_parts import Copier, Few, FewMNIST, Saturated, d_never_sees_four_classes, d_sees_one_class
from healthy_gans import digits, fashion, grid, mnist, modern, pattern, ring

from sparring.datasets.digits import Digits
from sparring.game.moves import d_sees_both, d_sees_fake, d_sees_real, g_fools_d
from sparring.latents.normal import Normal
from sparring.latents.uniform import Uniform
from sparring.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.double_sigmoid import DoubleSigmoid
from sparring.objectives.hinge import Hinge
from sparring.objectives.least_squares import LeastSquares
from sparring.objectives.minimax import Minimax
from sparring.objectives.wasserstein import Wasserstein
from sparring.optimizers import Optimizer
from sparring.optimizers.adam import Adam
from sparring.optimizers.sgd import SGD
from sparring.recipe import Recipe
from sparring.tricks.gradient_penalty import GradientPenalty
from sparring.tricks.label_swapping import LabelSwapping
from sparring.tricks.r1 import R1
from sparring.tricks.r1_r2 import R1R2

SEEDS = 3
FROZEN = SGD(0.0)
TWO = FullyConnected(hidden=(2,))
"""A network too narrow for anything."""
NOISE, COLLAPSE, AVERAGE = "noise-output", "mode-collapse", "average-image"
WINS, WEAK, VANISHING = "discriminator-wins", "weak-discriminator", "vanishing-gradient"
OSCILLATION, DIVERGENCE, UNDERTRAINED = "oscillation", "divergence", "undertrained"
OVERFITTING, MEMORIZATION, EQUILIBRIUM = "overfitting-discriminator", "memorization", "equilibrium"
SCALE = "range-mismatch"


# Changes.


def faster(recipe: Recipe, player: str, factor: float) -> Recipe:
    """One player's learning rate multiplied."""
    name = f"{player}_optimizer"
    optimizer = getattr(recipe, name)
    return recipe.replace(**{name: replace(optimizer, lr=optimizer.lr * factor)})


def g_faster(factor: float) -> Callable[[Recipe], Recipe]:
    """G's learning rate multiplied."""
    return lambda recipe: faster(recipe, "generator", factor)


def d_faster(factor: float) -> Callable[[Recipe], Recipe]:
    """D's learning rate multiplied."""
    return lambda recipe: faster(recipe, "discriminator", factor)


def both_faster(factor: float) -> Callable[[Recipe], Recipe]:
    """Both learning rates multiplied."""
    return lambda recipe: faster(faster(recipe, "generator", factor), "discriminator", factor)


def cut_to(rounds: int) -> Callable[[Recipe], Recipe]:
    """Stopped early."""
    return lambda recipe: recipe.replace(rounds=rounds, log_points=min(recipe.log_points, 30))


def slowly(recipe: Recipe) -> Recipe:
    """Both use plain gradient descent with a learning rate far too low."""
    return recipe.replace(generator_optimizer=SGD(1e-3), discriminator_optimizer=SGD(1e-3))


def plain(recipe: Recipe) -> Recipe:
    """Cross-entropy and nothing else, as GANs first were."""
    return recipe.replace(objective=BCEWithLogits(), tricks=())


def put(**fields: Any) -> Callable[[Recipe], Recipe]:
    """Fields replaced."""
    return lambda recipe: recipe.replace(**fields)


def both_by(optimizer: Optimizer) -> Callable[[Recipe], Recipe]:
    """Both players use the same optimizer."""
    return put(generator_optimizer=optimizer, discriminator_optimizer=optimizer)


def in_turn(*changes: Callable[[Recipe], Recipe]) -> Callable[[Recipe], Recipe]:
    """Several changes."""

    def change(recipe: Recipe) -> Recipe:
        for each in changes:
            recipe = each(recipe)
        return recipe

    return change


@dataclass(frozen=True)
class Case:
    """One GAN whose state is known beforehand."""

    name: str
    base: Callable[[], Recipe]
    right: tuple[str, ...]
    """The correct verdicts; the first is what was done to it."""
    change: Callable[[Recipe], Recipe] = field(default=lambda recipe: recipe)

    part: str = "tune"
    """`report` for cases that played no part in choosing thresholds."""

    @property
    def healthy(self) -> bool:
        return EQUILIBRIUM in self.right

    @property
    def needs_files(self) -> bool:
        """Whether it needs MNIST's or Fashion-MNIST's."""
        return self.base in (mnist, fashion)

    def recipe(self, seeds: int = SEEDS) -> Recipe:
        """The recipe that it trains."""
        return self.change(self.base()).replace(name=self.name, seeds=seeds)


def cases() -> Iterator[Case]:
    """Every one."""
    yield from healthy_cases()
    yield from digits_cases()
    yield from pattern_cases()
    yield from points_cases()
    yield from images_cases()
    yield from (replace(case, part="report") for case in unseen_cases())


def healthy_cases() -> Iterator[Case]:
    """GANs that train well, under several objectives."""
    gentle = Adam(1e-3, betas=(0.0, 0.99))
    for name, base, change in (
        ("digits as they come", digits, put()),
        ("digits, hinge", digits, put(objective=Hinge(), tricks=(R1(1.0),))),
        ("digits, relativistic", digits, modern),
        (
            "digits, smaller networks",
            digits,
            put(generator=FullyConnected((64, 128), output="tanh"), tricks=(R1(1.0),)),
        ),
        ("digits, batch of 16", digits, put(batch=16, rounds=8_000)),
        ("digits, least squares", digits, put(objective=LeastSquares(), tricks=(R1(1.0),))),
        ("digits, cross-entropy with R1", digits, put(tricks=(R1(1.0),))),
        (
            "digits, wasserstein",
            digits,
            put(objective=Wasserstein(), tricks=(GradientPenalty(1.0),), round=(d_sees_both,) * 3 + (g_fools_d,)),
        ),
        ("1010 as it comes", pattern, put(rounds=15_000)),
        ("1010, cross-entropy", pattern, put(objective=BCEWithLogits(), rounds=15_000)),
        ("1010, adam", pattern, put(generator_optimizer=gentle, discriminator_optimizer=gentle, rounds=15_000)),
        ("1010, batch of 8", pattern, put(batch=8, rounds=15_000)),
        ("ring as it comes", ring, put()),
        ("ring, hinge", ring, put(objective=Hinge())),
        ("ring, cross-entropy", ring, put(objective=BCEWithLogits())),
        ("grid as it comes", grid, put()),
        ("mnist as it comes", mnist, put()),
        ("mnist, hinge", mnist, put(objective=Hinge())),
        ("fashion as it comes", fashion, put()),
        ("fashion, cross-entropy with R1", fashion, put(objective=BCEWithLogits(), tricks=(R1(1.0),))),
    ):
        yield Case(name, base, _good(base), change)


def _good(base: Callable[[], Recipe]) -> tuple[str, ...]:
    """The correct verdicts on a GAN that trains well: clothes have not settled after a third of their rounds."""
    return (EQUILIBRIUM, UNDERTRAINED) if base is fashion else (EQUILIBRIUM,)


def digits_cases() -> Iterator[Case]:
    """Scikit-learn's digits, broken."""
    many = (d_sees_both,) * 300 + (g_fools_d,)
    for name, right, change in (
        ("G's rate x 10", (COLLAPSE, OSCILLATION, WEAK), g_faster(10)),
        ("G's rate / 100", (WINS, UNDERTRAINED, NOISE), g_faster(0.01)),
        ("D's rate x 10", (WINS, VANISHING, COLLAPSE), d_faster(10)),
        ("D's rate / 100", (WEAK, UNDERTRAINED, COLLAPSE), d_faster(0.01)),
        ("frozen G", (WINS, VANISHING, NOISE), put(generator_optimizer=FROZEN)),
        ("frozen D", (WEAK, COLLAPSE, NOISE), put(discriminator_optimizer=FROZEN)),
        ("half the labels flipped", (WEAK, COLLAPSE, NOISE), put(tricks=(LabelSwapping(0.5, 0.0),))),
        ("D far too small", (WEAK, COLLAPSE, AVERAGE), put(discriminator=FullyConnected(hidden=(1,)))),
        (
            "D far too big for G",
            (WINS, COLLAPSE, AVERAGE),
            in_turn(
                put(
                    discriminator=FullyConnected(hidden=(512, 512)),
                    generator=FullyConnected((4,), output="tanh"),
                    tricks=(),
                ),
                d_faster(4),
            ),
        ),
        (
            "G far too small",
            (COLLAPSE, WINS, AVERAGE),
            put(generator=FullyConnected(hidden=(1,), output="tanh"), tricks=()),
        ),
        ("300 steps of D", (WINS, VANISHING, NOISE), put(round=many, rounds=30, log_points=15, tricks=())),
        (
            "300 steps of G",
            (WEAK, COLLAPSE, NOISE),
            put(round=(d_sees_both,) + (g_fools_d,) * 300, rounds=30, log_points=15),
        ),
        ("saturated outputs", (VANISHING, NOISE, WINS), put(generator=Saturated)),
        ("wrong scale", (SCALE, WINS, VANISHING, NOISE), put(data=Digits(span=(0.0, 255.0)))),
        (
            "G cannot go dark",
            (SCALE, WINS, VANISHING, NOISE),
            put(generator=FullyConnected(hidden=(128, 256), output="sigmoid"), tricks=()),
        ),
        ("four classes dropped", (COLLAPSE,), put(round=(d_never_sees_four_classes, g_fools_d), rounds=6_000)),
        ("a tiny data set", (OVERFITTING, MEMORIZATION), put(data=Few(24), tricks=())),
        ("a G that copies", (MEMORIZATION,), put(generator=Copier)),
        ("a latent of 1", (COLLAPSE,), put(latent=Uniform(1))),
        (
            "sigmoid twice against a sure D",
            (VANISHING, WINS, NOISE),
            in_turn(put(objective=DoubleSigmoid(), tricks=()), d_faster(10)),
        ),
        (
            "minimax against a sure D",
            (VANISHING, WINS, NOISE),
            in_turn(put(objective=Minimax(), tricks=()), d_faster(10)),
        ),
        ("rates x 100", (DIVERGENCE, OSCILLATION, COLLAPSE, NOISE), both_faster(100)),
        (
            "SGD far too fast",
            (DIVERGENCE,),
            put(objective=LeastSquares(), tricks=(), generator_optimizer=SGD(30.0), discriminator_optimizer=SGD(30.0)),
        ),
        (
            "wasserstein with nothing to hold D",
            (DIVERGENCE, WINS),
            put(objective=Wasserstein(), tricks=(), discriminator_optimizer=Adam(1e-2)),
        ),
        ("stopped after 150 rounds", (UNDERTRAINED,), cut_to(150)),
        ("rates / 100", (UNDERTRAINED,), both_faster(0.01)),
        ("SGD too slow", (UNDERTRAINED,), slowly),
    ):
        yield Case(f"digits, {name}", digits, right, change)


def pattern_cases() -> Iterator[Case]:
    """1010, broken."""
    d_often = (d_sees_real, d_sees_fake) * 300 + (g_fools_d,)
    g_often = (d_sees_real, d_sees_fake) + (g_fools_d,) * 300
    for name, right, change in (
        ("frozen G", (WINS, VANISHING), put(generator_optimizer=FROZEN)),
        ("frozen D", (WEAK,), put(discriminator_optimizer=FROZEN)),
        ("G's rate / 100", (WINS, UNDERTRAINED), g_faster(0.01)),
        ("D's rate / 100", (WEAK, UNDERTRAINED), d_faster(0.01)),
        ("D's rate x 10,000", (WINS, OSCILLATION, VANISHING), d_faster(10_000)),
        ("G's rate x 300", (OSCILLATION, WEAK), g_faster(300)),
        ("half the labels flipped", (WEAK,), put(tricks=(LabelSwapping(0.5, 0.0),))),
        ("stopped after 1,500 rounds", (UNDERTRAINED,), cut_to(1_500)),
        ("300 steps of D", (WINS, VANISHING), put(round=d_often, rounds=150, log_points=30)),
        ("300 steps of G", (OSCILLATION, WEAK), put(round=g_often, rounds=400, log_points=40)),
    ):
        yield Case(f"1010, {name}", pattern, right, change)


def points_cases() -> Iterator[Case]:
    """Ring and grid, broken."""
    heavy = Adam(5e-3, betas=(0.9, 0.999))
    g_often = (d_sees_both,) + (g_fools_d,) * 300
    for name, base, right, change in (
        ("ring, plain cross-entropy", ring, (COLLAPSE, OSCILLATION), plain),
        (
            "ring, momentum 0.9",
            ring,
            (OSCILLATION, COLLAPSE),
            in_turn(plain, put(generator_optimizer=heavy, discriminator_optimizer=heavy)),
        ),
        ("ring, frozen G", ring, (WINS, VANISHING, NOISE), in_turn(plain, put(generator_optimizer=FROZEN))),
        ("ring, frozen D", ring, (WEAK, COLLAPSE), put(discriminator_optimizer=FROZEN)),
        ("ring, D's rate / 100", ring, (WEAK, UNDERTRAINED, COLLAPSE), d_faster(0.01)),
        ("ring, stopped after 100 rounds", ring, (UNDERTRAINED,), cut_to(100)),
        ("ring, a narrow G", ring, (COLLAPSE, WINS), put(generator=FullyConnected(hidden=(2,)))),
        ("grid, plain cross-entropy", grid, (COLLAPSE, OSCILLATION), plain),
        ("grid, 300 steps of G", grid, (OSCILLATION, WEAK, COLLAPSE), put(round=g_often, rounds=40, log_points=20)),
        ("grid, G's rate / 100", grid, (WINS, UNDERTRAINED), in_turn(plain, g_faster(0.01))),
    ):
        yield Case(name, base, right, change)


def images_cases() -> Iterator[Case]:
    """MNIST and Fashion-MNIST, broken."""
    short = put(rounds=1_500)
    for name, base, right, change in (
        ("mnist, D's rate x 10", mnist, (WINS, VANISHING, COLLAPSE), in_turn(plain, d_faster(10), short)),
        ("mnist, frozen G", mnist, (WINS, VANISHING, NOISE), in_turn(plain, put(generator_optimizer=FROZEN), short)),
        ("mnist, few images", mnist, (OVERFITTING, MEMORIZATION), in_turn(plain, put(data=FewMNIST(100)))),
        ("mnist, stopped after 150 rounds", mnist, (UNDERTRAINED,), cut_to(150)),
        ("fashion, D's rate / 100", fashion, (WEAK, UNDERTRAINED, COLLAPSE), in_turn(plain, d_faster(0.01), short)),
        ("fashion, a latent of 1", fashion, (COLLAPSE,), in_turn(put(latent=Uniform(1)), short)),
        ("fashion, G's rate / 100", fashion, (WINS, UNDERTRAINED, NOISE), in_turn(plain, g_faster(0.01), short)),
    ):
        yield Case(name, base, right, change)


def unseen_cases() -> Iterator[Case]:
    """Cases fixed after the rules were finished."""
    penalized, short = put(tricks=(R1(1.0),)), put(rounds=1_500)
    small = put(generator=DCGANGenerator(32, "tanh"), discriminator=DCGANDiscriminator(32, normalization="none"))
    for name, base, change in (
        ("digits, cross-entropy with a gradient penalty", digits, put(tricks=(GradientPenalty(1.0),))),
        ("digits, hinge with both penalties", digits, put(objective=Hinge(), tricks=(R1R2(1.0),))),
        ("digits, convolutions", digits, in_turn(penalized, small, put(rounds=3_000))),
        ("digits, batch of 128", digits, in_turn(penalized, put(batch=128, rounds=3_000))),
        ("digits, latent of 8", digits, in_turn(penalized, put(latent=Normal(8)))),
        ("ring, least squares", ring, put(objective=LeastSquares())),
        ("ring, batch of 256", ring, put(batch=256)),
        ("ring, uniform latent", ring, put(latent=Uniform(2))),
        ("1010, batch of 32", pattern, put(batch=32, rounds=15_000)),
        ("mnist, non-saturating", mnist, put(objective=BCEWithLogits())),
        ("fashion, non-saturating", fashion, put(objective=BCEWithLogits())),
    ):
        yield Case(name, base, _good(base), change)
    flipped, swapped = put(tricks=(LabelSwapping(0.5, 0.0),)), put(tricks=(LabelSwapping(1.0, 0.0),))
    often, apart = (d_sees_both,) * 100 + (g_fools_d,), (d_sees_real, d_sees_fake) * 100 + (g_fools_d,)
    fast = in_turn(both_by(SGD(100.0)), put(objective=LeastSquares(), tricks=()))
    loose = in_turn(both_by(Adam(5e-3, betas=(0.9, 0.999))), put(objective=Wasserstein(), tricks=()))
    one = put(latent=Normal(1), objective=Hinge(), tricks=(R1(1.0),))
    for name, base, right, change in (
        ("digits, G's rate / 1,000", digits, (WINS, UNDERTRAINED, NOISE), g_faster(1e-3)),
        ("digits, D's rate / 1,000", digits, (WEAK, UNDERTRAINED, COLLAPSE, NOISE), d_faster(1e-3)),
        (
            "digits, 100 steps of D",
            digits,
            (WINS, VANISHING, NOISE),
            put(round=often, rounds=60, log_points=15, tricks=()),
        ),
        ("digits, every label flipped", digits, (WEAK, COLLAPSE, NOISE), swapped),
        ("digits, one class", digits, (COLLAPSE,), put(round=(d_sees_one_class, g_fools_d))),
        ("digits, a latent of 1 and hinge", digits, (COLLAPSE,), one),
        ("digits, twelve images", digits, (OVERFITTING, MEMORIZATION), put(data=Few(12), tricks=())),
        ("digits, sixty images", digits, (OVERFITTING, MEMORIZATION), put(data=Few(60), tricks=())),
        ("digits, SGD at 100", digits, (DIVERGENCE,), fast),
        ("digits, stopped after 80 rounds", digits, (UNDERTRAINED,), cut_to(80)),
        ("digits, rates / 300", digits, (UNDERTRAINED,), both_faster(1 / 300)),
        ("digits, D of two units", digits, (WEAK, COLLAPSE, AVERAGE, NOISE), put(discriminator=TWO)),
        (
            "digits, G of two units",
            digits,
            (COLLAPSE, WINS, AVERAGE),
            put(generator=replace(TWO, output="tanh"), tricks=()),
        ),
        ("digits, too wide a scale", digits, (SCALE, WINS, VANISHING, NOISE), put(data=Digits(span=(-20.0, 20.0)))),
        (
            "1010, frozen G and Adam",
            pattern,
            (WINS, VANISHING),
            in_turn(both_by(Adam(1e-3)), put(generator_optimizer=FROZEN)),
        ),
        ("1010, 100 steps of D", pattern, (WINS, VANISHING), put(round=apart, rounds=400, log_points=40)),
        ("1010, D's rate / 1,000", pattern, (WEAK, UNDERTRAINED), d_faster(1e-3)),
        ("ring, half the labels flipped", ring, (WEAK, COLLAPSE), in_turn(plain, flipped)),
        ("ring, stopped after 60 rounds", ring, (UNDERTRAINED,), cut_to(60)),
        ("ring, D of two units", ring, (WEAK, COLLAPSE), put(discriminator=TWO)),
        ("ring, wasserstein with nothing to hold D", ring, (DIVERGENCE, WINS, OSCILLATION, COLLAPSE), loose),
        ("mnist, G's rate / 100", mnist, (WINS, UNDERTRAINED, NOISE), in_turn(plain, g_faster(0.01), short)),
        ("fashion, stopped after 100 rounds", fashion, (UNDERTRAINED,), cut_to(100)),
    ):
        yield Case(name, base, right, change)


UNCHANGED = {
    digits: "digits as they come",
    pattern: "1010 as it comes",
    ring: "ring as it comes",
    grid: "grid as it comes",
    mnist: "mnist as it comes",
    fashion: "fashion as it comes",
}
"""The healthy case that cases of a base depart from."""
