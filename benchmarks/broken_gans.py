"""Break GANs on purpose, in known ways, and see whether the diagnosis says what was broken.

    python benchmarks/broken_gans.py --data-dir DIR [--out runs/broken] [--only NAME ...] [--part tune|report]

Every case is a recipe that trains well, or one small change to it, with the names that are right for what was done: the
first names what was broken, the others what follows from it. Healthy GANs are cases too. Thresholds were chosen by
looking at the part `tune`. The part `report` was written down, with its right names, when the rules were finished, and
run once: it is what counts. A change that was to spoil the samples, and left them about as near to the data as the
unchanged recipe's, broke nothing: it is told and not counted.

It says first how long it will take; each run goes on where it was when the script is started again, and those that are
done are opened. What was said is kept in `results/broken-gans.json`, from which docs/diagnosis.md takes its tables.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import numpy as np
import torch
from broken_cases import EQUILIBRIUM, MEMORISATION, OVERFITTING, SEEDS, UNCHANGED, Case, cases

from sparring import catalogue
from sparring.analysis.diagnosis import NOT_SURE, diagnose, story_of
from sparring.errors import SparringError
from sparring.game.assembly import game_of
from sparring.recipe import Recipe
from sparring.record import Run
from sparring.rules import Signals
from sparring.training.trainer import train

RESULTS = Path(__file__).parent / "results" / "broken-gans.json"
PACED = 0.3
"""Seconds of rounds by which a training's length is foretold."""
SPOILT = 1.5
"""Times the unchanged recipe's distance from the data, from which on samples are spoilt."""


def folder_of(out: Path, case: Case) -> Path:
    """Where a case's run lies."""
    return out / case.name.replace(",", "").replace("'", "").replace("/", "by").replace(" ", "-").lower()


def play(case: Case, out: Path, data_dir: Path | None, seeds: int = SEEDS) -> Run:
    """Train it, or go on, or open what is there."""
    return trained(case.recipe(seeds), folder_of(out, case), data_dir)


def trained(recipe: Recipe, folder: Path, data_dir: Path | None) -> Run:
    """A run to its end. One of which every seed diverged is a run too."""
    try:
        run = train(recipe, folder, data_dir=data_dir, threads=1)
    except SparringError:
        if is_done(folder):
            return Run(folder)
        raise
    if not is_done(folder):
        sys.exit("stopped and saved; the same command goes on")
    return run


def is_done(folder: Path) -> bool:
    """Whether nothing is left to train."""
    return Run(folder).exists and Run(folder).story.status in ("finished", "diverged")


def seconds_of(recipe: Recipe, data_dir: Path | None) -> float:
    """About how long a training will take, by its first rounds."""
    game = game_of(recipe, recipe.data.open(data_dir, "cpu"))
    game.play()
    began, rounds = time.perf_counter(), 0
    while rounds == 0 or (time.perf_counter() - began < PACED and rounds < recipe.rounds):
        game.play()
        rounds += 1
    return (time.perf_counter() - began) / rounds * recipe.rounds


