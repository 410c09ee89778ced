"""What a round costs with each family of image networks, and how far each family gets in the same time.

    python benchmarks/networks.py [--turns N] [--data-dir DIR] [--out runs/networks] [--only cost quality]

Cost: a round is d_sees_both g_fools_d with one member, 64 examples and Adam, on noise, in processor time of one thread:
timing does not depend on what the images show. The families take turns, one round each, and a ratio is between medians
over N turns after one of warm-up.

Quality: the game of `auto` for small images with the networks of each family at their own sizes, for as many rounds as
fit into the same processor time of one thread, by the pace of the first rounds; measured like any run.

All results go to `results/networks.json`, from which `make docs` takes the tables in docs/networks.md and
docs/choosing.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import torch
from broken_gans import trained, write
from torch import Tensor

from sparring import catalogue
from sparring.analysis.measure import keep, measure
from sparring.datasets import Dataset
from sparring.datasets.digits import Digits
from sparring.datasets.mnist import MNIST
from sparring.game.assembly import game_of
from sparring.game.game import Game, Player
from sparring.game.moves import MODERN
from sparring.game.population import Population
from sparring.latents.normal import Normal
from sparring.networks import Network
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe, find_recipe
from sparring.rng import RandomStreams
from sparring.tricks.r1_r2 import R1R2

RESULT = Path(__file__).parent / "results" / "networks.json"
SHAPES = (1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64)
FAMILIES = {"DCGAN": "dcgan", "fully connected": "", "SN-GAN": "sngan", "R3GAN": "r3gan"}
"""Title -> what the names of its leaves begin with."""
BATCH, LATENT = 64, 64
WIDTHS = 512, 512
"""Of the fully connected family's hidden layers, as `auto` has them."""
BUDGETS: dict[str, tuple[Dataset, float, int]] = {
    "digits": (Digits(span=(-1.0, 1.0)), 30.0, 3),
    "mnist": (MNIST(span=(-1.0, 1.0)), 100.0, 2),
}
"""Data, seconds of one core for each seed, and seeds."""
PACED = 9
"""Rounds whose median gives the pace, after one of warm-up."""
SHOWN = ("frechet-distance", "confidence", "class-divergence")


def pair(family: str, penalized: bool) -> tuple[Network, Network]:
    """G and D. With a gradient penalty, D has no batch normalization."""
    if family == "fully connected":
        return FullyConnected(WIDTHS, output="tanh"), FullyConnected(WIDTHS)
    plain = {"normalization": "none"} if penalized and family == "DCGAN" else {}
    generator = catalogue.make("networks", f"{FAMILIES[family]}-generator", {"output": "tanh"})
    return generator, catalogue.make("networks", f"{FAMILIES[family]}-discriminator", plain)


@dataclass(frozen=True)
class Noise:
    """Real examples that show nothing."""

    shape: tuple[int, ...]

    def draw(self, rng: RandomStreams, count: int) -> Tensor:
        return rng.uniform("real", (count, *self.shape))


def game(family: str, shape: tuple[int, ...], penalized: bool) -> Game:
    """One member, with or without a gradient penalty on D at real and generated examples."""
    generator, discriminator = pair(family, penalized)
    rng = RandomStreams((0,))

    def player(network: Any, takes: tuple[int, ...], gives: tuple[int, ...]) -> Player:
        return Player(Population(lambda: network.build(takes, gives), (0,), rng.for_layers("layers")), Adam(2e-4))

    return Game(
        players={"G": player(generator, (LATENT,), shape), "D": player(discriminator, shape, ())},
        objective=RelativisticPaired() if penalized else BCEWithLogits(),
        source=Noise(shape),
        latent=Normal(LATENT),
        rng=rng,
        moves=MODERN,
        batch=BATCH,
        rounds=1_000,
        tricks=(R1R2(),) if penalized else (),
    )


def seconds(game: Game) -> float:
    began = time.process_time()
    game.play()
    return time.process_time() - began


def costs(turns: int) -> dict[str, Any]:
    """Seconds of every timed round."""
    rows: list[dict[str, Any]] = []
    for shape in SHAPES:
        games = {(name, p): game(name, shape, p) for name in FAMILIES for p in (False, True)}
        taken = [{key: seconds(each) for key, each in games.items()} for _ in range(turns + 1)][1:]
        rows += [
            {"shape": shape, "family": name, "penalised": p, "seconds": [turn[name, p] for turn in taken]}
            for name, p in games
        ]
    machine = f"{platform.machine()}, one thread, torch {torch.__version__}"
    return {"machine": machine, "turns": turns, "rows": rows}


