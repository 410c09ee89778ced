"""Whether the remedies help: the broken GANs of `broken_gans.py`, trained again with the first remedy that is proposed.

    python benchmarks/remedies.py --data-dir DIR [--out runs/broken] [--seeds 8] [--only NAME ...] [--half tune|report]

For every sick case: train it, take the first remedy of its verdict, train the changed recipe from scratch with the same
seeds, and ask of each seed whether the finding is gone and whether its samples came nearer to the data. The distance is
the Frechet distance, or what stands for it where that is not told. What came of it is kept in
`results/remedies.json`, from which docs/diagnosis.md takes its table.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import numpy as np
import torch
from broken_gans import Case, cases, folder_of, play

from sparring.diagnosis import NOT_SURE, Diagnosis, diagnose, remedied, story_of
from sparring.errors import SparringError
from sparring.recipe import Recipe
from sparring.record import Run
from sparring.rules import Reading
from sparring.trainer import train

RESULTS = Path(__file__).parent / "results" / "remedies.json"


def cured(case: Case, recipe: Recipe, remedy: str, out: Path, data_dir: Path | None) -> Run:
    """The case trained again with a remedy."""
    folder = folder_of(out, case)
    folder = folder.with_name(f"{folder.name}--{remedy}")
    changed = Recipe.from_dict(remedied(recipe.to_dict(), remedy), recipe)
    try:
        return train(changed, folder, data_dir=data_dir, threads=1)
    except SparringError:
        if (folder / "journal.jsonl").exists() and Run(folder).story.status == "diverged":
            return Run(folder)
        raise


def nearness(run: Run) -> np.ndarray:
    """How far each member's samples are from the data in the end, `(P,)`; infinite for one that is lost."""
    reading = Reading(story_of(run))
    values = reading.distance.values
    last = np.median(values[-3:], axis=0) if len(values) else np.full(reading.members, np.inf)
    return np.where(reading.lost | ~np.isfinite(last), np.inf, last)


def told(case: Case, before: Run, verdict: Diagnosis, remedy: str, after: Run) -> dict[str, Any]:
    """Of each seed that had the finding: whether it is gone, and whether the distance fell."""
    first = verdict.findings[0]
    now = next((f for f in diagnose(after).findings if f.rule == first.rule), None)
    still = set(now.members) if now else set()
    was, became = nearness(before), nearness(after)
    index = {seed: member for member, seed in enumerate(verdict.story.seeds)}
    nearer = [seed for seed in first.members if became[index[seed]] < was[index[seed]]]
    return {
        "rule": first.rule,
        "remedy": remedy,
        "half": case.half,
        "seeds": len(first.members),
        "gone": len(set(first.members) - still),
        "nearer": len(nearer),
        "both": len(set(nearer) - still),
        "verdict_after": diagnose(after).verdict,
        "date": date.today().isoformat(),
    }


def table() -> str:
    """Markdown: for each rule, over its sick seeds, how often the first remedy helped."""
    every = list((json.loads(RESULTS.read_text()) if RESULTS.exists() else {}).values())
    if not every:
        return "Not run yet."
    lines = [
        "| finding | remedies tried | cases | seeds | finding gone | nearer to the data | both |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for rule in sorted({each["rule"] for each in every}):
        held = [each for each in every if each["rule"] == rule]
        lines.append(_row(f"`{rule}`", held))
    lines.append(_row("all", every, named=False))
    return "\n".join(lines)


def _row(title: str, held: Iterable[dict[str, Any]], named: bool = True) -> str:
    held = list(held)
    seeds = sum(each["seeds"] for each in held)
    shares = [f"{sum(each[name] for each in held) / seeds:.0%}" for name in ("gone", "nearer", "both")]
    remedies = ", ".join(f"`{name}`" for name in sorted({each["remedy"] for each in held})) if named else ""
    return f"| {title} | {remedies} | {len(held)} | {seeds} | {' | '.join(shares)} |"


def main() -> None:
    """Every sick case, before and after."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/remedies"))
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--only", nargs="*", default=[], help="cases whose name begins so; all if not given")
    parser.add_argument("--half", choices=("tune", "report"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for case in cases():
        wanted = not arguments.only or any(case.name.startswith(name) for name in arguments.only)
        there = case.data == "none" or arguments.data_dir
        if case.healthy or not wanted or not there or (arguments.half and case.half != arguments.half):
            continue
        before = play(case, arguments.out, arguments.data_dir, arguments.seeds)
        verdict = diagnose(before)
        recipe = case.recipe(arguments.seeds)
        if verdict.verdict == NOT_SURE or not verdict.findings[0].remedies:
            print(f"{case.name}: {verdict.verdict}, nothing to try", flush=True)
            continue
        remedy = verdict.findings[0].remedies[0]
        came = told(case, before, verdict, remedy, cured(case, recipe, remedy, arguments.out, arguments.data_dir))
        every = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(every | {case.name: came}, indent=1) + "\n")
        words = f"{came['rule']}, {remedy}: gone in {came['gone']}, nearer in {came['nearer']} of {came['seeds']}"
        print(f"{case.name}: {words}, now {came['verdict_after']}", flush=True)


if __name__ == "__main__":
    main()
