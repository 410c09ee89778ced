"""What a round costs with each family of image networks.

    python benchmarks/network_cost.py [--turns N]

A round is d_sees_both g_fools_d with one member, 64 examples and Adam, on noise, in processor time of one thread:
timing does not depend on what the images show. The families take turns, one round each, and a ratio is between medians
over N turns after one of warm-up. Results go to `results/network-cost.json`, from which `make docs` takes the table in
docs/networks.md. `networks.py` compares how far the families get.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import torch
from torch import Tensor

from sparring import catalogue
from sparring.game.game import Game, Player
from sparring.game.moves import MODERN
from sparring.game.population import Population
from sparring.latents.normal import Normal
from sparring.networks import Network
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.optimizers.adam import Adam
from sparring.rng import RandomStreams
from sparring.tricks.r1_r2 import R1R2

RESULT = Path(__file__).parent / "results" / "network-cost.json"
SHAPES = (1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64)
FAMILIES = {"DCGAN": "dcgan", "fully connected": "", "SN-GAN": "sngan", "R3GAN": "r3gan"}
"""Title -> what the names of its leaves begin with."""
BATCH, LATENT = 64, 64
WIDTHS = 512, 512
"""Of the fully connected family's hidden layers, as `auto` has them."""


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


def main() -> None:
    """Time rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    RESULT.write_text(json.dumps(costs(arguments.turns), indent=1) + "\n")
    print(table())


def table() -> str:
    """The cost of rounds, as Markdown."""
    result = json.loads(RESULT.read_text())
    spent = {(tuple(r["shape"]), r["family"], r["penalised"]): median(r["seconds"]) for r in result["rows"]}
    titles = [f"{name}, {p}" for p in ("plain", "penalized") for name in FAMILIES]
    lines = ["| images | DCGAN, ms | " + " | ".join(titles) + " |", "| --- |" + " ---: |" * (1 + 2 * len(FAMILIES))]
    for shape in SHAPES:
        baseline = spent[shape, "DCGAN", False]
        ratios = [f"{spent[shape, name, p] / baseline:.1f}" for p in (False, True) for name in FAMILIES]
        lines.append(f"| {' x '.join(map(str, shape))} | {1e3 * baseline:.0f} | {' | '.join(ratios)} |")
    return "\n".join(["", f"{result['machine']}; medians of {result['turns']} turns.", "", *lines])


if __name__ == "__main__":
    main()
