"""Compare the diagnosis with the reference results that the authors of the ladder's recipes recorded.

    python benchmarks/diagnosis_ladder.py RUNS ...                          runs that are there already
    python benchmarks/diagnosis_ladder.py --data-dir DIR --out runs/ladder  what is missing is trained first
                                          [--seeds 8] [--only NAME ...]

It first prints how long it will take, and resumes runs that were begun. Recipes whose training takes many hours are cut
as in `ladder.py`. For a run of an older version without evaluations,
the last checkpoint is evaluated, and the diagnosis uses its curves and that one evaluation. A recipe whose author gave
no result, or none that corresponds to a finding, is listed and not counted. Results are saved in
`results/diagnosis-ladder.json`, from which docs/diagnosis-measured.md takes its table; of several runs of one recipe,
that of one at full length whose verdict's words are known, or of the longest that was evaluated while it trained.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import torch
from broken_gans import in_words, is_done, seconds_of, write
from ladder import LADDER, SAME, recipe_of

from sparring import catalogue
from sparring.analysis.diagnosis import diagnosis, story_of
from sparring.analysis.evaluator import Evaluator
from sparring.game.assembly import game_of, restore
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder, Story
from sparring.record.journal import json_numbers
from sparring.record.story import CURVES, GRADIENTS
from sparring.training import train

RESULTS = Path(__file__).parent / "results" / "diagnosis-ladder.json"


def runs_in(folders: list[Path]) -> Iterator[RunFolder]:
    """Runs of the ladder's recipes in these folders or in their subfolders: of a study `studies/NAME/cells`."""
    for folder in folders:
        for place in (folder, *sorted(p for p in folder.iterdir() if p.is_dir())):
            run = RunFolder(place)
            if run.exists and name_of(run):
                yield run


@cache
def ids() -> dict[str, str]:
    """A recipe's id with the one seed 0 -> its name."""
    return {find_recipe(name).replace(seeds=1).id: name for name in LADDER if name not in SAME}


def name_of(run: RunFolder) -> str | None:
    """The recipe of the ladder that a run trains, also under another name, as a study's cells are; None for another."""
    recipe, name = Recipe.from_json(run.recipe_json), run.recipe.get("name")
    if (found := ids().get(recipe.replace(seeds=1, precision="float32").id)) is not None:
        return found
    is_cut = name in LADDER and recipe.rounds != find_recipe(name).rounds
    return name if is_cut else None


def seconds_left(name: str, arguments: argparse.Namespace) -> float:
    """About how long the training of one recipe will take."""
    if is_done(arguments.out / name):
        return 0.0
    return seconds_of(recipe_of(name).replace(seeds=arguments.seeds), arguments.data_dir)


def climbed(name: str, arguments: argparse.Namespace) -> RunFolder:
    """A run of one recipe: the existing one, resumed, or a new one."""
    folder = arguments.out / name
    if RunFolder(folder).exists:
        recipe = Recipe.from_json(RunFolder(folder).recipe_json)
    else:
        recipe = recipe_of(name).replace(seeds=arguments.seeds)
    return train(recipe, folder, data_dir=arguments.data_dir)


def evaluated(run: RunFolder, data_dir: Path | None) -> Story:
    """The story of a run; with one evaluation of its last checkpoint, if it has none."""
    story = story_of(run)
    saved = run.load()
    if story.real_baseline or saved is None:
        return story
    recipe = Recipe.from_json(run.recipe_json)
    game = game_of(recipe, recipe.data.open(data_dir, "cpu"))
    restore(game, *saved)
    evaluator = Evaluator.of(recipe, game, data_dir)
    metrics = {name: json_numbers(values) for name, values in evaluator.evaluate(game).items()}
    log = {"event": "log", "round": game.round, "logged": [], "metrics": metrics}
    curves = {name: [] for name in (*CURVES, *GRADIENTS)}
    return Story(
        story.recipe,
        [*story.events, {"event": "real-baseline", "round": 0, **evaluator.baseline_event()}, {**log, **curves}],
    )


