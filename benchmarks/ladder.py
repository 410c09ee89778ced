"""Train every recipe of the write-ups with several seeds each, and save the results.

    python benchmarks/ladder.py --data-dir DIR --out runs/ladder [--seeds 4] [--budget SECONDS] [--only NAME ...]

A recipe whose training would take longer than the budget is shortened to the rounds that fit; the results say which
recipes were shortened, and to what. Tricks that fade over the run fade over the shorter run. Runs resume where they
were when the script is started again. Results are written to `results/ladder.json`, from which docs/ladder.md is made.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from datetime import date
from pathlib import Path
from statistics import mean, stdev
from typing import Any

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import torch

from sparring import catalogue
from sparring.analysis.generators import sample
from sparring.analysis.measure import keep, measure
from sparring.game.assembly import game_of, threads_for
from sparring.game.runtime import threads_set
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder, write_atomically
from sparring.record.grid import save_grid
from sparring.report import summary, write_report
from sparring.training import train

RESULTS = Path(__file__).parent / "results" / "ladder.json"
PICTURES = Path(__file__).parents[1] / "docs" / "pictures" / "ladder"
PICTURED_SEEDS, PICTURED_EXAMPLES = 4, 16
MEASURED = 1_000
"""Examples of each member that are measured."""
SHOWN = ("frechet-distance", "precision", "recall", "confidence", "modes", "class-divergence", "copying")
"""Metrics in the table; the others are in the runs' own measures.json."""
LADDER = [c.name for c in catalogue.entries("recipes").values() if c.facts["source"].startswith("write-up")]


def round_seconds(recipe: Recipe, data_dir: Path) -> float:
    """Seconds of one round, measured on the second of two, or on more where rounds are short."""
    game = game_of(recipe, recipe.data.open(data_dir, "cpu"))
    game.play()
    began, rounds = time.perf_counter(), 0
    while rounds == 0 or (time.perf_counter() - began < 2 and rounds < 200):
        game.play()
        rounds += 1
    return (time.perf_counter() - began) / rounds


def cut(recipe: Recipe, data_dir: Path, budget: float) -> Recipe:
    """The recipe at its own length, or at the length that fits the budget."""
    with threads_set(threads_for(recipe)):
        affordable = int(budget / round_seconds(recipe, data_dir))
    if affordable >= recipe.rounds:
        return recipe
    return recipe.replace(rounds=max(2, affordable), log_points=min(recipe.log_points, max(2, affordable)))


def climb(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train one recipe and return its results."""
    folder = arguments.out / name
    whole = find_recipe(name).replace(seeds=arguments.seeds)
    if (folder / "recipe.json").exists():
        recipe = Recipe.from_json(RunFolder(folder).recipe_json)
    else:
        recipe = cut(whole, arguments.data_dir, arguments.budget)
    run = train(recipe, folder, data_dir=arguments.data_dir)
    measured = measure(run, MEASURED, data_dir=arguments.data_dir)
    keep(measured)
    write_report(run)
    examples = sample(run, PICTURED_EXAMPLES)[:PICTURED_SEEDS]
    write_atomically(PICTURES / f"{name}.png", lambda path: save_grid(examples, path, recipe.seeds))
    entry = summary(run)
    kept = ("seeds", "rounds", "seconds", "rounds_per_second", "curves", "equilibrium", "diverged", "ends", "made_with")
    facts = {"rounds_in_full": whole.rounds, "date": date.today().isoformat(), "measured": measured.plain()}
    return facts | {k: entry[k] for k in kept if k in entry}


def table() -> str:
    """Markdown: the last measured result of every recipe of the ladder."""
    stored = json.loads(RESULTS.read_text())
    lines = [
        "| recipe | seeds | rounds | D's loss (at equilibrium) | G's loss | D(real) | D(fake) |",
        "| --- | ---: | ---: | --- | --- | --- | --- |",
    ]
    for name in (n for n in LADDER if n in stored):
        entry = stored[name]
        level = entry["curves"]["d_loss"]["equilibrium"]
        cells = [_cell(entry["curves"][curve]) for curve in ("d_loss", "g_loss", "d_real", "d_fake")]
        rounds = f"{entry['rounds']:,}" + (f" of {entry['rounds_in_full']:,}" if _is_cut(entry) else "")
        lines.append(
            f"| `{name}` | {len(entry['seeds'])} | {rounds} | {cells[0]} ({level:.3g}) | {' | '.join(cells[1:])} |"
        )
    dates = sorted({entry["date"] for entry in stored.values()})
    return "\n".join([*lines, "", f"Mean ± SD over seeds of the last 5 % of each run. Measured on {', '.join(dates)}."])


def quality() -> str:
    """Markdown: sample-quality metrics of every recipe of the ladder, beside the scores of real data."""
    stored = {name: entry for name, entry in json.loads(RESULTS.read_text()).items() if "measured" in entry}
    metrics = {n: m for entry in stored.values() for n, m in entry["measured"]["metrics"].items() if n in SHOWN}
    titles = [f"{metrics[n]['title']} ({metrics[n]['better']} is better)" for n in SHOWN if n in metrics]
    lines = [
        "| recipe | seeds | n | judge | " + " | ".join(titles) + " |",
        "| --- | ---: | ---: | --- |" + " --- |" * len(titles),
    ]
    for name in (n for n in LADDER if n in stored):
        measured = stored[name]["measured"]
        cells = [_quality_cell(measured["metrics"].get(n)) for n in SHOWN if n in metrics]
        seeds, judge = len(measured["seeds"]), measured["judge"] or "none"
        lines.append(f"| `{name}` | {seeds} | {measured['n']:,} | {judge} | {' | '.join(cells)} |")
    return "\n".join(
        [*lines, "", "Mean ± SD over seeds, and in parentheses the score of held-out real data at the same n."]
    )


def _quality_cell(metric: dict[str, Any] | None) -> str:
    if metric is None:
        return "–"
    members = [value for value in metric["members"] if value is not None]
    if not members:
        return "diverged"
    spread = f" ± {stdev(members):.3g}" if len(members) > 1 else ""
    return f"{mean(members):.3g}{spread} ({metric['real']:.3g})"


def _is_cut(entry: dict[str, Any]) -> bool:
    return entry["rounds"] < entry["rounds_in_full"]


def _cell(curve: dict[str, Any]) -> str:
    return f"{curve['mean']:.3f} ± {curve['sd']:.3f}" if curve["sd"] is not None else f"{curve['mean']:.3f}"


def main() -> None:
    """Train them all, saving the results after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/ladder"))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--budget", type=float, default=3600.0, help="seconds of training for one recipe")
    parser.add_argument("--only", nargs="*", default=LADDER, help="recipes; all of the ladder if not given")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.only:
        entry = climb(name, arguments)
        stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(stored | {name: entry}, indent=1) + "\n")
        print(f"{name}: {entry['rounds']} of {entry['rounds_in_full']} rounds in {entry['seconds']:.0f} s", flush=True)


if __name__ == "__main__":
    main()
