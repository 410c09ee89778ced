"""Break GANs on purpose, in known ways, and check whether the diagnosis names what was broken.

    python benchmarks/broken_gans.py --data-dir DIR [--out runs/broken] [--only NAME ...] [--part tune|report]

Every case is a recipe that trains well, or one small change to it, with its correct verdicts: the first names what was
broken, the others what follows from it. Healthy GANs are cases too. Thresholds were chosen on the part `tune`. The part
`report` was fixed, with its correct verdicts, when the rules were finished, and run once: it is what counts. A change
that was meant to spoil the samples, and left them about as near to the data as the unchanged recipe's, broke nothing:
it is listed and not counted.

It first prints how long it will take; runs resume where they were when the script is started again, and finished runs
are reused. Verdicts are saved in `results/broken-gans.json`, from which docs/diagnosis-measured.md takes its tables.
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
from broken_cases import EQUILIBRIUM, MEMORIZATION, OVERFITTING, SEEDS, UNCHANGED, Case, cases

from sparring import catalogue
from sparring.analysis.diagnosis import NOT_SURE, diagnose, story_of
from sparring.errors import SparringError
from sparring.game.assembly import game_of
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.rules import Signals
from sparring.training import train

RESULTS = Path(__file__).parent / "results" / "broken-gans.json"
PACED = 0.3
"""Seconds of rounds from which the duration of a training is estimated."""
SPOILED = 1.5
"""Samples count as spoiled from this multiple of the unchanged recipe's distance from the data."""


def folder_of(out: Path, case: Case) -> Path:
    """The folder of a case's run."""
    return out / case.name.replace(",", "").replace("'", "").replace("/", "by").replace(" ", "-").lower()


def play(case: Case, out: Path, data_dir: Path | None, seeds: int = SEEDS) -> RunFolder:
    """Train it, resume it, or open the finished run."""
    return trained(case.recipe(seeds), folder_of(out, case), data_dir)


def trained(recipe: Recipe, folder: Path, data_dir: Path | None) -> RunFolder:
    """Train a run to its end. A run whose every seed diverged counts as finished."""
    try:
        run = train(recipe, folder, data_dir=data_dir, threads=1)
    except SparringError:
        if is_done(folder):
            return RunFolder(folder)
        raise
    if not is_done(folder):
        sys.exit("stopped after saving a checkpoint; run the same command again to resume")
    return run


def is_done(folder: Path) -> bool:
    """Whether the run is finished or diverged."""
    return RunFolder(folder).exists and RunFolder(folder).story.status in ("finished", "diverged")


def seconds_of(recipe: Recipe, data_dir: Path | None) -> float:
    """About how long a training will take, estimated from its first rounds."""
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


