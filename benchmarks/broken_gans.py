"""Break GANs on purpose, in known ways, and see whether the diagnosis says what was broken.

    python benchmarks/broken_gans.py --data-dir DIR [--out runs/broken] [--only NAME ...] [--half tune|report]

Every case is a recipe that trains well, or one small change to it, with the names that are right for what was done: the
first names what was broken, others name the same from another side. Healthy GANs are cases too. A fixed rule (a
checksum of the name) deals the cases into two halves: thresholds were chosen by looking at `tune`, and `report` is what
counts. Each run goes on where it was when the script is started again. What was said is kept in
`results/broken-gans.json`, from which docs/diagnosis.md takes its tables.
"""

from __future__ import annotations

import argparse
import json
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Literal, final

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import numpy as np
import torch
from torch import Tensor, nn

from sparring import catalogue
from sparring.datasets import Card, Dataset, Shape, Source
from sparring.datasets._images import Images
from sparring.datasets.digits import Digits
from sparring.datasets.fashion_mnist import FashionMNIST
from sparring.datasets.grid import Grid
from sparring.datasets.mnist import MNIST
from sparring.datasets.ring import Ring
from sparring.diagnosis import NOT_SURE, diagnose
from sparring.errors import SparringError
from sparring.game import MODERN, Game, d_sees_both, d_sees_fake, d_sees_real, g_fools_d
from sparring.latent.normal import Normal
from sparring.latent.uniform import Uniform
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.hinge import Hinge
from sparring.objectives.least_squares import LeastSquares
from sparring.objectives.minimax import Minimax
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.objectives.sigmoid_twice import SigmoidTwice
from sparring.objectives.wasserstein import Wasserstein
from sparring.optimisers.adam import Adam
from sparring.optimisers.sgd import SGD
from sparring.recipe import Recipe, find_recipe
from sparring.record import Run
from sparring.trainer import train
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.gradient_penalty import GradientPenalty
from sparring.tricks.label_swapping import LabelSwapping
from sparring.tricks.r1 import R1
from sparring.tricks.zero_centred import ZeroCentred

RESULTS = Path(__file__).parent / "results" / "broken-gans.json"
SEEDS = 3
FROZEN = SGD(0.0)
NOISE, COLLAPSE, AVERAGE = "noise-output", "mode-collapse", "average-image"
WINS, WEAK, VANISHING = "discriminator-wins", "weak-discriminator", "vanishing-gradient"
OSCILLATION, DIVERGENCE, UNDERTRAINED = "oscillation", "divergence", "undertrained"
OVERFITTING, MEMORISATION, EQUILIBRIUM = "overfitting-discriminator", "memorisation", "equilibrium"


# Healthy GANs.


def digits() -> Recipe:
    """The demonstration."""
    return find_recipe("digits")


def small_digits() -> Recipe:
    """The demonstration with smaller networks and batches, for time's sake."""
    return digits().with_(
        generator=FullyConnected(hidden=(64, 128), output="tanh"),
        discriminator=FullyConnected(hidden=(128, 64)),
        batch=32,
        rounds=3_000,
        ticks=30,
    )


def pattern() -> Recipe:
    """1010, as its write-up has it."""
    return find_recipe("pattern-1010")


def modern(recipe: Recipe) -> Recipe:
    """Relativistic, held flat by a zero-centred penalty, samples from averaged weights."""
    return recipe.with_(
        objective=RelativisticPaired(),
        tricks=(ZeroCentred(1.0), ExponentialMovingAverage()),
        generator_optimiser=Adam(1e-3, betas=(0.0, 0.99)),
        discriminator_optimiser=Adam(1e-3, betas=(0.0, 0.99)),
    )


