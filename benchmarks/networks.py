"""How far each family of image networks gets in the same time.

    sparring study benchmarks/networks.py:digits --threads 1
    sparring study benchmarks/networks.py:mnist --threads 1 --data-dir DIR

The game of `auto` for small images with the networks of each family at their own sizes, for as many rounds as fit into
the same processor time of one thread (`network_cost.py` measures what a round costs). docs/choosing-measured.md has the
tables.
"""

from __future__ import annotations

import published
from network_cost import FAMILIES, pair

from sparring.datasets import Dataset
from sparring.datasets.digits import Digits
from sparring.datasets.mnist import MNIST
from sparring.recipe import find_recipe
from sparring.study import Factor, Study

ROUNDS = {
    "digits": {"DCGAN": 1_831, "fully connected": 2_213, "SN-GAN": 255, "R3GAN": 219},
    "mnist": {"DCGAN": 1_722, "fully connected": 3_963, "SN-GAN": 431, "R3GAN": 303},
}
"""As many as fit into the seconds below, measured once on one thread of an AMD EPYC."""
SECONDS = {"digits": 30, "mnist": 100}
"""Of one core, for each seed."""
SHOWN = ("frechet-distance", "confidence", "class-divergence")


def digits() -> Study:
    """8 x 8 pixels, three seeds."""
    return _of("digits", Digits(span=(-1.0, 1.0)), 3)


def mnist() -> Study:
    """28 x 28 pixels, two seeds."""
    return _of("mnist", MNIST(span=(-1.0, 1.0)), 2)


def _of(name: str, data: Dataset, seeds: int) -> Study:
    families: dict[str, dict[str, object]] = {}
    for family in FAMILIES:
        generator, discriminator = pair(family, penalized=True)
        families[family] = {"generator": generator, "discriminator": discriminator, "rounds": ROUNDS[name][family]}
    return Study(
        find_recipe("auto").replace(data=data, log_points=10),
        [Factor("networks", families)],
        seeds=seeds,
        outcome="frechet-distance",
        name=name,
        question="How far does each family of networks get in the same time?",
    )


def table(data: str) -> str:
    """Markdown: how far each family got on one data set."""
    every = published.kept("networks", data)
    columns = {"family": published.level("networks"), "rounds": lambda record: f"{record.rounds:,}"}
    scores = published.scores(every, SHOWN, lambda score: published.spread(score, ".3g", ".2g"))
    made, first = published.table(every, {**columns, **scores}, real=True), every[0]
    said = f"{SECONDS[data]} s of one core per seed, {len(first.seeds)} seeds, {first.samples:,} samples of each"
    return f"{made}\n\n{said}; mean ± SD over seeds."
