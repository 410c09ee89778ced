"""What a round costs with each family of image networks, beside DCGAN's, in processor time of one thread.

    python benchmarks/networks.py [--turns N]

A round is d_sees_both g_fools_d with one member, 64 examples and Adam, on noise: timing does not depend on what the
images show. The families play by turns, a round each, and a ratio is of medians over N turns after one of warm-up.
Every figure goes to `results/networks.json`, from which `make docs` takes the table in docs/networks.md.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from sparring import catalogue
from sparring.chance import Chance
from sparring.game import MODERN, Game, Player
from sparring.latent.normal import Normal
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.optimisers.adam import Adam
from sparring.population import Population
from sparring.tricks.zero_centred import ZeroCentred

RESULT = Path(__file__).parent / "results" / "networks.json"
SHAPES = (1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64)
FAMILIES = {"DCGAN": "dcgan", "SN-GAN": "sngan", "R3GAN": "r3gan"}
BATCH, LATENT = 64, 64


@dataclass(frozen=True)
class Noise:
    """Real examples that show nothing."""

    shape: tuple[int, ...]

    def draw(self, chance: Chance, count: int) -> Tensor:
        return chance.uniform("real", (count, *self.shape))


def game(family: str, shape: tuple[int, ...], penalised: bool) -> Game:
    """One member; with the slope of D penalised at real and fake examples, D without batch normalisation."""
    generator = catalogue.find("networks", f"{family}-generator")()
    plain = {"normalise": "none"} if penalised and family == "dcgan" else {}
    discriminator = catalogue.make("networks", f"{family}-discriminator", plain)
    chance = Chance((0,))

    def player(network: Any, takes: tuple[int, ...], gives: tuple[int, ...]) -> Player:
        return Player(Population(lambda: network.build(takes, gives), (0,), chance.luck("layers")), Adam(2e-4))

    return Game(
        players={"G": player(generator, (LATENT,), shape), "D": player(discriminator, shape, ())},
        objective=RelativisticPaired() if penalised else BCEWithLogits(),
        source=Noise(shape),
        latent=Normal(LATENT),
        chance=chance,
        moves=MODERN,
        batch=BATCH,
        rounds=1_000,
        tricks=(ZeroCentred(),) if penalised else (),
    )


def seconds(game: Game) -> float:
    began = time.process_time()
    game.play()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    turns = parser.parse_args().turns
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for shape in SHAPES:
        games = {(name, p): game(family, shape, p) for name, family in FAMILIES.items() for p in (False, True)}
        taken = [{key: seconds(each) for key, each in games.items()} for _ in range(turns + 1)][1:]
        rows += [
            {"shape": shape, "family": name, "penalised": p, "seconds": [turn[name, p] for turn in taken]}
            for name, p in games
        ]
    machine = f"{platform.machine()}, one thread, torch {torch.__version__}"
    RESULT.write_text(json.dumps({"machine": machine, "turns": turns, "rows": rows}, indent=1) + "\n")
    print(table())


def table() -> str:
    """The newest result as Markdown."""
    result = json.loads(RESULT.read_text())
    spent = {(tuple(r["shape"]), r["family"], r["penalised"]): median(r["seconds"]) for r in result["rows"]}
    lines = [
        "| images | DCGAN, ms | " + " | ".join(f"{n}, {p}" for p in ("plain", "penalised") for n in FAMILIES) + " |"
    ]
    lines.append("| --- |" + " ---: |" * (1 + 2 * len(FAMILIES)))
    for shape in SHAPES:
        baseline = spent[shape, "DCGAN", False]
        ratios = [f"{spent[shape, name, p] / baseline:.1f}" for p in (False, True) for name in FAMILIES]
        lines.append(f"| {' x '.join(map(str, shape))} | {1e3 * baseline:.0f} | {' | '.join(ratios)} |")
    return "\n".join(["", f"{result['machine']}; medians of {result['turns']} turns.", "", *lines])


if __name__ == "__main__":
    main()