def points(data: Dataset) -> Recipe:
    """Points in the plane."""
    return modern(
        Recipe(
            data=data,
            generator=FullyConnected(hidden=(128, 128, 128)),
            discriminator=FullyConnected(hidden=(128, 128, 128)),
            objective=BCEWithLogits(),
            latent=Normal(2),
            round=MODERN,
            generator_optimiser=Adam(1e-3),
            discriminator_optimiser=Adam(1e-3),
            batch=128,
            rounds=8_000,
            ticks=40,
            pictured=512,
        )
    ).with_(tricks=(ZeroCentred(0.02, final=0.01, until=0.8), ExponentialMovingAverage()))


def ring() -> Recipe:
    """Eight modes on a circle."""
    return points(Ring())


def grid() -> Recipe:
    """Twenty-five modes on a lattice."""
    return points(Grid())


def images(data: Dataset) -> Recipe:
    """28 x 28 pixels, two fully connected networks."""
    return modern(
        Recipe(
            data=data,
            generator=FullyConnected(hidden=(256, 512), output="tanh"),
            discriminator=FullyConnected(hidden=(512, 256)),
            objective=BCEWithLogits(),
            latent=Normal(64),
            round=MODERN,
            generator_optimiser=Adam(1e-3),
            discriminator_optimiser=Adam(1e-3),
            batch=64,
            rounds=6_000,
            ticks=30,
        )
    )


def mnist() -> Recipe:
    """Handwritten digits."""
    return images(MNIST(span=(-1.0, 1.0)))


def fashion() -> Recipe:
    """Clothes."""
    return images(FashionMNIST(span=(-1.0, 1.0)))


# What is broken with more than a field.


class Saturated(nn.Module):
    """A generator whose last layer starts far out on the flat of its tanh."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(32, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64))

    def forward(self, z: Tensor) -> Tensor:
        """`(B, 32)` -> `(B, 1, 8, 8)`."""
        return (60 * self.body(z)).tanh().unflatten(1, (1, 8, 8))


class Copier(nn.Module):
    """A generator that looks up one of 32 training images, blurs nothing and learns nothing else."""

    def __init__(self) -> None:
        super().__init__()
        source = Digits(span=(-1.0, 1.0)).open(None, "cpu")
        assert isinstance(source, Images)
        self.register_buffer("held", source.pixels[::8].float() * (2 / 255) - 1)
        self.brightness = nn.Parameter(torch.zeros(1))
        self.picks = nn.Parameter(torch.randn(32, len(source.pixels[::8])), requires_grad=False)

    def forward(self, z: Tensor) -> Tensor:
        """`(B, 32)` -> `(B, 1, 8, 8)`."""
        chosen = torch.nn.functional.one_hot((z @ self.picks).argmax(1), len(self.held)).to(z.dtype)
        return (chosen @ self.held.flatten(1)).unflatten(1, (1, 8, 8)) + 0.01 * self.brightness


@final
@dataclass(frozen=True)
class Few(Dataset):
    """The first of scikit-learn's digits alone; the others are held out."""

    count: int = 24
    span: tuple[float, float] = (-1.0, 1.0)
    shape: ClassVar[Shape] = (1, 8, 8)
    card: ClassVar[Card] = replace(Digits.card, title="A few digits", examples=None)

    def open(self, data_dir: Path | None, device: str | torch.device) -> Source:
        return Images.of(_pixels()[: self.count], self.span, device)

    def held_out(self, data_dir: Path | None) -> np.ndarray:
        return _pixels()[self.count :]


@final
@dataclass(frozen=True)
class FewMNIST(Dataset):
    """The first images of MNIST alone, with its test split."""

    count: int = 200
    span: tuple[float, float] = (-1.0, 1.0)
    shape: ClassVar[Shape] = (1, 28, 28)
    card: ClassVar[Card] = replace(MNIST.card, title="A few of MNIST", examples=None)

    def open(self, data_dir: Path | None, device: str | torch.device) -> Source:
        source = MNIST().open(data_dir, device)
        assert isinstance(source, Images)
        return Images.of(source.pixels[: self.count].cpu().numpy(), self.span, device)

    def held_out(self, data_dir: Path | None) -> np.ndarray | None:
        return MNIST().held_out(data_dir)


