"""What bfloat16 does to speed and to samples: the same recipes from the same seeds in both precisions.

    python benchmarks/precision.py --data-dir DIR [--only RECIPE ...] [--seeds N]

Each seed is trained twice, from the same weights and with the same random numbers, on one thread, with rounds compiled
(before timing starts). Samples of both are measured beside held-out real data: Fréchet distance, and the share that the
judge classifies with more than 90 % confidence. Results go to `results/precision.json`, from which `make docs` takes a
table.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from datetime import date
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import torch
from broken_gans import write
from rounds import processor
from time_to_quality import SAMPLES, Real, scores

from sparring.game.assembly import game_of
from sparring.game.compile.plan import plan
from sparring.game.runtime import keep_freed_memory, preserving_torch_rng, threads_set
from sparring.recipe import PRECISIONS, find_recipe
from sparring.training.trainer import CURVE_STEP

RESULTS = Path(__file__).parent / "results" / "precision.json"
PLAYED = {"fashion-fc": (8, None), "mnist-fast": (8, None), "mnist-reference": (2, 2_814)}
"""Recipe -> seeds, and rounds where they are fewer than the recipe's."""


def trained_seed(name: str, seed: int, precision: str, real: Real) -> dict[str, Any]:
    """Train one seed in one precision."""
    recipe = find_recipe(name).replace(seeds=(seed,), precision=precision)
    game = game_of(recipe, recipe.data.open(real.data_dir, "cpu"))
    how = plan(game, True, recipe.id)
    began = time.perf_counter()
    how.play_to(PLAYED[name][1] or recipe.rounds, CURVE_STEP)
    milliseconds = (time.perf_counter() - began) / game.round * 1e3
    return {"milliseconds": milliseconds, "compiled": how.compiled, "rounds": game.round, **scores(game, recipe, real)}


def table() -> str:
    """Markdown: both precisions, with the spread over seeds."""
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not stored:
        return "Not run yet."
    lines = [
        "| recipe | seeds | rounds | precision | milliseconds per round | Fréchet distance | confident |",
        "| --- | ---: | ---: | --- | ---: | --- | --- |",
    ]
    for name in (name for name in PLAYED if name in stored):
        runs = stored[name]["runs"]
        for precision in PRECISIONS:
            mine = [run[precision] for run in runs]
            pace = f"{median(run['milliseconds'] for run in mine):.2f}"
            distance, sure = (_spread([run[k] * f for run in mine]) for k, f in (("distance", 1), ("sure", 100)))
            cells = (f"`{name}`", len(runs), f"{mine[0]['rounds']:,}", precision, pace, distance, f"{sure} %")
            lines.append(f"| {' | '.join(map(str, cells))} |")
    last = next(reversed(stored.values()))
    lines += [
        "",
        f"Mean ± SD over seeds; {SAMPLES:,} samples of each. Milliseconds: medians, on one thread beside other work; "
        f"they exclude pictures, evaluations and checkpoints. {last['processor']}, torch {torch.__version__}, "
        f"{last['date']}.",
    ]
    return "\n".join(lines)


def _spread(values: list[float]) -> str:
    return f"{mean(values):.2f} ± {stdev(values):.2f}" if len(values) > 1 else f"{values[0]:.2f}"


def main() -> None:
    """Train, measure and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=list(PLAYED))
    parser.add_argument("--seeds", type=int, help="in place of each recipe's own number")
    asked = parser.parse_args()
    keep_freed_memory()
    for name in asked.only:
        real = Real(asked.data_dir, find_recipe(name).data)
        entry: dict[str, Any] = {"date": date.today().isoformat(), "processor": processor(), "runs": []}
        for seed in range(asked.seeds or PLAYED[name][0]):
            with threads_set(1), preserving_torch_rng():
                run = {precision: trained_seed(name, seed, precision, real) for precision in PRECISIONS}
            entry["runs"].append({"seed": seed, **run})
            print(name, seed, {p: {k: round(v, 3) for k, v in r.items()} for p, r in run.items()}, flush=True)
            write(RESULTS, name, entry)
    print(table())


if __name__ == "__main__":
    main()
