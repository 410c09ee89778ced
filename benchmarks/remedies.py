"""Whether the remedies help: the broken GANs of `broken_gans.py`, trained again with the first proposed remedy.

    python benchmarks/remedies.py --data-dir DIR [--out runs/remedies] [--seeds 8] [--only NAME ...] [--part PART]

For every broken case: train it, take the first remedy of its verdict, train the changed recipe from scratch with the
same seeds, and check for each seed whether the finding is gone and whether its samples came nearer to the data. The
distance is the Fréchet distance, or its substitute (`nearness` in `broken_gans.py`). It first prints how long the
broken cases will take, and then the same for each remedy; runs resume where they were when the script is started again.
Results are saved in `results/remedies.json`, from which docs/diagnosis.md takes its tables.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import torch
from broken_cases import Case, cases
from broken_gans import (
    chosen,
    flags,
    folder_of,
    in_words,
    is_done,
    nearness,
    play,
    seconds_of,
    trained,
    write,
)

from sparring.analysis.diagnosis import NOT_SURE, Diagnosis, diagnose, remedied
from sparring.record import RunFolder

RESULTS = Path(__file__).parent / "results" / "remedies.json"


def outcome(case: Case, before: RunFolder, verdict: Diagnosis, remedy: str, after: RunFolder) -> dict[str, Any]:
    """For the seeds that had the finding: in how many it is gone, and in how many the distance fell."""
    first = verdict.findings[0]
    now = next((f for f in diagnose(after).findings if f.rule == first.rule), None)
    remaining = set(now.members) if now else set()
    was, became = nearness(before), nearness(after)
    index = {seed: member for member, seed in enumerate(verdict.story.seeds)}
    nearer = [seed for seed in first.members if became[index[seed]] < was[index[seed]]]
    return {
        "rule": first.rule,
        "remedy": remedy,
        "part": case.part,
        "seeds": len(first.members),
        "gone": len(set(first.members) - remaining),
        "nearer": len(nearer),
        "both": len(set(nearer) - remaining),
        "verdict_after": diagnose(after).verdict,
        "date": date.today().isoformat(),
    }


def table() -> str:
    """Markdown: for each rule, over the seeds that had its finding, how often the first remedy helped."""
    every = list(_stored().values())
    if not every:
        return "Not run yet."
    lines = [
        "| finding | remedies tried | cases | seeds | finding gone | nearer to the data | both |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for rule in sorted({each["rule"] for each in every}):
        entries = [each for each in every if each["rule"] == rule]
        lines.append(_row(f"`{rule}`", entries))
    lines.append(_row("all", every, named=False))
    return "\n".join(lines)


def cases_in_markdown() -> str:
    """Every broken case, its remedy, and the verdict afterwards."""
    lines = [
        "| case | finding | remedy | seeds | finding gone | nearer to the data | verdict afterwards |",
        "| --- | --- | --- | ---: | ---: | ---: | --- |",
    ]
    for name, each in _stored().items():
        numbers = f"{each['seeds']} | {each['gone']} | {each['nearer']}"
        lines.append(f"| {name} | `{each['rule']}` | `{each['remedy']}` | {numbers} | `{each['verdict_after']}` |")
    return "\n".join(lines)


def _stored() -> dict[str, dict[str, Any]]:
    """The stored results, in the order of the cases."""
    every = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return {case.name: every[case.name] for case in cases() if case.name in every}


def _row(title: str, entries: Iterable[dict[str, Any]], named: bool = True) -> str:
    entries = list(entries)
    seeds = sum(each["seeds"] for each in entries)
    shares = [f"{sum(each[name] for each in entries) / seeds:.0%}" for name in ("gone", "nearer", "both")]
    remedies = ", ".join(f"`{name}`" for name in sorted({each["remedy"] for each in entries})) if named else ""
    return f"| {title} | {remedies} | {len(entries)} | {seeds} | {' | '.join(shares)} |"


def main() -> None:
    """Train and diagnose every broken case, before and after its remedy."""
    parser = flags(__doc__ or "", "runs/remedies")
    parser.add_argument("--seeds", type=int, default=8)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    out, home, seeds = arguments.out, arguments.data_dir, arguments.seeds
    wanted = [case for case in chosen(arguments) if not case.healthy]
    left = [seconds_of(case.recipe(seeds), home) for case in wanted if not is_done(folder_of(out, case))]
    print(
        f"{len(left)} of {len(wanted)} broken cases to train, about {in_words(sum(left))}; their remedies come on top"
    )
    for case in wanted:
        before = play(case, out, home, seeds)
        verdict = diagnose(before)
        if verdict.verdict == NOT_SURE or not verdict.findings[0].remedies:
            print(f"{case.name}: {verdict.verdict}, nothing to try", flush=True)
            continue
        remedy, recipe = verdict.findings[0].remedies[0], case.recipe(seeds)
        changed = remedied(recipe, remedy)
        folder = folder_of(out, case)
        folder = folder.with_name(f"{folder.name}--{remedy}")
        if not is_done(folder):
            print(f"{case.name}, {remedy}: about {in_words(seconds_of(changed, home))}", flush=True)
        result = outcome(case, before, verdict, remedy, trained(changed, folder, home))
        write(RESULTS, case.name, result)
        words = (
            f"{result['rule']}, {remedy}: gone in {result['gone']}, nearer in {result['nearer']} of {result['seeds']}"
        )
        print(f"{case.name}: {words}, now {result['verdict_after']}", flush=True)


if __name__ == "__main__":
    main()