def _pixels() -> np.ndarray:
    source = Digits().open(None, "cpu")
    assert isinstance(source, Images)
    return source.pixels.numpy()


def d_never_sees_four_classes(game: Game) -> None:
    """D is shown real examples of six classes only, so that G drops the other four."""
    source = game.source
    assert isinstance(source, Images)
    x, classes = source.draw_with_classes(game.chance, 3 * game.batch)
    wanted = (classes < 6).to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, : game.batch]
    real = x.gather(1, wanted[:, :, None, None, None].expand(-1, -1, *x.shape[2:]))
    fake = game.fake().detach()
    assert isinstance(fake, Tensor)
    game.learn("D", game.called(1, game.D(real)) + game.called(0, game.D(fake)) + game.penalty(real, fake))


def faster(recipe: Recipe, player: str, factor: float) -> Recipe:
    """One player's learning rate multiplied."""
    name = f"{player}_optimiser"
    optimiser = getattr(recipe, name)
    return recipe.with_(**{name: replace(optimiser, rate=optimiser.rate * factor)})


def g_faster(factor: float) -> Callable[[Recipe], Recipe]:
    """G's rate multiplied."""
    return lambda recipe: faster(recipe, "generator", factor)


def d_faster(factor: float) -> Callable[[Recipe], Recipe]:
    """D's rate multiplied."""
    return lambda recipe: faster(recipe, "discriminator", factor)


def both_faster(factor: float) -> Callable[[Recipe], Recipe]:
    """Both rates multiplied."""
    return lambda recipe: faster(faster(recipe, "generator", factor), "discriminator", factor)


def cut_to(rounds: int) -> Callable[[Recipe], Recipe]:
    """Stopped early."""
    return lambda recipe: recipe.with_(rounds=rounds, ticks=min(recipe.ticks, 30))


def plain(recipe: Recipe) -> Recipe:
    """Cross-entropy and nothing else, as GANs first were."""
    return recipe.with_(objective=BCEWithLogits(), tricks=())


def put(**fields: object) -> Callable[[Recipe], Recipe]:
    """Fields replaced."""
    return lambda recipe: recipe.with_(**fields)


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
    """Names that are right for it; the first is what was done to it."""
    change: Callable[[Recipe], Recipe] = field(default=lambda recipe: recipe)
    data: Literal["none", "files"] = "none"
    """Whether it needs MNIST's or Fashion-MNIST's files."""

    @property
    def half(self) -> str:
        """`tune` or `report`, by a checksum of the name."""
        return ("tune", "report")[zlib.crc32(self.name.encode()) % 2]

    @property
    def healthy(self) -> bool:
        return EQUILIBRIUM in self.right

    def recipe(self, seeds: int = SEEDS) -> Recipe:
        """What it trains."""
        return self.change(self.base()).with_(name=self.name, seeds=seeds)


SAMPLES_ALIKE = (COLLAPSE, AVERAGE)
D_AHEAD = (WINS, VANISHING, NOISE)


