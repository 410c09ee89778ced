"""Cases of one's own data: folders of pictures, large and small, tables and signals, and runs that were short."""

from __future__ import annotations

from collections.abc import Iterator

from sparring.latents.normal import Normal
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.hinge import Hinge
from sparring.optimizers.adam import Adam
from sparring.optimizers.sgd import SGD
from sparring.tricks.diff_augment import DiffAugment
from sparring.tricks.label_swapping import LabelSwapping
from sparring.tricks.r1 import R1
from stranger_cases import networks
from stranger_cases.case import (
    AVERAGE,
    CHECKERBOARD,
    COLLAPSE,
    DIVERGENCE,
    EQUILIBRIUM,
    MEMORIZATION,
    NOISE,
    NOT_SURE,
    OSCILLATION,
    OVERFITTING,
    SCALE,
    UNDERTRAINED,
    VANISHING,
    WEAK,
    WINS,
    Case,
    auto,
    modern,
    own,
)
from stranger_cases.data import Pictures, Rows

FROZEN = SGD(0.0)
SLOW = Adam(5e-6, betas=(0.5, 0.999))
HEAVY = Adam(5e-3, betas=(0.9, 0.999))
COUNT = 1_500
WELL = (EQUILIBRIUM,)
SHORTENED = (EQUILIBRIUM, UNDERTRAINED)
"""Correct verdicts on `auto`, which is 12,000 rounds long by itself, after a third to a half of them."""


def pictures(kind: str, count: int = COUNT, side: int = 16) -> Pictures:
    """A folder of a kind."""
    return Pictures(kind, count, side)


def folders() -> Iterator[Case]:
    """Large folders in color: sound runs to their end."""
    for name, kind, side, make in (
        ("textures, own networks, R1 and R2", "textures", 16, modern(rounds=4_000)),
        ("shapes, own networks, R1 and R2", "shapes", 16, modern(rounds=4_000)),
        ("tinted digits, own networks, R1 and R2", "tinted", 16, modern(rounds=4_000)),
        ("photographs, own networks, R1 and R2", "photographs", 16, modern(rounds=4_000)),
        ("textures, hinge with R1", "textures", 16, own(objective=Hinge(), tricks=(R1(1.0, every=8),), rounds=4_000)),
        (
            "photographs, hinge with R1",
            "photographs",
            16,
            own(objective=Hinge(), tricks=(R1(1.0, every=8),), rounds=4_000),
        ),
        ("photographs, cross-entropy with R1", "photographs", 16, own(tricks=(R1(1.0, every=8),), rounds=4_000)),
        ("textures, cross-entropy with R1", "textures", 16, own(tricks=(R1(1.0, every=8),), rounds=4_000)),
    ):
        yield Case(name, "folders", "sound", WELL, pictures(kind, side=side), make)
    # The pattern that transposed convolutions begin with is still to be seen in some seeds of such runs.
    for kind in ("photographs", "textures"):
        patterned = (*SHORTENED, CHECKERBOARD)
        yield Case(f"{kind}, auto", "folders", "unclear", patterned, pictures(kind, side=24), auto(6_500))


def small_folders() -> Iterator[Case]:
    """Twenty, a hundred and four hundred pictures."""
    few, unclear = (OVERFITTING, MEMORIZATION, COLLAPSE), (EQUILIBRIUM, NOT_SURE, UNDERTRAINED)
    plain, augmented = own(rounds=2_500), modern(DiffAugment(), rounds=3_500)
    for name, kind, count, right, make in (
        ("20 tinted digits, own networks", "tinted", 20, few, plain),
        ("20 shapes, own networks", "shapes", 20, few, plain),
        ("20 photographs, R1 and R2", "photographs", 20, few, modern(rounds=2_500)),
        ("20 textures, R1 and R2", "textures", 20, few, modern(rounds=2_500)),
        ("100 shapes, own networks", "shapes", 100, few, plain),
        ("100 tinted digits, own networks", "tinted", 100, few, plain),
        ("100 textures, own networks", "textures", 100, few, plain),
        ("100 photographs, own networks", "photographs", 100, few, plain),
        ("400 textures, augmented", "textures", 400, unclear, augmented),
        ("400 photographs, augmented", "photographs", 400, unclear, augmented),
        ("400 shapes, augmented", "shapes", 400, unclear, augmented),
        ("400 tinted digits, augmented", "tinted", 400, unclear, augmented),
    ):
        state = "unclear" if EQUILIBRIUM in right else "sick"
        yield Case(name, "small folders", state, right, pictures(kind, count), make)


