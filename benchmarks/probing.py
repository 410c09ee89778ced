"""What looking at samples costs while a run trains: the same runs with and without it, by turns in one process.

    python benchmarks/probing.py [--data-dir DIR] [--pairs N] [--results DIR]

A pair is one run with looks and one without, of the same rounds from the same seeds, the first of the two in turn. What
is compared is processor time, which other work on the machine disturbs little: from the first round to the last, with
ticks, pictures and checkpoints, and with what looks need before their first. The cost is the difference as a share of
the time without; its median over pairs is told, with the least and the most. The share of time that the trainer kept
account of itself, and holds to at most 5 %, stands beside it.

Runs have as many rounds as are given below, and ticks as far apart as in the recipe at its own length, so that looks
come as often as they do there. The last round is always looked at, however short a run is: one that is over in less
time than some twenty looks take pays more.
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

import sparring.trainer
from sparring.probe import Probe
from sparring.recipe import Recipe, find_recipe
from sparring.record import Run
from sparring.trainer import Trainer, train

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
    kept_account: float
    """Share of its time that the run with looks says it spent on them, without what they needed before the first."""
    looks: int

    @property
    def cost(self) -> float:
        """Time that looking added, as a share of the time without."""
        return self.with_looks / self.without - 1


def pairs_of(recipe: Recipe, count: int, data_dir: Path | None, folder: Path) -> list[Pair]:
    """One more is played, before the others, and does not count."""
    found: list[Pair] = []
    for turn in range(1 + count):
        seconds: dict[bool, float] = {}
        for probing in (True, False) if turn % 2 else (False, True):
            home = folder / f"{recipe.name}-{len(recipe.seeds)}-{turn}-{probing}"
            seconds[probing] = timed(recipe, home, data_dir, probing)
            if probing:
                looks = [t["look_seconds"] for t in Run.open(home).story.ticks if "look_seconds" in t]
                account = sum(looks) / Run.open(home).story.seconds
        found.append(Pair(seconds[True], seconds[False], account, len(looks)))
    return found[1:]


def timed(recipe: Recipe, home: Path, data_dir: Path | None, probing: bool) -> float:
    """Seconds of processor time that a run takes once its data are open, with what looks need before their first."""
    began: list[float] = []

    def needs(*given: Any) -> Probe:
        began.append(time.process_time())
        return Probe.of(*given)

    def start(trainer: Trainer) -> None:  # called at round 0 first
        if not began:
            began.append(time.process_time())

    with patch.object(sparring.trainer, "Probe", SimpleNamespace(of=needs)):
        train(recipe, home, data_dir=data_dir, threads=1, watchers=[start], probing=probing)
    return time.process_time() - began[0]


def shortened(name: str, seeds: int, rounds: int) -> Recipe:
    """A recipe of so many rounds, its ticks as far apart as in the whole."""
    recipe = find_recipe(name)
    ticks = max(1, round(recipe.ticks * rounds / recipe.rounds))
    return recipe.with_(seeds=seeds, rounds=rounds, ticks=ticks)


def told(recipe: Recipe, found: Sequence[Pair]) -> dict[str, Any]:
    return {
        "recipe": recipe.name,
        "seeds": len(recipe.seeds),
        "rounds": recipe.rounds,
        "ticks": recipe.ticks,
        "looks": median(pair.looks for pair in found),
        "cost": median(pair.cost for pair in found),
        "least": min(pair.cost for pair in found),
        "most": max(pair.cost for pair in found),
        "kept_account": median(pair.kept_account for pair in found),
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
        "| recipe | seeds | rounds | ticks | looks | time that looking adds | min to max | its own account |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |",
    ]
    lines += [
        f"| {m['recipe']} | {m['seeds']} | {m['rounds']:,} | {m['ticks']} | {m['looks']:g} | **{m['cost']:.1%}** | "
        f"{m['least']:.1%} to {m['most']:.1%} | {m['kept_account']:.1%} |"
        for m in result["measurements"]
    ]
    every = [pair for m in result["measurements"] for pair in m["pairs"]]
    whole = sum(p["with_looks"] for p in every) / sum(p["without"] for p in every) - 1
    lines += ["", f"Over all of it together: {whole:.1%}. Costs are medians over pairs."]
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What looking at samples costs while a run trains.")
    folder = os.environ.get("SPARRING_DATA")
    parser.add_argument("--data-dir", type=Path, default=Path(folder) if folder else None, help="MNIST, Fashion-MNIST")
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
        for played in PLAYED:
            recipe = shortened(*played)
            measured = told(recipe, pairs_of(recipe, asked.pairs, asked.data_dir, Path(folder)))
            result["measurements"].append(measured)
            print(f"{recipe.name}, {len(recipe.seeds)}: {measured['cost']:.1%}", file=sys.stderr)
    text = table(result)
    print(text)
    asked.results.mkdir(parents=True, exist_ok=True)
    stem = asked.results / f"{result['date']}-probing"
    stem.with_suffix(".md").write_text(f"# Looking at samples, {result['date']}\n\n{text}\n", encoding="utf-8")
    stem.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