def in_words(seconds: float) -> str:
    """`40 s`, `12 min`."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def nearness(run: Run) -> np.ndarray:
    """How far each member's samples are from the data in the end, `(P,)`; infinite for one that is lost.

    Of points about modes, by the nearest training example: their Frechet distance sees no more than mean and spread.
    """
    signals = Signals(story_of(run))
    values = signals.figure("nearest-neighbor") if signals.has("high-quality") else signals.distance.values
    looks = min(3, max(1, len(values) // 2))  # the first of two is no end
    last = np.median(values[-looks:], axis=0) if len(values) else np.full(signals.members, np.inf)
    return np.where(signals.lost | ~np.isfinite(last), np.inf, last)


def told(case: Case, run: Run) -> dict[str, Any]:
    """What the diagnosis said of a case."""
    said = diagnose(run)
    away = float(np.median(nearness(run)))
    return {
        "part": case.part,
        "right": list(case.right),
        "verdict": said.verdict,
        "findings": {f.rule: len(f.members) for f in said.findings},
        "seeds": len(said.story.seeds),
        "rounds": said.story.round,
        "distance": float(f"{away:.4g}") if np.isfinite(away) else None,
        "unchanged": UNCHANGED.get(case.base),
        "seconds": round(said.story.seconds, 1),
        "date": date.today().isoformat(),
    }


# Tables, for docs/diagnosis.md.


def kept() -> dict[str, dict[str, Any]]:
    """What was last measured, case by case, in the order of the cases."""
    every = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return {case.name: every[case.name] for case in cases() if case.name in every}


def held(part: str) -> dict[str, dict[str, Any]]:
    """Those of a part, each with its distance from the data as `times` that of the unchanged recipe."""
    every = kept()
    return {name: {**each, "times": _times(each, every)} for name, each in every.items() if each["part"] == part}


def _times(each: dict[str, Any], every: dict[str, dict[str, Any]]) -> float | None:
    """Infinite where no sample is left; None where the unchanged recipe was not run."""
    usual = every.get(each["unchanged"], {}).get("distance")
    if not usual:
        return None
    return math.inf if each["distance"] is None else each["distance"] / usual


def counts(each: dict[str, Any]) -> bool:
    """Whether the case is what it was meant to be: a change to the samples shows in them."""
    hidden = EQUILIBRIUM in each["right"] or each["right"][0] in (OVERFITTING, MEMORISATION)
    return hidden or each["times"] is None or each["times"] >= SPOILT


def cases_in_markdown(part: str) -> str:
    """Every case of a part: how far off its samples were, what was right, what was said."""
    lines = [
        "| case | seeds | rounds | distance, times the unchanged recipe's | right | said | also found |",
        "| --- | ---: | ---: | ---: | --- | --- | --- |",
    ]
    for name, each in held(part).items():
        said = each["verdict"]
        mark = f"`{said}`" if said in each["right"] or not counts(each) else f"**`{said}`**"
        also = ", ".join(f"`{rule}`" for rule in each["findings"] if rule != said)
        right = " or ".join(f"`{rule}`" for rule in each["right"]) if counts(each) else "(broke nothing)"
        far = "–" if each["times"] is None else "lost" if math.isinf(each["times"]) else f"{each['times']:.2g}"
        lines.append(f"| {name} | {each['seeds']} | {each['rounds']:,} | {far} | {right} | {mark} | {also} |")
    return "\n".join(lines)


def matrix_in_markdown(part: str) -> str:
    """Confusion matrix: a row for what was broken (the first of the right names), a column for what was said."""
    every = [each for each in held(part).values() if counts(each)]
    columns = [name for name in (*catalogue.entries("rules"), NOT_SURE) if any(e["verdict"] == name for e in every)]
    rows = [name for name in catalogue.entries("rules") if any(e["right"][0] == name for e in every)]
    lines = [f"| broken | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    for row in rows:
        said = Counter(each["verdict"] for each in every if each["right"][0] == row)
        lines.append(f"| {row} | {' | '.join(str(said[c]) if said[c] else '' for c in columns)} |")
    return "\n".join(lines)


def score_in_words(part: str) -> str:
    """How many were right at the top, how many sick were called healthy and healthy sick."""
    every = [each for each in held(part).values() if counts(each)]
    if not every:
        return f"The part `{part}` was not run."
    sick, healthy = ([e for e in every if (EQUILIBRIUM in e["right"]) == good] for good in (False, True))
    right = sum(e["verdict"] in e["right"] for e in every)
    first = sum(e["verdict"] == e["right"][0] for e in sick)
    called_healthy = sum(e["verdict"] == EQUILIBRIUM for e in sick)
    called_sick = sum(e["verdict"] not in (EQUILIBRIUM, NOT_SURE) for e in healthy)
    there = sum(case.part == part for case in cases())
    done = "" if len(held(part)) == there else f" {len(held(part))} of its {there} cases were run."
    return (
        f"Part `{part}`: {right} of {len(every)} right at the top ({right / len(every):.0%}), and of {len(sick)} sick "
        f"ones {first} by the very name of what was broken; {called_healthy} of {len(sick)} sick ones called healthy; "
        f"{called_sick} of {len(healthy)} healthy ones called sick.{done}"
    )


def write(path: Path, name: str, said: dict[str, Any]) -> None:
    """One more entry in a file of results."""
    every = json.loads(path.read_text()) if path.exists() else {}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(every | {name: said}, indent=1) + "\n")


def chosen(arguments: argparse.Namespace) -> list[Case]:
    """The cases that the flags name and whose data is there."""
    return [
        case
        for case in cases()
        if (not arguments.only or any(case.name.startswith(name) for name in arguments.only))
        and (arguments.data_dir or not case.needs_files)
        and (not arguments.part or case.part == arguments.part)
        and (not arguments.done or is_done(folder_of(arguments.out, case)))
    ]


def flags(doc: str, out: str) -> argparse.ArgumentParser:
    """Those that choose cases."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--out", type=Path, default=Path(out))
    parser.add_argument("--only", nargs="*", default=[], help="cases whose name begins so; all if not given")
    parser.add_argument("--part", choices=("tune", "report"))
    parser.add_argument("--done", action="store_true", help="only cases that were trained: diagnose them again")
    return parser


def main() -> None:
    """Train what is missing, diagnose each, keep what was said after every case."""
    arguments = flags(__doc__ or "", "runs/broken").parse_args()
    torch.set_num_threads(1)
    wanted = chosen(arguments)
    missing = [case for case in wanted if not is_done(folder_of(arguments.out, case))]
    left = {case.name: seconds_of(case.recipe(), arguments.data_dir) for case in missing}
    print(f"{len(missing)} of {len(wanted)} cases to train, about {in_words(sum(left.values()))}", flush=True)
    for case in wanted:
        said = told(case, play(case, arguments.out, arguments.data_dir))
        left.pop(case.name, None)
        write(RESULTS, case.name, said)
        right = "right" if said["verdict"] in case.right else "WRONG"
        rest = f" ({in_words(sum(left.values()))} left)" if left else ""
        print(f"{case.part:<7}{right:<6}{case.name}: {said['verdict']}{rest}", flush=True)
    for part in ("tune", "report"):
        print(score_in_words(part))


if __name__ == "__main__":
    main()
