"""What members with numbers of their own cost: 8 learning rates x 4 seeds as one population, beside separate runs.

    python benchmarks/per_member.py [--recipe NAME] [--pairs N] [--seconds S] [--compile] [--json FILE]

Both sides take turns in this process, on one thread, without log points: the population of 32 members, one of the eight
populations of 4 members with one learning rate, the population, and so on. A turn lasts about S seconds of CPU time,
which other work on the machine hardly changes, and each pair of turns gives one ratio: eight times what a round of the
separate run takes (all eight are alike), over what a round of the whole population takes. A third side is the same
population of 32 members with one learning rate, which shows what having numbers apart costs. Ratios are medians over N
pairs, with the smallest and the largest. With --compile, the rounds of all three are compiled before the first turn;
eight separate runs would compile eight times, since a learning rate that all members have is part of the code.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from sparring.game.assembly import game_of, part_of
from sparring.game.compile.plan import plan
from sparring.game.game import Game, PlayTo
from sparring.game.runtime import keep_freed_memory, threads_set
from sparring.recipe import Recipe, find_recipe

RATES, SEEDS = 8, 4
LONG = 10**9
"""Rounds of the games, of which few are played."""
NEVER = 2**62
"""Rounds between two that are logged."""


@dataclasses.dataclass
class Side:
    """One game, and how its rounds are played."""

    game: Game
    play_to: PlayTo
    seconds_to_compile: float = 0.0

    @classmethod
    def of(cls, recipe: Recipe, compile: bool) -> Side:
        source = recipe.data.open(None, "cpu")
        game, began = game_of(recipe, source), time.process_time()
        how = plan(game, compile, recipe.id, part_of(recipe, source)) if compile else None
        return cls(game, how.play_to if how else game.play_to, time.process_time() - began)

    def turn(self, seconds: float) -> float:
        """CPU seconds of a round, over a turn."""
        first, began = self.game.round, time.process_time()
        while (took := time.process_time() - began) < seconds:
            self.play_to(self.game.round + 10, NEVER)
        return took / (self.game.round - first)


def measured(name: str, pairs: int, seconds: float, compile: bool) -> dict[str, Any]:
    """Ratios of one recipe."""
    base = find_recipe(name).replace(rounds=LONG)
    optimizer: Any = base.generator_optimizer
    rates = [optimizer.lr * 2 ** (k / 2 - 2) for k in range(RATES)]
    seeds = list(range(SEEDS)) * RATES
    apart = base.replace(seeds=seeds, per_member={"lr": [rate for rate in rates for _ in range(SEEDS)]})
    sides = {
        "apart": Side.of(apart, compile),
        "separate": Side.of(base.replace(seeds=SEEDS), compile),
        "in common": Side.of(base.replace(seeds=SEEDS * RATES), compile),
    }
    turns: dict[str, list[float]] = {which: [] for which in sides}
    for side in sides.values():
        side.turn(seconds / 4)
    for _ in range(pairs):
        for which, side in sides.items():
            turns[which].append(side.turn(seconds))
    faster = [RATES * alone / ours for alone, ours in zip(turns["separate"], turns["apart"], strict=True)]
    cost = [ours / common for ours, common in zip(turns["apart"], turns["in common"], strict=True)]
    return {
        "recipe": name,
        "compiled": compile,
        "milliseconds": {which: round(1e3 * median(each), 4) for which, each in turns.items()},
        "seconds_to_compile": {which: round(side.seconds_to_compile, 1) for which, side in sides.items()},
        "faster": [round(each, 3) for each in (median(faster), min(faster), max(faster))],
        "cost": [round(each, 3) for each in (median(cost), min(cost), max(cost))],
        "pairs": pairs,
    }


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", nargs="+", default=["pattern-1010", "digits"])
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    keep_freed_memory()
    with threads_set(1):
        rows = [measured(name, options.pairs, options.seconds, options.compile) for name in options.recipe]
    for row in rows:
        print(json.dumps(row))
    if options.json:
        machine = {"processor": platform.processor() or platform.machine(), "torch": version("torch")}
        options.json.write_text(json.dumps({"machine": machine, "rows": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