def tables() -> Iterator[Case]:
    """Rows of two and of four numbers."""
    wide = (SCALE, DIVERGENCE, WINS, COLLAPSE, WEAK)
    narrow, blind = FullyConnected((2,)), FullyConnected((1,))
    tiny_latent = auto(3_000, latent=Normal(1))
    for name, kind, right, make in (
        ("parabola, auto", "parabola", SHORTENED, auto(4_000)),
        ("moons, auto", "moons", SHORTENED, auto(4_000)),
        # In one of its two seeds D dies: all of its ReLUs are off, and the samples stay where they are then.
        ("standardized clients, auto", "standardized-clients", (*SHORTENED, NOT_SURE), auto(4_000)),
        ("standardized clients, own networks", "standardized-clients", WELL, modern(rounds=5_000)),
        ("clients as exported, auto", "clients", wide, auto(3_000)),
        ("clients as exported, own networks", "clients", wide, own()),
        ("moons, momentum 0.9", "moons", (OSCILLATION, COLLAPSE), own(both=HEAVY)),
        ("parabola, momentum 0.9", "parabola", (OSCILLATION, COLLAPSE), own(both=HEAVY)),
        ("parabola, frozen G", "parabola", (WINS, VANISHING, COLLAPSE), auto(2_000, generator_optimizer=FROZEN)),
        ("moons, frozen G", "moons", (WINS, VANISHING, COLLAPSE), own(generator_optimizer=FROZEN)),
        ("moons, frozen D", "moons", (WEAK, COLLAPSE), auto(2_000, discriminator_optimizer=FROZEN)),
        ("parabola, frozen D", "parabola", (WEAK, COLLAPSE), own(discriminator_optimizer=FROZEN)),
        ("moons, labels flipped", "moons", (WEAK, COLLAPSE), own(tricks=(LabelSwapping(0.5, 0.0),))),
        ("parabola, D of one unit", "parabola", (WEAK, COLLAPSE), auto(3_000, discriminator=blind)),
        ("standardized clients, a latent of 1", "standardized-clients", (COLLAPSE, WINS), tiny_latent),
        ("moons, G of two units", "moons", (COLLAPSE, WINS), auto(3_000, generator=narrow)),
    ):
        yield Case(name, "tables", "sound" if EQUILIBRIUM in right else "sick", right, Rows(kind), make)


def signals() -> Iterator[Case]:
    """128 numbers of a wave, 64 of a pulse."""
    fast = (DIVERGENCE, OSCILLATION, COLLAPSE, WINS, NOISE)
    far, few = (WINS, COLLAPSE, AVERAGE), (COLLAPSE, AVERAGE, WINS)
    for name, kind, right, make in (
        ("pulses, auto", "pulses", SHORTENED, auto(6_000)),
        ("waves, auto", "waves", SHORTENED, auto(6_000)),
        ("waves, own networks", "waves", WELL, modern(rounds=6_000)),
        ("pulses, own networks", "pulses", WELL, modern(rounds=6_000)),
        ("waves, G's rate / 100", "waves", (WINS, UNDERTRAINED), own(generator_optimizer=SLOW)),
        ("pulses, G's rate / 100", "pulses", (WINS, UNDERTRAINED), own(generator_optimizer=SLOW)),
        ("pulses, D's rate / 100", "pulses", (WEAK, UNDERTRAINED, COLLAPSE), own(discriminator_optimizer=SLOW)),
        ("waves, D's rate / 100", "waves", (WEAK, UNDERTRAINED, COLLAPSE), own(discriminator_optimizer=SLOW)),
        ("waves, a linear G", "waves", far, own(networks.linear_g)),
        ("pulses, a linear G", "pulses", far, own(networks.linear_g)),
        ("pulses, dead ReLUs in G", "pulses", few, own(networks.dead_relu_g)),
        ("waves, dead ReLUs in G", "waves", few, own(networks.dead_relu_g)),
        ("waves, rates x 100", "waves", fast, own(both=Adam(0.05))),
        ("pulses, rates x 100", "pulses", fast, own(both=Adam(0.05))),
    ):
        yield Case(name, "signals", "sound" if EQUILIBRIUM in right else "sick", right, Rows(kind), make)


def short_runs() -> Iterator[Case]:
    """Sound recipes that were stopped far too early."""
    for name, data, make in (
        ("shapes, auto, 150 rounds", pictures("shapes", side=24), auto(150)),
        ("tinted digits, auto, 150 rounds", pictures("tinted", side=24), auto(150)),
        ("tinted digits, auto, 400 rounds", pictures("tinted", side=24), auto(400)),
        ("shapes, auto, 400 rounds", pictures("shapes", side=24), auto(400)),
        ("photographs, auto, 60 rounds", pictures("photographs", side=24), auto(60)),
        ("textures, auto, 60 rounds", pictures("textures", side=24), auto(60)),
        ("textures, own networks, 60 rounds", pictures("textures"), own(rounds=60)),
        ("photographs, own networks, 60 rounds", pictures("photographs"), own(rounds=60)),
        ("shapes, own networks, 200 rounds", pictures("shapes"), own(rounds=200)),
        ("tinted digits, own networks, 200 rounds", pictures("tinted"), own(rounds=200)),
        ("waves, auto, 300 rounds", Rows("waves"), auto(300)),
        ("pulses, auto, 150 rounds", Rows("pulses"), auto(150)),
        ("moons, auto, 100 rounds", Rows("moons"), auto(100)),
        ("parabola, auto, 100 rounds", Rows("parabola"), auto(100)),
        ("400 shapes, auto, 200 rounds", pictures("shapes", 400, 24), auto(200)),
        ("400 tinted digits, auto, 200 rounds", pictures("tinted", 400, 24), auto(200)),
    ):
        yield Case(name, "short runs", "unfinished", (UNDERTRAINED,), data, make)