def cases() -> Iterator[Case]:
    """Every one."""
    one_two = (d_sees_both, g_fools_d)
    # Healthy.
    yield Case("digits as they come", digits, (EQUILIBRIUM,))
    yield Case("digits, hinge", digits, (EQUILIBRIUM,), put(objective=Hinge(), tricks=(R1(1.0),)))
    yield Case("digits, least squares", digits, (EQUILIBRIUM,), put(objective=LeastSquares(), tricks=(R1(1.0),)))
    yield Case("digits, relativistic", digits, (EQUILIBRIUM,), modern)
    yield Case(
        "digits, wasserstein",
        digits,
        (EQUILIBRIUM,),
        put(objective=Wasserstein(), tricks=(GradientPenalty(1.0),), round=(d_sees_both,) * 3 + (g_fools_d,)),
    )
    yield Case("digits, cross-entropy with R1", digits, (EQUILIBRIUM,), put(tricks=(R1(1.0),)))
    yield Case("1010 as it comes", pattern, (EQUILIBRIUM,), put(rounds=15_000))
    yield Case("1010, cross-entropy", pattern, (EQUILIBRIUM,), put(objective=BCEWithLogits(), rounds=15_000))
    yield Case(
        "1010, adam", pattern, (EQUILIBRIUM,), put(generator_optimiser=Adam(1e-3), discriminator_optimiser=Adam(1e-3))
    )
    yield Case("ring as it comes", ring, (EQUILIBRIUM,))
    yield Case("grid as it comes", grid, (EQUILIBRIUM,))
    yield Case("mnist as it comes", mnist, (EQUILIBRIUM,), data="files")
    yield Case(
        "mnist, hinge",
        mnist,
        (EQUILIBRIUM,),
        put(objective=Hinge(), tricks=(R1(1.0), ExponentialMovingAverage())),
        data="files",
    )
    yield Case("fashion as it comes", fashion, (EQUILIBRIUM,), data="files")

    # Digits.
    yield Case("digits, G's rate x 10", small_digits, (OSCILLATION, COLLAPSE, WEAK, NOISE, WINS), g_faster(10))
    yield Case("digits, G's rate / 100", small_digits, (WINS, UNDERTRAINED, *D_AHEAD, AVERAGE), g_faster(0.01))
    yield Case("digits, D's rate x 10", small_digits, (WINS, *D_AHEAD, COLLAPSE), d_faster(10))
    yield Case("digits, D's rate / 100", small_digits, (WEAK, COLLAPSE, AVERAGE), d_faster(0.01))
    yield Case("digits, frozen G", small_digits, D_AHEAD, put(generator_optimiser=FROZEN))
    yield Case("digits, frozen D", small_digits, (WEAK, COLLAPSE, NOISE), put(discriminator_optimiser=FROZEN))
    yield Case(
        "digits, half the labels flipped",
        small_digits,
        (WEAK, NOISE, COLLAPSE, AVERAGE),
        put(tricks=(LabelSwapping(0.5, 0.0),)),
    )
    yield Case(
        "digits, D far too small",
        small_digits,
        (WEAK, COLLAPSE, AVERAGE),
        put(discriminator=FullyConnected(hidden=(1,))),
    )
    yield Case(
        "digits, D far too big for G",
        small_digits,
        (WINS, *D_AHEAD, COLLAPSE),
        in_turn(
            put(
                discriminator=FullyConnected(hidden=(512, 512)),
                generator=FullyConnected((4,), output="tanh"),
                tricks=(),
            ),
            d_faster(4),
        ),
    )
    yield Case(
        "digits, G far too small",
        small_digits,
        (COLLAPSE, WINS, AVERAGE),
        put(generator=FullyConnected(hidden=(1,), output="tanh"), tricks=()),
    )
    yield Case(
        "digits, 300 steps of D",
        small_digits,
        D_AHEAD,
        put(round=(d_sees_both,) * 300 + (g_fools_d,), rounds=30, ticks=15, tricks=()),
    )
    yield Case(
        "digits, 300 steps of G",
        small_digits,
        (WEAK, COLLAPSE, OSCILLATION, NOISE),
        put(round=(d_sees_both,) + (g_fools_d,) * 300, rounds=30, ticks=15),
    )
    yield Case("digits, saturated outputs", small_digits, (VANISHING, NOISE, WINS), put(generator=Saturated))
    yield Case("digits, wrong scale", small_digits, D_AHEAD, put(data=Digits(span=(0.0, 255.0))))
    yield Case(
        "digits, G cannot go dark",
        small_digits,
        D_AHEAD,
        put(generator=FullyConnected(hidden=(128, 256), output="sigmoid"), tricks=()),
    )
    yield Case(
        "digits, four classes dropped", small_digits, (COLLAPSE,), put(round=(d_never_sees_four_classes, g_fools_d))
    )
    yield Case("digits, a tiny data set", small_digits, (OVERFITTING, MEMORISATION), put(data=Few(24), tricks=()))
    yield Case("digits, a G that copies", small_digits, (MEMORISATION,), put(generator=Copier))
    yield Case("digits, a latent of 1", small_digits, (COLLAPSE,), put(latent=Uniform(1)))
    yield Case(
        "digits, sigmoid twice",
        small_digits,
        (*D_AHEAD, COLLAPSE),
        put(
            objective=SigmoidTwice(),
            tricks=(),
            generator_optimiser=SGD(0.05),
            discriminator_optimiser=SGD(0.05),
            round=(d_sees_both,) * 3 + (g_fools_d,),
        ),
    )
    yield Case(
        "digits, minimax against a sure D",
        small_digits,
        (VANISHING, WINS, NOISE),
        in_turn(put(objective=Minimax(), tricks=()), d_faster(4)),
    )
    yield Case(
        "digits, rates x 100",
        small_digits,
        (DIVERGENCE, OSCILLATION, NOISE, COLLAPSE, WINS, VANISHING),
        both_faster(100),
    )
    yield Case(
        "digits, SGD far too fast",
        small_digits,
        (DIVERGENCE,),
        put(objective=LeastSquares(), tricks=(), generator_optimiser=SGD(30.0), discriminator_optimiser=SGD(30.0)),
    )
    yield Case(
        "digits, wasserstein with nothing to hold D",
        small_digits,
        (DIVERGENCE, WINS),
        put(objective=Wasserstein(), tricks=(), discriminator_optimiser=Adam(1e-2)),
    )
    yield Case("digits, stopped after 150 rounds", small_digits, (UNDERTRAINED,), cut_to(150))
    yield Case("digits, rates / 100", small_digits, (UNDERTRAINED, NOISE), both_faster(0.01))
    yield Case(
        "digits, SGD too slow",
        small_digits,
        (UNDERTRAINED, NOISE),
        put(generator_optimiser=SGD(1e-3), discriminator_optimiser=SGD(1e-3)),
    )

    # 1010.
    yield Case("1010, frozen G", pattern, (WINS, VANISHING), put(generator_optimiser=FROZEN))
    yield Case("1010, frozen D", pattern, (WEAK,), put(discriminator_optimiser=FROZEN))
    yield Case("1010, G's rate / 100", pattern, (WINS, UNDERTRAINED), g_faster(0.01))
    yield Case("1010, D's rate / 100", pattern, (WEAK, UNDERTRAINED), d_faster(0.01))
    yield Case("1010, D's rate x 10,000", pattern, (WINS, OSCILLATION, VANISHING), d_faster(10_000))
    yield Case("1010, G's rate x 300", pattern, (OSCILLATION, WEAK), g_faster(300))
    yield Case("1010, half the labels flipped", pattern, (WEAK,), put(tricks=(LabelSwapping(0.5, 0.0),)))
    yield Case("1010, stopped after 1,500 rounds", pattern, (UNDERTRAINED,), cut_to(1_500))
    yield Case(
        "1010, 300 steps of D",
        pattern,
        (WINS, VANISHING),
        put(round=(d_sees_real, d_sees_fake) * 300 + (g_fools_d,), rounds=150, ticks=30),
    )
    yield Case(
        "1010, 300 steps of G",
        pattern,
        (OSCILLATION, WEAK),
        put(round=(d_sees_real, d_sees_fake) + (g_fools_d,) * 300, rounds=400, ticks=40),
    )

    # Ring and grid.
    yield Case("ring, plain cross-entropy", ring, (COLLAPSE, OSCILLATION), plain)
    yield Case(
        "ring, momentum 0.9",
        ring,
        (OSCILLATION, COLLAPSE),
        in_turn(
            plain,
            put(
                generator_optimiser=Adam(1e-3, betas=(0.9, 0.999)),
                discriminator_optimiser=Adam(1e-3, betas=(0.9, 0.999)),
            ),
        ),
    )
    yield Case(
        "ring, frozen G",
        ring,
        (WINS, VANISHING, NOISE, AVERAGE, COLLAPSE),
        in_turn(plain, put(generator_optimiser=FROZEN, rounds=2_000)),
    )
    yield Case("ring, frozen D", ring, (WEAK, COLLAPSE), put(discriminator_optimiser=FROZEN, rounds=2_000))
    yield Case("ring, D's rate / 100", ring, (WEAK, UNDERTRAINED, COLLAPSE), in_turn(d_faster(0.01), put(rounds=4_000)))
    yield Case("ring, stopped after 100 rounds", ring, (UNDERTRAINED,), cut_to(100))
    yield Case("ring, a narrow G", ring, (COLLAPSE,), put(generator=FullyConnected(hidden=(2,)), rounds=4_000))
    yield Case("grid, plain cross-entropy", grid, (COLLAPSE, OSCILLATION), plain)
    yield Case(
        "grid, 300 steps of G",
        grid,
        (OSCILLATION, WEAK, COLLAPSE),
        put(round=(*one_two, *((g_fools_d,) * 299)), rounds=80, ticks=40),
    )
    yield Case("grid, G's rate / 100", grid, (WINS, UNDERTRAINED), in_turn(plain, g_faster(0.01), put(rounds=4_000)))

    # MNIST and Fashion-MNIST.
    yield Case("mnist, num-gan", lambda: find_recipe("num-gan"), (WINS,), put(rounds=20_000, ticks=40), data="files")
    yield Case(
        "mnist, num-gan-1", lambda: find_recipe("num-gan-1"), (COLLAPSE,), put(rounds=30_000, ticks=40), data="files"
    )
    yield Case(
        "mnist, D's rate x 10",
        mnist,
        (WINS, *D_AHEAD, COLLAPSE),
        in_turn(plain, d_faster(10), put(rounds=3_000)),
        data="files",
    )
    yield Case(
        "mnist, frozen G", mnist, D_AHEAD, in_turn(plain, put(generator_optimiser=FROZEN, rounds=1_000)), data="files"
    )
    yield Case(
        "mnist, 1,000 images",
        mnist,
        (OVERFITTING, MEMORISATION),
        in_turn(plain, put(data=FewMNIST(200), rounds=4_000)),
        data="files",
    )
    yield Case("mnist, stopped after 150 rounds", mnist, (UNDERTRAINED,), cut_to(150), data="files")
    yield Case(
        "fashion, D's rate / 100",
        fashion,
        (WEAK, COLLAPSE, AVERAGE),
        in_turn(plain, d_faster(0.01), put(rounds=3_000)),
        data="files",
    )
    yield Case("fashion, a latent of 1", fashion, (COLLAPSE,), put(latent=Uniform(1), rounds=3_000), data="files")
    yield Case(
        "fashion, G's rate / 100",
        fashion,
        (WINS, UNDERTRAINED, *D_AHEAD, AVERAGE),
        in_turn(plain, g_faster(0.01), put(rounds=2_000)),
        data="files",
    )


