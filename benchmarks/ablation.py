"""R3GAN's ablation of the loss, over seeds: with and without R1, with and without R2, relativistic or not.

    sparring study benchmarks/ablation.py:ring --samples 2500 --threads 1
    sparring study benchmarks/ablation.py:grid --samples 2500 --threads 1
    sparring study benchmarks/ablation.py:digits --samples 2500 --threads 1

Huang et al. ("The GAN is dead; long live the GAN!", NeurIPS 2024) compare such losses on stacked MNIST, without
intervals. Here are all eight combinations on three cheap data sets, every loss from the same seeds, with everything
else equal: networks, learning rates, gamma, length, averaged generators. The relativistic loss is the paper's RpGAN,
the other its GAN, the non-saturating loss. docs/choosing-measured.md has the tables.
"""

from __future__ import annotations

import published

from sparring.datasets.digits import Digits
from sparring.latents.normal import Normal
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe, find_recipe
from sparring.study import Factor, Study
from sparring.tricks import Trick
from sparring.tricks.r1 import R1
from sparring.tricks.r1_r2 import R1R2
from sparring.tricks.r2 import R2

ROUNDS = 3_000
SHOWN = {
    "ring": ("reached-modes", "high-quality", "mode-divergence"),
    "grid": ("reached-modes", "high-quality", "mode-divergence"),
    "digits": ("frechet-distance", "modes", "class-divergence"),
}
"""Data -> the metrics in its table."""


def ring() -> Study:
    """Eight modes on a circle."""
    return _of("ring", _points("ring", gamma=0.01, final=1e-4, lr=5e-3), "high-quality")


def grid() -> Study:
    """Twenty-five modes on a lattice."""
    return _of("grid", _points("grid", gamma=0.1, final=1e-3, lr=3e-3), "high-quality")


def digits() -> Study:
    """Scikit-learn's digits, with networks of two layers of 128."""
    whole = find_recipe("auto").replace(
        data=Digits(span=(-1.0, 1.0)),
        generator=FullyConnected(hidden=(128, 128), output="tanh"),
        discriminator=FullyConnected(hidden=(128, 128)),
        rounds=ROUNDS,
    )
    return _of("digits", whole, "frechet-distance")


def _points(name: str, gamma: float, final: float, lr: float) -> Recipe:
    """The recipe for such data, shorter, with one normal latent space."""
    whole, step = find_recipe(name), Adam(lr, betas=(0.0, 0.99))
    return whole.replace(
        tricks=(R1R2(gamma, final=final), *whole.tricks[1:]),
        latent=Normal(2),
        generator_optimizer=step,
        discriminator_optimizer=step,
        batch=64,
        rounds=ROUNDS,
    )


def _of(data: str, whole: Recipe, outcome: str) -> Study:
    """Eight losses of a game that has R1 and R2."""
    both = next(trick for trick in whole.tricks if isinstance(trick, R1R2))
    alone: dict[str, Trick | None] = {
        "neither": None,
        "R1": R1(both.gamma, final=both.final),
        "R2": R2(both.gamma, final=both.final),
        "R1 and R2": both,
    }
    penalties = {
        label: {"tricks": tuple(new for old in whole.tricks if (new := trick if old is both else old) is not None)}
        for label, trick in alone.items()
    }
    losses = {"non-saturating": BCEWithLogits(), "relativistic": RelativisticPaired()}
    return Study(
        whole,
        [Factor("objective", losses), Factor("penalty", penalties)],
        seeds=8,
        outcome=outcome,
        name=data,
        question="What do R1, R2 and the relativistic loss buy, alone and together?",
    )


def table(data: str) -> str:
    """Markdown: one row for each loss, with an interval over seeds, and the score of real data."""
    every = published.kept("ablation", data)
    columns = {"loss": published.level("objective"), "penalty": published.level("penalty")}
    scores = published.scores(every, SHOWN[data], published.interval)
    made = published.table(every, {**columns, "diverged": published.diverged, **scores}, real=True)
    said = f"{published.of_each(every)}; mean [95 % interval] over seeds that did not diverge."
    return f"{made}\n\n{said}"