def diagnosed(run: RunFolder, data_dir: Path | None) -> dict[str, Any]:
    """The diagnosis of a run, beside the reference result of its recipe."""
    name, story = name_of(run) or run.recipe["name"], evaluated(run, data_dir)
    verdict = diagnosis(story)
    facts = catalogue.entries("recipes")[name].facts
    return {
        "evaluations": len(run.story.evaluations[0]),
        "expects": list(facts.get("expects", ())),
        "author": facts["verdict"],
        "verdict": verdict.verdict,
        "says": opening_of(verdict.findings[0].claim) if verdict.findings else "",
        "findings": {f.rule: len(f.members) for f in verdict.findings},
        "seeds": len(verdict.story.seeds),
        "rounds": verdict.story.round,
        "rounds_in_full": find_recipe(name).rounds,
        "date": date.today().isoformat(),
    }


def opening_of(claim: str) -> str:
    """What a claim says before its figures."""
    return claim.partition(" (healthy")[0].rpartition(":")[0] or claim


def weight(entry: dict[str, Any]) -> tuple[bool, bool, bool, int, int, str]:
    """Which of several runs of a recipe counts: one at full length, one whose verdict's words are known, one that was
    evaluated while it trained, the longest, that of most seeds, the newest."""
    is_whole = entry.get("rounds", 0) >= entry.get("rounds_in_full", 1)
    evaluated = entry.get("evaluations", entry.get("looks", 0)) > 1
    amounts = entry.get("rounds", 0), entry.get("seeds", 0), entry.get("date", "")
    return is_whole, bool(entry.get("says")), evaluated, *amounts


def agrees(each: dict[str, Any]) -> bool:
    """Whether the verdict is one of the findings that the author's words name."""
    return each["verdict"] in each["expects"]


def table() -> str:
    """Markdown: every recipe that was diagnosed, its reference result beside the verdict."""
    every = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not every:
        return "Not run yet."
    lines = [
        "| recipe | seeds | rounds | reference result | expected | verdict | it says | also found |",
        "| --- | ---: | ---: | --- | --- | --- | --- | --- |",
    ]
    for name in (n for n in LADDER if n in every):
        each = every[name]
        rounds = f"{each['rounds']:,}"
        rounds += f" of {each['rounds_in_full']:,}" if each["rounds"] < each["rounds_in_full"] else ""
        expects = ", ".join(f"`{rule}`" for rule in each["expects"]) or "–"
        verdict = f"`{each['verdict']}`"
        verdict = verdict if agrees(each) or not each["expects"] else f"**{verdict}**"
        reference = catalogue.entries("recipes")[name].facts["verdict"]
        rounds += "" if each.get("evaluations", each.get("looks")) else " (one evaluation)"
        also = ", ".join(f"`{r}` ({n} of {each['seeds']})" for r, n in each["findings"].items() if r != each["verdict"])
        cells = (f"`{name}`", each["seeds"], rounds, reference, expects, verdict, each.get("says", ""), also)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    right, count = score()
    said = f"The verdict agrees with the reference result for {right} of the {count} recipes that expect one."
    return "\n".join([*lines, "", said])


def score() -> tuple[int, int]:
    """Recipes whose verdict agrees with the reference result, of those that expect one."""
    every = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    counted = [each for each in every.values() if each["expects"]]
    return sum(map(agrees, counted)), len(counted)


def main() -> None:
    """Diagnose existing runs, or train what is missing and diagnose that."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/ladder"))
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--only", nargs="*", default=LADDER, help="recipes; all of the ladder if not given")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.runs:
        found = runs_in(arguments.runs)
    else:
        seconds = sum(seconds_left(name, arguments) for name in arguments.only)
        print(f"about {in_words(seconds)} of training", flush=True)
        found = (climbed(name, arguments) for name in arguments.only)
    for run in found:
        entry, name = diagnosed(run, arguments.data_dir), name_of(run) or run.recipe["name"]
        print(f"{name}: {entry['verdict']} (expected {', '.join(entry['expects']) or 'nothing'})", flush=True)
        before = json.loads(RESULTS.read_text()).get(name, {}) if RESULTS.exists() else {}
        if weight(entry) >= weight(before):
            write(RESULTS, name, entry)


if __name__ == "__main__":
    main()