def nearness(run: RunFolder) -> np.ndarray:
    """How far each member's samples are from the data in the end, `(P,)`; infinite for one that diverged.

    For points about modes, this is the distance to the nearest training example: their Fréchet distance depends on
    nothing but mean and covariance.
    """
    signals = Signals(story_of(run))
    values = signals.metric("nearest-neighbor") if signals.has("high-quality") else signals.distance.values
    count = min(3, max(1, len(values) // 2))  # of two evaluations, the first is too early
    last = np.median(values[-count:], axis=0) if len(values) else np.full(signals.members, np.inf)
    return np.where(signals.diverged | ~np.isfinite(last), np.inf, last)


def entry_of(case: Case, run: RunFolder) -> dict[str, Any]:
    """The diagnosis of a case, beside its correct verdicts."""
    diagnosis = diagnose(run)
    distance = float(np.median(nearness(run)))
    return {
        "part": case.part,
        "right": list(case.right),
        "verdict": diagnosis.verdict,
        "findings": {f.rule: len(f.members) for f in diagnosis.findings},
        "seeds": len(diagnosis.story.seeds),
        "rounds": diagnosis.story.round,
        "distance": float(f"{distance:.4g}") if np.isfinite(distance) else None,
        "unchanged": UNCHANGED.get(case.base),
        "seconds": round(diagnosis.story.seconds, 1),
        "date": date.today().isoformat(),
    }


# Tables, for docs/diagnosis-measured.md.


def all_stored() -> dict[str, dict[str, Any]]:
    """The stored results, in the order of the cases."""
    every = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return {case.name: every[case.name] for case in cases() if case.name in every}


def stored(part: str) -> dict[str, dict[str, Any]]:
    """The results of a part, each with its distance from the data as a multiple (`times`) of the unchanged recipe's."""
    every = all_stored()
    return {name: {**each, "times": _times(each, every)} for name, each in every.items() if each["part"] == part}


def _times(each: dict[str, Any], every: dict[str, dict[str, Any]]) -> float | None:
    """Infinite where every seed diverged; None where the unchanged recipe was not run."""
    usual = every.get(each["unchanged"], {}).get("distance")
    if not usual:
        return None
    return math.inf if each["distance"] is None else each["distance"] / usual


def counts(each: dict[str, Any]) -> bool:
    """Whether the case counts: a change that was meant to spoil the samples did spoil them."""
    hidden = EQUILIBRIUM in each["right"] or each["right"][0] in (OVERFITTING, MEMORIZATION)
    return hidden or each["times"] is None or each["times"] >= SPOILED


def cases_in_markdown(part: str) -> str:
    """Every case of a part: how far off its samples were, the correct verdicts, and the verdict."""
    lines = [
        "| case | seeds | rounds | distance, relative to the unchanged recipe's | correct | verdict | also found |",
        "| --- | ---: | ---: | ---: | --- | --- | --- |",
    ]
    for name, each in stored(part).items():
        verdict = each["verdict"]
        mark = f"`{verdict}`" if verdict in each["right"] or not counts(each) else f"**`{verdict}`**"
        also = ", ".join(f"`{rule}`" for rule in each["findings"] if rule != verdict)
        right = " or ".join(f"`{rule}`" for rule in each["right"]) if counts(each) else "(broke nothing)"
        far = "–" if each["times"] is None else "diverged" if math.isinf(each["times"]) else f"{each['times']:.2g}"
        lines.append(f"| {name} | {each['seeds']} | {each['rounds']:,} | {far} | {right} | {mark} | {also} |")
    return "\n".join(lines)


def matrix_in_markdown(part: str) -> str:
    """Confusion matrix: a row for what was broken (the first correct verdict), a column for each verdict."""
    every = [each for each in stored(part).values() if counts(each)]
    columns = [name for name in (*catalogue.entries("rules"), NOT_SURE) if any(e["verdict"] == name for e in every)]
    rows = [name for name in catalogue.entries("rules") if any(e["right"][0] == name for e in every)]
    lines = [f"| broken | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    for row in rows:
        verdicts = Counter(each["verdict"] for each in every if each["right"][0] == row)
        lines.append(f"| {row} | {' | '.join(str(verdicts[c]) if verdicts[c] else '' for c in columns)} |")
    return "\n".join(lines)


def score(part: str) -> tuple[int, int, int, int]:
    """Correct verdicts, verdicts, broken GANs that were called healthy, healthy ones that were called broken."""
    every = [each for each in stored(part).values() if counts(each)]
    sick, healthy = ([e for e in every if (EQUILIBRIUM in e["right"]) == good] for good in (False, True))
    called_healthy = sum(e["verdict"] == EQUILIBRIUM for e in sick)
    called_sick = sum(e["verdict"] not in (*e["right"], NOT_SURE) for e in healthy)
    return sum(e["verdict"] in e["right"] for e in every), len(every), called_healthy, called_sick


def score_in_words(part: str) -> str:
    """How many verdicts were correct, and how often a broken GAN was called healthy or the reverse."""
    every = [each for each in stored(part).values() if counts(each)]
    if not every:
        return f"The part `{part}` was not run."
    sick, healthy = ([e for e in every if (EQUILIBRIUM in e["right"]) == good] for good in (False, True))
    right, _, called_healthy, called_sick = score(part)
    first = sum(e["verdict"] == e["right"][0] for e in sick)
    there = sum(case.part == part for case in cases())
    done = "" if len(stored(part)) == there else f" {len(stored(part))} of its {there} cases were run."
    return (
        f"Part `{part}`: {right} of {len(every)} verdicts are correct ({right / len(every):.0%}). Of {len(sick)} "
        f"broken GANs, {first} verdicts name exactly what was broken, and {called_healthy} call the GAN healthy. "
        f"{called_sick} of {len(healthy)} healthy GANs are called broken.{done}"
    )


def write(path: Path, name: str, entry: dict[str, Any]) -> None:
    """Add one entry to a file of results."""
    every = json.loads(path.read_text()) if path.exists() else {}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(every | {name: entry}, indent=1) + "\n")


def chosen(arguments: argparse.Namespace) -> list[Case]:
    """The cases that the flags select and whose data is available."""
    return [
        case
        for case in cases()
        if (not arguments.only or any(case.name.startswith(name) for name in arguments.only))
        and (arguments.data_dir or not case.needs_files)
        and (not arguments.part or case.part == arguments.part)
        and (not arguments.done or is_done(folder_of(arguments.out, case)))
    ]


def flags(doc: str, out: str) -> argparse.ArgumentParser:
    """A parser with the flags that select cases."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--out", type=Path, default=Path(out))
    parser.add_argument("--only", nargs="*", default=[], help="cases whose name begins so; by default all")
    parser.add_argument("--part", choices=("tune", "report"))
    parser.add_argument("--done", action="store_true", help="only cases that have been trained: diagnose them again")
    return parser


def main() -> None:
    """Train what is missing, diagnose each case, and save after every case."""
    arguments = flags(__doc__ or "", "runs/broken").parse_args()
    torch.set_num_threads(1)
    wanted = chosen(arguments)
    missing = [case for case in wanted if not is_done(folder_of(arguments.out, case))]
    left = {case.name: seconds_of(case.recipe(), arguments.data_dir) for case in missing}
    print(f"{len(missing)} of {len(wanted)} cases to train, about {in_words(sum(left.values()))}", flush=True)
    for case in wanted:
        entry = entry_of(case, play(case, arguments.out, arguments.data_dir))
        left.pop(case.name, None)
        write(RESULTS, case.name, entry)
        correct = "right" if entry["verdict"] in case.right else "WRONG"
        rest = f" ({in_words(sum(left.values()))} left)" if left else ""
        print(f"{case.part:<7}{correct:<6}{case.name}: {entry['verdict']}{rest}", flush=True)
    for part in ("tune", "report"):
        print(score_in_words(part))


if __name__ == "__main__":
    main()
