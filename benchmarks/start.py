"""How long a run takes to begin: from the command to its first round.

    python benchmarks/start.py [--only RECIPE ...] [--times N] [--data-dir DIR]

Every start is a process of its own, as a user would start it, with evaluations and pictures. Three kinds take turns: a
run without compilation; the first compiled run, with an empty cache; and the second, whose code is cached. For
comparison, a process loads torch and does nothing else. Timing ends at the journal's first log event, which comes
before the first round. Results are saved in `results/start.json`, from which docs/speed.md takes its table.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

from rounds import processor

from sparring.record import RunFolder

RESULTS = Path(__file__).parent / "results" / "start.json"
KINDS = {"not compiled": "--no-compile", "compiled, the first time": "--compile", "compiled, kept": "--compile"}
TITLES = {"compiled, kept": "compiled, cached"}
"""A kind's name in the results -> its title in the table, where they differ."""
TORCH = "torch, loaded alone"


def seconds_to_begin(recipe: str, flag: str, cache: Path, folder: Path, data_dir: Path | None) -> float:
    """Seconds until the run in `folder` has begun; it is then stopped."""
    command = [sys.executable, "-m", "sparring", "train", recipe, "--out", str(folder), flag]
    command += ["--data-dir", str(data_dir)] if data_dir else []
    began = time.time()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=os.environ | {"XDG_CACHE_HOME": str(cache)}, **quiet)
    try:
        while not (first := first_log_point(folder)):
            if process.poll() not in (None, 0):
                raise SystemExit(f"{' '.join(command)} failed")
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    return first - began


def first_log_point(folder: Path) -> float | None:
    """When the first log event was written, in seconds since 1970; None before that."""
    run = RunFolder(folder)
    if not run.exists or not (folder / "journal.jsonl").exists():
        return None
    return next((event["at"] for event in run.story.events if event["event"] == "log"), None)


def seconds_of_torch() -> float:
    """Seconds that a process takes to import torch."""
    code = "import time; began = time.perf_counter(); import torch; print(time.perf_counter() - began)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def measured(recipe: str, times: int, data_dir: Path | None) -> dict[str, list[float]]:
    """Seconds of every start of each kind."""
    entry: dict[str, list[float]] = {TORCH: [], **{kind: [] for kind in KINDS}}
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            entry[TORCH].append(seconds_of_torch())
            for number, (kind, flag) in enumerate(KINDS.items()):
                run = Path(folder) / f"run-{number}"
                entry[kind].append(seconds_to_begin(recipe, flag, Path(folder), run, data_dir))
    return {kind: [round(second, 3) for second in seconds] for kind, seconds in entry.items()}


def table() -> str:
    """Markdown: medians, with minimum and maximum."""
    if not RESULTS.exists():
        return "Not measured yet."
    stored = json.loads(RESULTS.read_text())
    kinds = [TORCH, *KINDS]
    lines = [f"| recipe | {' | '.join(TITLES.get(kind, kind) for kind in kinds)} |", f"| --- |{' ---: |' * len(kinds)}"]
    for recipe, entry in stored["recipes"].items():
        cells = [f"{median(entry[k]):.2f} ({min(entry[k]):.2f} to {max(entry[k]):.2f})" for k in kinds]
        lines.append(f"| `{recipe}` | {' | '.join(cells)} |")
    times = len(next(iter(stored["recipes"].values()))[TORCH])
    return "\n".join(
        [*lines, "", f"Seconds: median (min to max) of {times} starts. {stored['machine']}, {stored['date']}."]
    )


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=["pattern-1010", "digits"])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--data-dir", type=Path)
    asked = parser.parse_args()
    found = {recipe: measured(recipe, asked.times, asked.data_dir) for recipe in asked.only}
    machine = f"{processor()}, cores: {len(os.sched_getaffinity(0))}, torch {version('torch')}"
    entry = {"date": date.today().isoformat(), "machine": machine, "recipes": found}
    RESULTS.write_text(json.dumps(entry, indent=1) + "\n")
    print(table())


if __name__ == "__main__":
    main()
