"""What looking at samples costs while a run trains: the same runs with and without it, by turns in one process.

    python benchmarks/probing.py [--data-dir DIR] [--only RECIPE ...] [--pairs N] [--results DIR]

Two figures are told, both of processor time, which other work on the machine disturbs less than it does the clock:

- in looks: what was spent inside looks, and on what they need before the first, over what was spent on all else in that
  run, from the first round to the last with ticks, pictures and checkpoints;
- beside a run without: a pair is one run with looks and one without, of the same rounds from the same seeds, the first
  of the two in turn. What the former took longer, as a share of the latter: all that looking entails, and all noise.

Runs have as many rounds as are given below, and ticks as far apart as in the recipe at its own length, so that looks
come as often as they do there. The last round is always looked at, however short a run is: one that is over in less
time than some twenty-five looks take pays more.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from speed import RESULTS, processor

import sparring.training.trainer
from sparring.analysis.evaluator import Evaluator
from sparring.game.game import Game
from sparring.recipe import Recipe, find_recipe
from sparring.record import Run
from sparring.training.trainer import Trainer, train

PLAYED = (
    ("pattern-1010", 1, 10_000),
    ("pattern-1010", 8, 10_000),
    ("digits", 1, 2_000),
    ("digits", 8, 1_000),
    ("fashion-fc", 1, 4_690),
    ("fashion-fc", 8, 938),
    ("mnist-v3.2", 1, 938),
    ("mnist-v3.2", 8, 235),
)
"""Recipe, seeds, rounds."""


@dataclass(frozen=True)
class Pair:
    """One run with looks and one without."""

    with_looks: float
    """Seconds of processor time from the first round to the last."""
    without: float
    in_looks: float
    """Seconds of processor time inside looks and on what they need, in the run that has them."""
    looks: int

    @property
    def share(self) -> float:
        """Of looks, over all else in their run."""
        return self.in_looks / (self.with_looks - self.in_looks)

    @property
    def longer(self) -> float:
        """What the run with looks took longer, as a share of the one without."""
        return self.with_looks / self.without - 1


@dataclass
class Timed:
    """One run, timed."""

    began: float = 0.0
    ended: float = 0.0
    in_looks: float = 0.0

    @property
    def seconds(self) -> float:
        return self.ended - self.began


def pairs_of(recipe: Recipe, count: int, data_dir: Path | None, folder: Path) -> list[Pair]:
    """One more is played, before the others, and does not count."""
    found: list[Pair] = []
    for turn in range(1 + count):
        runs: dict[bool, Timed] = {}
        looks = 0
        for metrics in (True, False) if turn % 2 else (False, True):
            home = folder / f"{recipe.name}-{len(recipe.seeds)}-{turn}-{metrics}"
            runs[metrics] = timed(recipe, home, data_dir, metrics)
            if metrics:
                looks = len(Run.open(home).story.evaluations[0])
        found.append(Pair(runs[True].seconds, runs[False].seconds, runs[True].in_looks, looks))
    return found[1:]


def timed(recipe: Recipe, home: Path, data_dir: Path | None, metrics: bool) -> Timed:
    """A run, from when its data are open; what looks need before the first is made then."""
    clock, look = Timed(), Evaluator.look

    def needs(*given: Any) -> Evaluator:
        clock.began = time.process_time()
        made = Evaluator.of(*given)
        clock.in_looks += time.process_time() - clock.began
        return made

    def evaluated(evaluator: Evaluator, game: Game) -> Any:
        began = time.process_time()
        found = look(evaluator, game)
        clock.in_looks += time.process_time() - began
        return found

    def start(trainer: Trainer) -> None:  # called at round 0 first
        clock.began = clock.began or time.process_time()

    with (
        patch.object(sparring.training.trainer, "Probe", SimpleNamespace(of=needs)),
        patch.object(Evaluator, "look", evaluated),
    ):
        train(recipe, home, data_dir=data_dir, threads=1, watchers=[start], metrics=metrics)
    clock.ended = time.process_time()
    return clock


def shortened(name: str, seeds: int, rounds: int) -> Recipe:
    """A recipe of so many rounds, its ticks as far apart as in the whole."""
    recipe = find_recipe(name)
    log_points = max(1, round(recipe.log_points * rounds / recipe.rounds))
    return recipe.replace(seeds=seeds, rounds=rounds, log_points=log_points)


def told(recipe: Recipe, found: Sequence[Pair]) -> dict[str, Any]:
    return {
        "recipe": recipe.name,
        "seeds": len(recipe.seeds),
        "rounds": recipe.rounds,
        "log_points": recipe.log_points,
        "looks": median(pair.looks for pair in found),
        "share": median(pair.share for pair in found),
        "largest_share": max(pair.share for pair in found),
        "longer": median(pair.longer for pair in found),
        "least": min(pair.longer for pair in found),
        "most": max(pair.longer for pair in found),
        "pairs": [asdict(pair) for pair in found],
    }


def table(result: dict[str, Any]) -> str:
    """A report in Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    lines = [
        f"Measured on {result['date']}: {result['processor']}, cores: {result['cores']}, {result['system']}; "
        f"{versions}; 1 thread. Load of the machine (mean over a minute) when it began: {result['load']:.1f}. "
        f"{result['pairs']} pairs of runs after one that does not count.",
        "",
        "| recipe | seeds | rounds | ticks | looks | in looks | at most | beside a run without | min to max |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    lines += [
        f"| {m['recipe']} | {m['seeds']} | {m['rounds']:,} | {m['log_points']} | {m['looks']:g} | **{m['share']:.1%}** | "
        f"{m['largest_share']:.1%} | {m['longer']:+.1%} | {m['least']:+.1%} to {m['most']:+.1%} |"
        for m in result["measurements"]
    ]
    return "\n".join([*lines, "", "Medians over pairs, of processor time."])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What looking at samples costs while a run trains.")
    folder = os.environ.get("SPARRING_DATA")
    parser.add_argument("--data-dir", type=Path, default=Path(folder) if folder else None, help="MNIST, Fashion-MNIST")
    parser.add_argument("--only", nargs="+", default=sorted({name for name, *_ in PLAYED}), help="recipes")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs that count (5)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the table and the figures")
    return parser.parse_args()


def main() -> int:
    asked = _arguments()
    result: dict[str, Any] = {
        "date": date.today().isoformat(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version()} | {n: version(n) for n in ("sparring", "torch", "numpy")},
        "load": os.getloadavg()[0],
        "pairs": asked.pairs,
        "measurements": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        for played in (played for played in PLAYED if played[0] in asked.only):
            recipe = shortened(*played)
            measured = told(recipe, pairs_of(recipe, asked.pairs, asked.data_dir, Path(folder)))
            result["measurements"].append(measured)
            print(f"{recipe.name}, {len(recipe.seeds)}: {measured['share']:.1%}", file=sys.stderr)
    text = table(result)
    print(text)
    asked.results.mkdir(parents=True, exist_ok=True)
    stem = asked.results / f"{result['date']}-probing"
    stem.with_suffix(".md").write_text(f"# Looking at samples, {result['date']}\n\n{text}\n", encoding="utf-8")
    stem.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
