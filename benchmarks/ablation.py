"""R3GAN's ablation of the loss, over seeds: with and without R1, with and without R2, relativistic or not.

    python benchmarks/ablation.py [--out runs/ablation] [--only ring grid digits] [--seeds 8]

Huang et al. ("The GAN is dead; long live the GAN!", NeurIPS 2024) compare such losses on stacked MNIST, without
intervals. This script trains all eight combinations on three cheap data sets, every loss from the same seeds, with
everything else equal: networks, learning rates, gamma, length, averaged generators. The interval is Student's, 95 %,
over seeds. The relativistic loss is the paper's RpGAN, the other its GAN, the non-saturating loss.

It first prints how long it will take. Runs resume where they were when the script is started again. Results are
written to `results/ablation.json`, from which docs/choosing.md takes its tables.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import Any

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import torch
from broken_gans import in_words, is_done, seconds_of, trained, write
from scipy.stats import t as student

from sparring.analysis.measure import keep, measure
from sparring.datasets.digits import Digits
from sparring.errors import SparringError
from sparring.latents.normal import Normal
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives import Objective
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe, find_recipe
from sparring.tricks import Trick
from sparring.tricks.r1 import R1
from sparring.tricks.r1_r2 import R1R2
from sparring.tricks.r2 import R2

RESULTS = Path(__file__).parent / "results" / "ablation.json"
OBJECTIVES: dict[str, Objective] = {"relativistic": RelativisticPaired(), "non-saturating": BCEWithLogits()}
SIDES = ("R1 and R2", "R1", "R2", "neither")
SHOWN = {
    "ring": ("reached-modes", "high-quality", "mode-divergence"),
    "grid": ("reached-modes", "high-quality", "mode-divergence"),
    "digits": ("frechet-distance", "modes", "class-divergence"),
}
"""Data -> the metrics in its table."""
SAMPLES = 2_500
LEVEL = 0.95


@dataclass(frozen=True)
class Loss:
    """One row."""

    objective: str
    sides: str

    @property
    def name(self) -> str:
        return f"{self.objective}, {self.sides}"

    def tricks(self, whole: R1R2) -> tuple[Trick, ...]:
        """The part of `whole` (R1 and R2 together) that this loss uses."""
        gamma, final = whole.gamma, whole.final
        parts: dict[str, tuple[Trick, ...]] = {
            "R1 and R2": (whole,),
            "R1": (R1(gamma, final=final),),
            "R2": (R2(gamma, final=final),),
            "neither": (),
        }
        return parts[self.sides]


LOSSES = [Loss(objective, sides) for objective, sides in product(OBJECTIVES, SIDES)]


def base(data: str) -> Recipe:
    """What all losses share: the recipes for such data, shorter, with narrower networks or one normal latent space."""
    if data == "digits":
        return find_recipe("auto").replace(
            data=Digits(span=(-1.0, 1.0)),
            generator=FullyConnected(hidden=(128, 128), output="tanh"),
            discriminator=FullyConnected(hidden=(128, 128)),
            rounds=3_000,
        )
    gamma, final, lr = {"ring": (0.01, 1e-4, 5e-3), "grid": (0.1, 1e-3, 3e-3)}[data]
    whole, step = find_recipe(data), Adam(lr, betas=(0.0, 0.99))
    return whole.replace(
        tricks=(R1R2(gamma, final=final), *whole.tricks[1:]),
        latent=Normal(2),
        generator_optimizer=step,
        discriminator_optimizer=step,
        batch=64,
        rounds=3_000,
    )


def recipe_of(data: str, loss: Loss, seeds: int) -> Recipe:
    """The same game with one loss."""
    whole = base(data)
    tricks = [(trick,) if not isinstance(trick, R1R2) else loss.tricks(trick) for trick in whole.tricks]
    return whole.replace(
        objective=OBJECTIVES[loss.objective], tricks=tuple(trick for some in tricks for trick in some), seeds=seeds
    )


def folder_of(out: Path, data: str, loss: Loss) -> Path:
    return out / data / loss.name.replace(", ", "-").replace(" ", "-").lower()


def played(data: str, loss: Loss, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train one loss on one data set, or resume, and return the results."""
    recipe = recipe_of(data, loss, arguments.seeds)
    run = trained(recipe, folder_of(arguments.out, data, loss), None)
    measured = measure(run, SAMPLES)
    keep(measured)
    entry = measured.plain()
    return {
        "data": data,
        "objective": loss.objective,
        "sides": loss.sides,
        "recipe": recipe.id,
        "rounds": recipe.rounds,
        "seeds": recipe.seeds,
        "n": entry["n"],
        "seconds": round(run.story.seconds),
        "torch": torch.__version__,
        "date": date.today().isoformat(),
        "metrics": {name: entry["metrics"][name] for name in SHOWN[data]},
    }


