"""Cases of one's own networks and settings, each with one mistake, on folders of pictures of 16 x 16 pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from torch import nn

from sparring.game.moves import d_sees_both, g_fools_d
from sparring.latents.normal import Normal
from sparring.objectives.hinge import Hinge
from sparring.objectives.wasserstein import Wasserstein
from sparring.optimizers.adam import Adam
from sparring.optimizers.sgd import SGD
from sparring.tricks.gradient_penalty import GradientPenalty
from sparring.tricks.instance_noise import InstanceNoise
from sparring.tricks.label_swapping import LabelSwapping
from sparring.tricks.weight_clipping import WeightClipping
from stranger_cases import networks
from stranger_cases.case import (
    AVERAGE,
    BLUR,
    CHECKERBOARD,
    COLLAPSE,
    COLORS,
    DIVERGENCE,
    EQUILIBRIUM,
    NOISE,
    NOT_SURE,
    OSCILLATION,
    SCALE,
    SIGMOID,
    UNDERTRAINED,
    VANISHING,
    WEAK,
    WINS,
    Case,
    Make,
    modern,
    own,
)
from stranger_cases.data import SPAN
from stranger_cases.own_data import FROZEN, SLOW, pictures

UNIT, BYTES = (0.0, 1.0), (0.0, 255.0)
Mistake = tuple[str, tuple[str, ...], Make]


def mistakes() -> Iterator[Case]:
    """Every mistake twice, on two kinds of pictures, one in each half."""
    for number, (name, right, make) in enumerate((*made_wrong(), *learned_wrong(), *set_wrong())):
        for kind in _two_kinds(number):
            yield Case(f"{kind}, {name}", "networks", "sick", right, pictures(kind), make)
    for number, (name, right, span, make) in enumerate(scaled_wrong()):
        state = "unclear" if EQUILIBRIUM in right else "sick"
        for kind in _two_kinds(number):
            yield Case(f"{kind}, {name}", "networks", state, right, pictures(kind), make, span)


def _two_kinds(number: int) -> tuple[str, str]:
    return (("tinted", "textures"), ("shapes", "photographs"), ("textures", "shapes"), ("photographs", "tinted"))[
        number % 4
    ]


def made_wrong() -> Iterator[Mistake]:
    """What G makes can't be right, however well it is trained."""
    yield "a fixed 3 x 3 kernel with stride 2", (CHECKERBOARD, WINS), _well(networks.overlapping_g)
    yield "transposed convolutions with holes", (CHECKERBOARD, NOISE, WINS), _well(networks.holes_g)
    yield "averaged over 5 x 5 pixels", (BLUR, WINS), _well(networks.averaging_g)
    yield "enlarged four times", (BLUR, WINS, CHECKERBOARD), _well(networks.enlarging_g)
    yield "gray", (COLORS, WINS), _well(networks.gray_g)
    yield "without blue", (COLORS, WINS), _well(networks.no_blue_g)
    yield "pale", (SCALE, COLORS, WINS), _well(networks.pale_g)
    yield "one picture for all", (COLLAPSE, WINS), own(networks.forgetful_g)
    yield "a latent of 1", (COLLAPSE,), own(partial(networks.dense_g, latent=1), latent=Normal(1))


def _well(g: Callable[..., nn.Module]) -> Make:
    """This G, and all else as it should be."""
    return modern(g=g, rounds=2_500)