def folder_of(out: Path, case: Case) -> Path:
    """Where a case's run lies."""
    return out / case.name.replace(",", "").replace("'", "").replace("/", "by").replace(" ", "-").lower()


def play(case: Case, out: Path, data_dir: Path | None, seeds: int = SEEDS) -> Run:
    """Train it, or go on, or open what is there. A run of which every seed diverged is a run too."""
    folder = folder_of(out, case)
    try:
        return train(case.recipe(seeds), folder, data_dir=data_dir, threads=1)
    except SparringError:
        if (folder / "journal.jsonl").exists() and Run(folder).story.status == "diverged":
            return Run(folder)
        raise


def told(case: Case, run: Run) -> dict[str, Any]:
    """What the diagnosis said of a case."""
    held = diagnose(run)
    return {
        "half": case.half,
        "right": list(case.right),
        "verdict": held.verdict,
        "findings": {f.rule: len(f.members) for f in held.findings},
        "seeds": len(held.story.seeds),
        "rounds": held.story.round,
        "seconds": round(held.story.seconds, 1),
        "date": date.today().isoformat(),
    }


# Tables, for docs/diagnosis.md.


def held(half: str) -> dict[str, dict[str, Any]]:
    """What was last measured in a half, case by case."""
    every = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return {name: each for name, each in every.items() if each["half"] == half}