def recipe_of(family: str, data: str, data_dir: Path | None) -> Recipe:
    """The game of `auto` for small images with networks of that family, as long as the budget allows."""
    what, budget, seeds = BUDGETS[data]
    generator, discriminator = pair(family, penalized=True)
    whole = find_recipe("auto").replace(
        data=what,
        generator=generator,
        discriminator=discriminator,
        seeds=seeds,
    )
    playing = game_of(whole, what.open(data_dir, "cpu"))
    pace = median([seconds(playing) for _ in range(PACED + 1)][1:])
    return whole.replace(rounds=max(1, round(seeds * budget / pace)), log_points=10)


def qualities(family: str, data: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train one family on one data set, or resume, and return the results."""
    folder = arguments.out / data / family.replace(" ", "-").lower()
    begun = (folder / "recipe.json").exists()
    recipe = Recipe.from_json((folder / "recipe.json").read_text()) if begun else None
    run = trained(recipe or recipe_of(family, data, arguments.data_dir), folder, arguments.data_dir)
    measured = measure(run, data_dir=arguments.data_dir)
    keep(measured)
    entry = measured.plain()
    return {
        "rounds": run.story.round,
        "seconds": round(run.story.seconds),
        "n": entry["n"],
        "metrics": {name: entry["metrics"][name] for name in SHOWN},
        "date": date.today().isoformat(),
    }


def main() -> None:
    """Time rounds, then train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/networks"))
    parser.add_argument("--only", nargs="*", choices=["cost", "quality"], default=["cost", "quality"])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if "cost" in arguments.only:
        write(RESULT, "cost", costs(arguments.turns))
        print(table())
    if "quality" in arguments.only:
        minutes = sum(budget * seeds for _, budget, seeds in BUDGETS.values()) * len(FAMILIES) / 60
        print(f"{len(BUDGETS) * len(FAMILIES)} trainings, about {minutes:.0f} min", flush=True)
        for data in BUDGETS:
            for family in FAMILIES:
                write(RESULT, f"{data}: {family}", qualities(family, data, arguments))
                print(f"{data}, {family}: done", flush=True)
            print(quality(data))


def table() -> str:
    """The cost of rounds, as Markdown."""
    result = _stored().get("cost")
    if result is None:
        return "Not run yet."
    spent = {(tuple(r["shape"]), r["family"], r["penalised"]): median(r["seconds"]) for r in result["rows"]}
    titles = [f"{name}, {p}" for p in ("plain", "penalized") for name in FAMILIES]
    lines = ["| images | DCGAN, ms | " + " | ".join(titles) + " |", "| --- |" + " ---: |" * (1 + 2 * len(FAMILIES))]
    for shape in SHAPES:
        baseline = spent[shape, "DCGAN", False]
        ratios = [f"{spent[shape, name, p] / baseline:.1f}" for p in (False, True) for name in FAMILIES]
        lines.append(f"| {' x '.join(map(str, shape))} | {1e3 * baseline:.0f} | {' | '.join(ratios)} |")
    return "\n".join(["", f"{result['machine']}; medians of {result['turns']} turns.", "", *lines])


def quality(data: str) -> str:
    """How far each family got on one data set, as Markdown."""
    stored = {family: each for family in FAMILIES if (each := _stored().get(f"{data}: {family}"))}
    if not stored:
        return "Not run yet."
    _, budget, seeds = BUDGETS[data]
    metrics = next(iter(stored.values()))["metrics"]
    titles = [f"{metric['title']} ({metric['better']} is better)" for metric in metrics.values()]
    lines = [f"| family | rounds | {' | '.join(titles)} |", "| --- | ---: |" + " --- |" * len(titles)]
    for family, each in stored.items():
        cells = [_cell(metric["members"]) for metric in each["metrics"].values()]
        lines.append(f"| {family} | {each['rounds']:,} | {' | '.join(cells)} |")
    real = [f"{metric['real']:.3g}" for metric in metrics.values()]
    lines.append(f"| *real data* | | {' | '.join(real)} |")
    n = min(each["n"] for each in stored.values())
    caption = f"{budget:.0f} s of one core per seed, {seeds} seeds, {n:,} samples of each; mean ± SD over seeds."
    return "\n".join([*lines, "", caption])


def _cell(members: list[float | None]) -> str:
    found = [value for value in members if value is not None]
    return f"{mean(found):.3g} ± {stdev(found):.2g}" if len(found) > 1 else "diverged"


def _stored() -> dict[str, Any]:
    return json.loads(RESULT.read_text()) if RESULT.exists() else {}


if __name__ == "__main__":
    main()
