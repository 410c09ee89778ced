"""How long a round of each cell of a study takes here, for what a study answers at equal seconds.

    python benchmarks/study_paces.py why-the-reference [--data-dir DIR] [--turns N] [--seconds S] [--threads N]

Cells are trained one after another, for hours, beside whatever else the machine does, so the seconds in their journals
cannot be compared. Here they take turns: each cell plays for S seconds, then the next, N times over. A pace is the
median of its turns, with the smallest and the largest beside it, of one seed whose rounds are compiled as a study
compiles them. Printed, and kept as `results/studies/NAME/paces.json`.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from datetime import date
from pathlib import Path
from statistics import median
from typing import NamedTuple

from sparring.game.assembly import game_of, part_of
from sparring.game.compile.plan import plan
from sparring.game.game import Game, PlayTo
from sparring.game.runtime import threads_set
from sparring.record import write_atomically
from sparring.study.definition import PlannedCell
from sparring.study.library import find

KEPT = Path(__file__).parent / "results" / "studies"
ENDLESS = 10**6
"""Rounds: more than any measurement plays."""


class Timed(NamedTuple):
    """A cell that takes turns."""

    label: str
    game: Game
    play_to: PlayTo

    def turn(self, seconds: float) -> float:
        """Play for about so long; returns the seconds that a round took."""
        began, before = time.perf_counter(), self.game.round
        while (spent := time.perf_counter() - began) < seconds:
            self.play_to(self.game.round + 1, 2**62)
        return spent / (self.game.round - before)


def timed(cell: PlannedCell, data_dir: Path | None) -> Timed:
    """One seed of a cell, its rounds compiled, its first round played."""
    recipe = cell.recipe.replace(seeds=(0,), rounds=ENDLESS)
    data, open_data = recipe.data.with_opener(data_dir, "cpu")
    source, recipe = open_data(), recipe.replace(data=data)
    game = game_of(recipe, source)
    how = plan(game, True, recipe.id, part_of(recipe, source))
    how.play_to(1, 2**62)
    return Timed(cell.label, game, how.play_to)


def main() -> None:
    """Time the cells of a shipped study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0, help="of a turn")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    with threads_set(asked.threads):
        cells = [timed(cell, asked.data_dir) for cell in find(asked.study).cells]
        turns = [[cell.turn(asked.seconds) for cell in cells] for _ in range(asked.turns)]
    paces = {
        cell.label: {"median": median(times), "min": min(times), "max": max(times)}
        for cell, times in zip(cells, zip(*turns, strict=True), strict=True)
    }
    answer = {
        "date": date.today().isoformat(),
        "machine": platform.machine(),
        "threads": asked.threads,
        "turns": asked.turns,
        "seconds per round of one seed": paces,
    }
    for label, pace in paces.items():
        print(f"{label}: {1e3 * pace['median']:.1f} ms ({1e3 * pace['min']:.1f} to {1e3 * pace['max']:.1f})")
    file = KEPT / asked.study / "paces.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, lambda path: path.write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8"))
    print(file)


if __name__ == "__main__":
    main()