def learned_wrong() -> Iterator[Mistake]:
    """A player can't learn, or too little."""
    few, weak = (COLLAPSE, WINS, AVERAGE, VANISHING, NOISE), (WEAK, COLLAPSE, AVERAGE, NOISE)
    beaten = (WINS, VANISHING, COLLAPSE, NOISE)
    yield (
        "sigmoid before a loss on logits",
        (SIGMOID, WEAK, VANISHING),
        own(d=partial(networks.dcgan_d, end=nn.Sigmoid)),
    )
    yield "sigmoid before hinge", (SIGMOID, WEAK), own(d=partial(networks.dcgan_d, end=nn.Sigmoid), objective=Hinge())
    yield "a linear D", weak, own(d=networks.linear_d)
    yield "a linear G", (WINS, COLLAPSE, AVERAGE, NOISE), own(networks.linear_g)
    yield "a deep G with tiny weights", few, own(networks.deep_g)
    yield "saturated from the start", (VANISHING, WINS, NOISE, COLLAPSE), own(networks.huge_init_g)
    yield "zeros for weights", few, own(networks.zero_init_g)
    yield "dead ReLUs in D", weak, own(d=networks.dead_relu_d)
    yield "dead ReLUs in G", few, own(networks.dead_relu_g)
    yield "a D far too big", beaten, own(networks.two_units_g, networks.big_d)
    yield "a D of one unit", weak, own(d=networks.one_unit_d)
    yield "a D that sees 5 %", weak, own(d=networks.forgetting_d)


def set_wrong() -> Iterator[Mistake]:
    """Sound networks, one setting far off."""
    beaten, weak = (WINS, VANISHING, NOISE, UNDERTRAINED), (WEAK, COLLAPSE, NOISE, UNDERTRAINED)
    wild = (DIVERGENCE, OSCILLATION, COLLAPSE, WINS, NOISE)
    often, seldom = (d_sees_both,) * 60 + (g_fools_d,), (d_sees_both,) + (g_fools_d,) * 60
    yield "frozen G", beaten, own(generator_optimizer=FROZEN)
    yield "frozen D", weak, own(discriminator_optimizer=FROZEN)
    yield "G's rate / 100", beaten, own(generator_optimizer=SLOW)
    yield "D's rate / 100", weak, own(discriminator_optimizer=SLOW)
    yield "60 steps of D", beaten, own(round=often, rounds=80)
    yield "60 steps of G", (WEAK, COLLAPSE, NOISE, OSCILLATION), own(round=seldom, rounds=80)
    yield "rates x 200", wild, own(both=Adam(0.1))
    yield "SGD far too fast", wild, own(both=SGD(20.0))
    yield "SGD too slow", (UNDERTRAINED, WINS, WEAK), own(both=SGD(1e-3))
    yield "labels flipped", weak, own(tricks=(LabelSwapping(0.5, 0.0),))
    yield "noise on all that D sees", weak, own(tricks=(InstanceNoise(5.0, 1.0),))
    yield "WGAN without a penalty", (DIVERGENCE, WINS, OSCILLATION), own(objective=Wasserstein(), both=Adam(2e-3))
    yield "weights clipped to nothing", weak, own(objective=Wasserstein(), tricks=(WeightClipping(1e-4),))


def scaled_wrong() -> Iterator[tuple[str, tuple[str, ...], tuple[float, float], Make]]:
    """The range of G's outputs is not that of the data. What reaches too far may learn where to stop."""
    penalized = own(
        partial(networks.dcgan_g, end=nn.Identity),
        objective=Wasserstein(),
        tricks=(GradientPenalty(),),
        both=Adam(1e-4, betas=(0.5, 0.9)),
    )
    wide = (SCALE, EQUILIBRIUM, UNDERTRAINED, NOT_SURE)
    yield "tanh for pixels of 0 to 255", (SCALE,), BYTES, own()
    yield "tanh for pixels of 0 to 1", wide, UNIT, own()
    yield "sigmoid for pixels of -1 to 1", (SCALE,), SPAN, own(partial(networks.dcgan_g, end=nn.Sigmoid))
    yield "ReLU for pixels of -1 to 1", (SCALE,), SPAN, own(partial(networks.dcgan_g, end=nn.ReLU))
    yield "WGAN-GP on pixels of 0 to 255", (SCALE, DIVERGENCE, UNDERTRAINED), BYTES, penalized