def table(data: str) -> str:
    """Markdown: one row for each loss, with an interval over seeds, and the score of real data."""
    stored = {(entry["objective"], entry["sides"]): entry for entry in _stored() if entry["data"] == data}
    if not stored:
        return "Not run yet."
    any_entry = next(iter(stored.values()))
    metrics = any_entry["metrics"]
    titles = [f"{m['title']} ({m['better']} is better)" for m in metrics.values()]
    lines = [
        "| loss | penalty | diverged | " + " | ".join(titles) + " |",
        "| --- | --- | ---: |" + " --- |" * len(titles),
    ]
    for loss in (each for each in LOSSES if (each.objective, each.sides) in stored):
        entry = stored[loss.objective, loss.sides]
        lost = sum(value is None for value in entry["metrics"][SHOWN[data][0]]["members"])
        cells = [interval(metric) for metric in entry["metrics"].values()]
        lines.append(f"| {loss.objective} | {loss.sides} | {lost} | {' | '.join(cells)} |")
    real = " | ".join(f"{metric['real']:.3g}" for metric in metrics.values())
    lines.append(f"| *real data* | | | {real} |")
    seeds, rounds, n = len(any_entry["seeds"]), any_entry["rounds"], any_entry["n"]
    caption = f"{seeds} seeds, {rounds:,} rounds, {n:,} samples of each"
    return "\n".join([*lines, "", f"{caption}; mean [95 % interval] over seeds that did not diverge."])


def interval(metric: dict[str, Any]) -> str:
    """`7.9 [7.5, 8.3]`."""
    found = [value for value in metric["members"] if value is not None]
    if not found:
        return "diverged"
    # A divergence is infinite where no sample is of high quality, and so has no mean.
    without = len(metric["members"]) - len(found)
    of = f", of {len(found)} seeds" if without else ""
    center = mean(found)
    if len(found) < 2:
        return f"{center:.3g}{of}"
    half = float(student.ppf((1 + LEVEL) / 2, len(found) - 1)) * stdev(found) / math.sqrt(len(found))
    return f"{center:.3g} [{center - half:.3g}, {center + half:.3g}]{of}"


def _stored() -> Iterator[dict[str, Any]]:
    yield from (json.loads(RESULTS.read_text()) if RESULTS.exists() else {}).values()


def main() -> None:
    """Train them all, saving the results after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--only", nargs="*", default=list(SHOWN), help="data sets")
    parser.add_argument("--seeds", type=int, default=8)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    every: list[tuple[str, Loss]] = [(data, loss) for data in arguments.only for loss in LOSSES]
    left = [(data, loss) for data, loss in every if not is_done(folder_of(arguments.out, data, loss))]
    taken = sum(seconds_of(recipe_of(data, loss, arguments.seeds), None) for data, loss in left)
    print(f"{len(left)} trainings, about {in_words(taken)}", flush=True)
    for data, loss in every:
        try:
            entry = played(data, loss, arguments)
        except SparringError as error:
            print(f"{data}, {loss.name}: {error}", flush=True)
            continue
        write(RESULTS, f"{data}: {loss.name}", entry)
        print(f"{data}, {loss.name}: {in_words(entry['seconds'])}", flush=True)
    for data in arguments.only:
        print(f"\n{data}\n\n{table(data)}")


if __name__ == "__main__":
    main()
