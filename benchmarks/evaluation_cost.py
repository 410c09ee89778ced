"""What evaluating samples costs during training: the same runs with and without it, taking turns in one process.

    python benchmarks/evaluation_cost.py [--data-dir DIR] [--only RECIPE ...] [--pairs N] [--results DIR]

It reports two ratios of processor time, which other work on the machine disturbs less than wall-clock time:

- in evaluations: the time spent in evaluations and on preparing the first one, divided by the time spent on everything
  else in that run, from the first round to the last, with log points, pictures and checkpoints;
- relative to a run without: a pair is one run with evaluations and one without, of the same rounds and seeds; which of
  the two goes first alternates. The extra time of the former, as a share of the latter: the full cost, plus noise.

Runs have the number of rounds given below, and log points as far apart as in the recipe at its own length, so that
evaluations come as often as they do there. The last round is always evaluated, however short a run is, so a run that
takes less time than some twenty-five evaluations has a larger share.
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
from typing import Any
from unittest.mock import patch

from rounds import RESULTS, processor

from sparring.analysis.evaluator import Evaluator
from sparring.game.game import Game
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder
from sparring.training import Trainer, train

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
    """One run with evaluations and one without."""

    with_evaluations: float
    """Seconds of processor time from the first round to the last."""
    without: float
    in_evaluations: float
    """Seconds of processor time in evaluations and on preparing them, in the run that has them."""
    evaluations: int

    @property
    def share(self) -> float:
        """Of evaluations, relative to everything else in their run."""
        return self.in_evaluations / (self.with_evaluations - self.in_evaluations)

    @property
    def longer(self) -> float:
        """The extra time of the run with evaluations, as a share of the one without."""
        return self.with_evaluations / self.without - 1


@dataclass
class Timed:
    """One run, timed."""

    began: float = 0.0
    ended: float = 0.0
    in_evaluations: float = 0.0

    @property
    def seconds(self) -> float:
        return self.ended - self.began


def pairs_of(recipe: Recipe, count: int, data_dir: Path | None, folder: Path) -> list[Pair]:
    """Measure `count` pairs, after one more that does not count."""
    found: list[Pair] = []
    for turn in range(1 + count):
        runs: dict[bool, Timed] = {}
        evaluations = 0
        for metrics in (True, False) if turn % 2 else (False, True):
            home = folder / f"{recipe.name}-{len(recipe.seeds)}-{turn}-{metrics}"
            runs[metrics] = timed(recipe, home, data_dir, metrics)
            if metrics:
                evaluations = len(RunFolder.open(home).story.evaluations[0])
        found.append(Pair(runs[True].seconds, runs[False].seconds, runs[True].in_evaluations, evaluations))
    return found[1:]


def timed(recipe: Recipe, home: Path, data_dir: Path | None, metrics: bool) -> Timed:
    """Time a run from the moment its data are open, when the evaluator is prepared."""
    clock, prepare, evaluate = Timed(), Evaluator.of, Evaluator.look

    def prepared(*given: Any) -> Evaluator:
        clock.began = time.process_time()
        made = prepare(*given)
        clock.in_evaluations += time.process_time() - clock.began
        return made

    def evaluated(evaluator: Evaluator, game: Game) -> Any:
        began = time.process_time()
        found = evaluate(evaluator, game)
        clock.in_evaluations += time.process_time() - began
        return found

    def start(trainer: Trainer) -> None:  # called at round 0 first
        clock.began = clock.began or time.process_time()

    with patch.object(Evaluator, "of", prepared), patch.object(Evaluator, "look", evaluated):
        train(recipe, home, data_dir=data_dir, threads=1, watchers=[start], metrics=metrics)
    clock.ended = time.process_time()
    return clock


def shortened(name: str, seeds: int, rounds: int) -> Recipe:
    """The recipe with fewer rounds and the same number of rounds between log points."""
    recipe = find_recipe(name)
    log_points = max(1, round(recipe.log_points * rounds / recipe.rounds))
    return recipe.replace(seeds=seeds, rounds=rounds, log_points=log_points)


def summary(recipe: Recipe, found: Sequence[Pair]) -> dict[str, Any]:
    return {
        "recipe": recipe.name,
        "seeds": len(recipe.seeds),
        "rounds": recipe.rounds,
        "log_points": recipe.log_points,
        "evaluations": median(pair.evaluations for pair in found),
        "share": median(pair.share for pair in found),
        "largest_share": max(pair.share for pair in found),
        "longer": median(pair.longer for pair in found),
        "min": min(pair.longer for pair in found),
        "max": max(pair.longer for pair in found),
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
        "| recipe | seeds | rounds | log points | evaluations | in evaluations | at most | relative to a run without "
        "| min to max |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    lines += [
        f"| {m['recipe']} | {m['seeds']} | {m['rounds']:,} | {m['log_points']} | {m['evaluations']:g} "
        f"| **{m['share']:.1%}** | {m['largest_share']:.1%} | {m['longer']:+.1%} | {m['min']:+.1%} to {m['max']:+.1%} |"
        for m in result["measurements"]
    ]
    return "\n".join([*lines, "", "Medians over pairs, of processor time."])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What evaluating samples costs during training.")
    folder = os.environ.get("SPARRING_DATA")
    parser.add_argument("--data-dir", type=Path, default=Path(folder) if folder else None, help="MNIST, Fashion-MNIST")
    parser.add_argument("--only", nargs="+", default=sorted({name for name, *_ in PLAYED}), help="recipes")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs that count (5)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the table and the raw values")
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
            measured = summary(recipe, pairs_of(recipe, asked.pairs, asked.data_dir, Path(folder)))
            result["measurements"].append(measured)
            print(f"{recipe.name}, {len(recipe.seeds)}: {measured['share']:.1%}", file=sys.stderr)
    text = table(result)
    print(text)
    asked.results.mkdir(parents=True, exist_ok=True)
    stem = asked.results / f"{result['date']}-evaluation-cost"
    stem.with_suffix(".md").write_text(f"# Cost of evaluation, {result['date']}\n\n{text}\n", encoding="utf-8")
    stem.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