def cases_in_markdown(half: str) -> str:
    """Every case of a half: what was right, what was said."""
    lines = ["| case | seeds | rounds | right | said | also found |", "| --- | ---: | ---: | --- | --- | --- |"]
    for name, each in held(half).items():
        said = each["verdict"]
        mark = f"`{said}`" if said in each["right"] else f"**`{said}`**"
        also = ", ".join(f"`{rule}`" for rule in each["findings"] if rule != said)
        right = " or ".join(f"`{rule}`" for rule in each["right"])
        lines.append(f"| {name} | {each['seeds']} | {each['rounds']:,} | {right} | {mark} | {also} |")
    return "\n".join(lines)


def matrix_in_markdown(half: str) -> str:
    """Confusion matrix: a row for what was broken (the first of the right names), a column for what was said."""
    every = held(half).values()
    columns = [name for name in (*catalogue.cards("rules"), NOT_SURE) if any(e["verdict"] == name for e in every)]
    rows = [name for name in catalogue.cards("rules") if any(e["right"][0] == name for e in every)]
    lines = [f"| broken | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    for row in rows:
        counted = Counter(each["verdict"] for each in every if each["right"][0] == row)
        lines.append(f"| {row} | {' | '.join(str(counted[c]) if counted[c] else '' for c in columns)} |")
    return "\n".join(lines)


def score_in_words(half: str) -> str:
    """How many were right at the top, how many sick were called healthy and healthy sick."""
    every = list(held(half).values())
    if not every:
        return f"The half `{half}` was not run."
    sick, healthy = ([e for e in every if (EQUILIBRIUM in e["right"]) == good] for good in (False, True))
    right = sum(e["verdict"] in e["right"] for e in every)
    called_healthy = sum(e["verdict"] == EQUILIBRIUM for e in sick)
    called_sick = sum(e["verdict"] not in (EQUILIBRIUM, NOT_SURE) for e in healthy)
    return (
        f"Half `{half}`: {right} of {len(every)} right at the top ({right / len(every):.0%}); {called_healthy} of "
        f"{len(sick)} sick ones called healthy; {called_sick} of {len(healthy)} healthy ones called sick."
    )


def main() -> None:
    """Train what is missing, diagnose each, keep what was said after every case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/broken"))
    parser.add_argument("--only", nargs="*", default=[], help="cases whose name begins so; all if not given")
    parser.add_argument("--half", choices=("tune", "report"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for case in cases():
        wanted = not arguments.only or any(case.name.startswith(name) for name in arguments.only)
        there = case.data == "none" or arguments.data_dir
        if not wanted or not there or (arguments.half and case.half != arguments.half):
            continue
        said = told(case, play(case, arguments.out, arguments.data_dir))
        every = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(every | {case.name: said}, indent=1) + "\n")
        right = "right" if said["verdict"] in case.right else "WRONG"
        print(f"{case.half:<7}{right:<6}{case.name}: {said['verdict']}", flush=True)
    for half in ("tune", "report"):
        print(score_in_words(half))


if __name__ == "__main__":
    main()
