"""What `sparring train RECIPE` costs as a user types it, with nothing but defaults: the first run, and the second.

    python benchmarks/speed.py [--only RECIPE ...] [--times N] [--data-dir DIR]

Every run is a process of its own at the recipe's own length, so its seconds hold all of it: the start, torch, data,
compiling, training, pictures, the report. The first run has an empty cache of compiled code, the second the first's.
Where `plain/` has the same GAN as a learner would write it, that script plays as many rounds in a process of its own,
with one thread or with torch's own number, whichever is faster, and a ratio is its seconds over ours. The kinds take
turns, so what slows the machine for a while slows all of them. What was measured is kept in `results/commands.json`
after every run, and a call that was interrupted goes on there; docs/speed.md takes its table from it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "commands.json"
PLAIN = {
    "pattern-1010": "pattern_1010",
    "num-gan-2": "num_gan_2",
    "fashion-fc": "fashion_fc",
    "mnist-reference": "mnist_reference",
}
RECIPES = (
    "pattern-1010", "digits", "ring", "grid", "num-gan", "num-gan-1", "num-gan-2", "mnist-fast", "mnist", "fashion-fc",
)  # fmt: skip
"""Those that take less than ten minutes here."""
KINDS = ("plain", "first", "second")
PACED = 300
"""Rounds by which the plain script's number of threads is chosen."""


def seconds_of(command: list[str], environment: Mapping[str, str]) -> float:
    """Wall-clock seconds of one process. Raises SystemExit when it fails."""
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr[-500:]}")
    return time.perf_counter() - began


def plain(recipe: str, rounds: int, threads: int, environment: Mapping[str, str]) -> float:
    """Seconds of the plain script for so many rounds of one seed."""
    command = [sys.executable, str(Path(__file__)), "--plain", recipe, "--rounds", str(rounds)]
    return seconds_of(command, {**environment, "OMP_NUM_THREADS": str(threads)})


def play_plain(recipe: str, rounds: int) -> None:
    """What the process of a plain script does: read the images as tensors, set up, play."""
    import importlib

    import torch

    script = importlib.import_module(f"plain.{PLAIN[recipe]}")
    data: list[torch.Tensor] = []
    if recipe != "pattern-1010":
        from sparring.recipe import find_recipe

        home = os.environ.get("SPARRING_DATA")
        data = [find_recipe(recipe).data.open(Path(home) if home else None, "cpu").pixels]
    script.play(rounds, script.setup(*data))


def measure(recipe: str, environment: Mapping[str, str], threads: int) -> dict[str, Any]:
    """Seconds of each kind once, and how the second run was played."""
    from sparring.recipe import find_recipe

    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        own = {**environment, "XDG_CACHE_HOME": folder}
        if recipe in PLAIN:
            seconds["plain"] = plain(recipe, find_recipe(recipe).rounds, threads, environment)
        for kind in ("first", "second"):
            out = Path(folder) / kind
            seconds[kind] = seconds_of([sys.executable, "-m", "sparring", "train", recipe, "--out", str(out)], own)
        about = json.loads((out / "about.json").read_text(encoding="utf-8"))
    return {**{k: round(s, 2) for k, s in seconds.items()}, "compiled": about["compiled"], "threads": about["threads"]}


def table() -> str:
    """Markdown: medians, smallest and largest, and the ratio to the plain script."""
    if not RESULTS.exists():
        return "Not measured yet: `python benchmarks/speed.py`."
    stored = json.loads(RESULTS.read_text(encoding="utf-8"))
    lines: list[str] = []
    for machine, recipes in stored.items():
        lines += [
            f"{machine}. Whole processes, one seed; seconds: median (min to max).",
            "",
            "| recipe | rounds | plain PyTorch | first run | second run | first: ratio | second: ratio | compiled |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
        ]
        lines += [_row(recipe, runs) for recipe, runs in recipes.items()]
        lines.append("")
    return "\n".join(lines).strip()


def _row(recipe: str, runs: list[dict[str, Any]]) -> str:
    from sparring.recipe import find_recipe

    def cell(kind: str) -> str:
        values = [run[kind] for run in runs if kind in run]
        return f"{median(values):.1f} ({min(values):.1f} to {max(values):.1f})" if values else ""

    def ratio(kind: str) -> str:
        ratios = [run["plain"] / run[kind] for run in runs if "plain" in run]
        return f"**{median(ratios):.2f}**" if ratios else ""

    compiled = "yes" if runs[-1]["compiled"] else "no"
    cells = [f"`{recipe}`", f"{find_recipe(recipe).rounds:,}", *map(cell, KINDS), ratio("first"), ratio("second")]
    return f"| {' | '.join([*cells, compiled])} |"


def _machine() -> str:
    from rounds import processor

    cores = len(os.sched_getaffinity(0))
    versions = ", ".join(f"{name} {version(name)}" for name in ("sparring", "torch"))
    return f"Measured on {date.today().isoformat()}: {processor()}, cores: {cores}; {versions}"


def main() -> None:
    """Measure what is not yet in the results, one repetition after another, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=RECIPES)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--data-dir", default=os.environ.get("SPARRING_DATA"))
    parser.add_argument("--plain", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.plain:
        play_plain(asked.plain, asked.rounds)
        return
    environment = {**os.environ, **({"SPARRING_DATA": asked.data_dir} if asked.data_dir else {})}
    environment.pop("OMP_NUM_THREADS", None)
    stored: dict[str, dict[str, list[Any]]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    found = stored.setdefault(_machine(), {})
    for recipe in asked.only:
        runs = found.setdefault(recipe, [])
        choices = sorted({1, len(os.sched_getaffinity(0))})
        paces = {n: plain(recipe, PACED, n, environment) for n in choices} if recipe in PLAIN else {1: 0.0}
        while len(runs) < asked.times:
            runs.append(measure(recipe, environment, min(paces, key=lambda n: paces[n])))
            RESULTS.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
            print(f"{recipe}: {runs[-1]}", file=sys.stderr)
    print(table())


if __name__ == "__main__":
    main()
