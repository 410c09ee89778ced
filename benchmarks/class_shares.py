"""Measure what it buys to ask G for each class as often as the data has it, in place of equally often.

    python benchmarks/class_shares.py [--out runs/class-shares]

scikit-learn's digits with a quarter of the digits 5 to 9; the recipe `digits` with classes, 8 seeds, 3,000 rounds. Each
of the two populations is measured by the independent judge of the data, with its classes in the data's shares and
equally often. Runs that are finished are not trained again. docs/data.md has the figures.
"""

from __future__ import annotations

import argparse
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

import sparring
import sparring.analysis.samples
import sparring.game.game
from sparring.analysis.measure import measure
from sparring.datasets.digits import ink_and_classes
from sparring.recipe import Recipe

RARE, KEPT = 5, 0.25
"""The first digit that is rare, and the share of those that is kept."""
SAMPLES = 800


def unequal_digits() -> tuple[np.ndarray, np.ndarray]:
    """uint8 `(N, 1, 8, 8)` and int64 `(N,)`."""
    ink, classes = ink_and_classes()
    kept = (classes < RARE) | (np.random.default_rng(0).random(len(classes)) < KEPT)
    return (ink[kept][:, None] * (255 / 16)).round().astype(np.uint8), classes[kept]


@contextmanager
def asked(module: Any, equally: bool) -> Generator[None]:
    """A module's classes, asked for equally often or as ever."""
    before = module.class_shares
    if equally:
        module.class_shares = lambda source, classes: None
    try:
        yield
    finally:
        module.class_shares = before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/class-shares"))
    out: Path = parser.parse_args().out
    digits = sparring.recipe("digits").replace(data=unequal_digits(), conditional=True, seeds=8, rounds=3_000)
    for equally in (False, True):
        with asked(sparring.game.game, equally):
            run = sparring.train(digits, out / ("equally" if equally else "in-shares"), metrics=False)
        for measured_equally in (False, True):
            found = scores(run.path, digits, measured_equally)
            print(f"asked for {words(equally)}, measured {words(measured_equally)}: {found}")


def words(equally: bool) -> str:
    return "equally often" if equally else "in the data's shares"


def scores(run: Path, recipe: Recipe, equally: bool) -> str:
    with asked(sparring.analysis.samples, equally):
        measured = measure(run, SAMPLES, recipe=recipe)
    assert measured.independent is not None
    parts: list[str] = []
    for name in ("frechet-distance", "recall"):
        score = measured.independent.scores[name]
        values = [float(value) for value in score.members]
        parts.append(f"{name} {mean(values):.2f} ± {stdev(values):.2f} (real {float(score.real):.2f})")
    return ", ".join(parts) + f", n = {measured.n}"


if __name__ == "__main__":
    main()
