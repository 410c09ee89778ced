"""Train GANs as strangers have them, on their data and with their mistakes, and check what the diagnosis says of each.

    python benchmarks/strangers.py --part tune [--jobs 14] [--out runs/strangers] [--minutes 8] [--only NAME ...]
    python benchmarks/strangers.py --part extra --extra DIR    # two more cases, on your own folder
    python benchmarks/strangers.py --rediagnose [--out runs/strangers]

The cases (`stranger_cases/`) have folders of pictures in color, large and small, tables, signals, networks of one's own
with a mistake, and sound runs, complete ones and ones that were stopped early. Each was given its correct verdicts
beforehand: the first names what was broken, the others follow from it. The half `report` was run once, after rules had
been changed by the half `tune`; since then they were changed by it, too, and the cases of `tune` that had not been
trained by then are the fresh ones (`stranger_cases/corrections.py`). Nothing is downloaded.

Cases are trained side by side, `--jobs` at a time, and those that are done are not trained again. Of each run only the
journal, its description and the last picture are kept, with `truth.json`: how far the samples of each seed are from
held-out data, told by a measure that the diagnosis does not use. Rules read journals only, so `--rediagnose` needs no
training. Results are in `results/strangers.json`, from which docs/diagnosis-measured.md takes its tables.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Before torch is loaded: every case has one core for itself.
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
from stranger_cases.case import WRITTEN_LAST, Case
from stranger_cases.cases import cases
from stranger_cases.tables import PARTS, RESULTS, mark, score_in_words

from sparring.analysis.diagnosis import diagnose
from sparring.analysis.diagnosis import diagnosis as diagnosed
from sparring.errors import SparringError
from sparring.record import RunFolder

if TYPE_CHECKING:
    from sparring.training.trainer import Trainer

TRUTH = "truth.json"
EXAMPLES = 800
"""Samples of a seed, and held-out examples, that the truth is told from."""
KEPT = ("recipe.json", "journal.jsonl", "about.json")
MEASURED = "measures.json"
"""Of the new cases, which are measured as the docs say, so that both judges were asked before the verdict."""
LARGEST_PICTURE = 300_000
"""Bytes above which the last picture is not kept."""


# Training.


def named(name: str, extra: Path | None) -> Case:
    """The case of that name."""
    return next(case for case in cases(extra) if case.name == name)


def make_judge(name: str, out: Path, extra: Path | None) -> None:
    """Train the judge of a case's folder in this process, as a run would that is its first; judges are cached."""
    from sparring.analysis.judge_choice import choose_judge

    choose_judge(named(name, extra).recipe(out / "data").data)


def train_case(name: str, out: Path, deadline: float, extra: Path | None = None) -> str:
    """Train one case in this process and keep what matters of it. Returns what went wrong, or nothing."""
    case = named(name, extra)
    training = out / ".training" / case.slug
    if time.time() > deadline:
        return "not begun"
    try:
        return _trained(case, out, training, deadline)
    except SparringError as error:
        return str(error)
    except Exception:  # a fault in one case must not end the others
        return traceback.format_exc()


def _trained(case: Case, out: Path, training: Path, deadline: float) -> str:
    import torch

    from sparring.training import train

    torch.set_num_threads(1)

    def stop_in_time(trainer: Trainer) -> None:
        if time.time() > deadline:
            trainer.stopping = True

    recipe, run = case.recipe(out / "data"), RunFolder(training)
    try:
        train(recipe, training, device="cpu", threads=1, watchers=(stop_in_time,), compile=False)
    except SparringError:
        if not (run.exists and run.story.status == "diverged"):
            raise
    status = run.story.status
    if status not in ("finished", "diverged"):
        return f"{status} at round {run.story.round:,}; the same command resumes it"
    if case.part in WRITTEN_LAST:
        measured(run, recipe)
    run.write_text(TRUTH, json.dumps({"times_real": told(case, run, recipe)}) + "\n")
    keep(run, out / case.slug)
    return ""


def measured(run: RunFolder, recipe: Any) -> None:
    """`sparring measure`, where there is something to measure."""
    from sparring.analysis.measure import keep as stored
    from sparring.analysis.measure import measure

    try:
        stored(measure(run, recipe=recipe))
    except SparringError as error:  # it diverged, or has too few examples
        print(f"{run.path.name}: not measured: {error}", flush=True)


def told(case: Case, run: RunFolder, recipe: Any) -> list[float | None]:
    """How far each seed's samples are from held-out data, in multiples of other real data's; None if not finite."""
    from stranger_cases.truth import times_real

    from sparring.analysis.generators import sample

    try:
        samples = sample(run, EXAMPLES, recipe=recipe)
    except SparringError:  # it diverged before there was a checkpoint
        return [None] * len(recipe.seeds)
    real, others = case.data.others(EXAMPLES), case.data.others(EXAMPLES, EXAMPLES)
    ratios = [times_real(each, real, others) for each in samples]
    return [float(f"{ratio:.4g}") if np.isfinite(ratio) else None for ratio in ratios]


def keep(run: RunFolder, home: Path) -> None:
    """Move what matters of a run to `home`, and delete the rest of it."""
    making = home.with_name(f".{home.name}")
    shutil.rmtree(making, ignore_errors=True)
    (making / "samples").mkdir(parents=True)
    for name in (*KEPT, TRUTH):
        shutil.copy2(run.path / name, making / name)
    if (run.path / MEASURED).is_file():
        shutil.copy2(run.path / MEASURED, making / MEASURED)
    for picture in sorted((run.path / "samples").glob("*.png"))[-1:]:
        if picture.stat().st_size <= LARGEST_PICTURE:
            shutil.copy2(picture, making / "samples" / picture.name)
    making.rename(home)
    shutil.rmtree(run.path)


def is_done(case: Case, out: Path) -> bool:
    """Whether the case was trained and kept."""
    return (out / case.slug / TRUTH).is_file()


def train_all(wanted: list[Case], arguments: argparse.Namespace) -> list[str]:
    """Train what is missing, the longest first. Returns the names of those that were not finished."""
    out, extra, deadline = arguments.out, arguments.extra, time.time() + 60 * arguments.minutes
    missing = [case for case in wanted if not is_done(case, out)]
    print(f"{len(missing)} of {len(wanted)} cases to train, {arguments.jobs} at a time", flush=True)
    for case in missing:  # here, so that no two processes draw the same folder
        if case.folder:
            case.folder.make(out / "data")
    missing.sort(key=lambda case: _work(case, out), reverse=True)
    began, left = time.time(), []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.jobs, mp_context=spawn) as pool:
        # First a judge for each folder, since cases on the same one would wait for it.
        folders = {case.folder: case.name for case in missing if case.folder}
        list(pool.map(partial(make_judge, out=out, extra=extra), folders.values()))
        print(f"{time.time() - began:4.0f} s  judges of {len(folders)} folders", flush=True)
        futures = {pool.submit(train_case, case.name, out, deadline, extra): case for case in missing}
        for number, future in enumerate(as_completed(futures), 1):
            name, died = futures[future].name, future.exception()
            wrong = str(died) if died else future.result()
            print(f"{time.time() - began:4.0f} s  {number}/{len(missing)}  {name}  {wrong}", flush=True)
            left += [name] if wrong else []
    return left


def _work(case: Case, out: Path) -> int:
    """About how long a case takes, compared with others: numbers that all steps of its players see."""
    recipe = case.recipe(out / "data")
    return recipe.rounds * len(recipe.round) * recipe.batch * int(np.prod(recipe.data.shape)) * (1 + len(recipe.tricks))


# Diagnosing.


def entry_of(case: Case, home: Path) -> dict[str, Any]:
    """What the diagnosis says of a kept run, beside the correct verdicts."""
    diagnosis = diagnose(home)
    unmeasured = diagnosed(RunFolder(home).story)
    times = json.loads((home / TRUTH).read_text())["times_real"]
    return {
        "part": case.part,
        "kind": case.kind,
        "drawn": case.data.kind,
        "state": case.state,
        "right": list(case.right),
        "verdict": diagnosis.verdict,
        "while_training": unmeasured.verdict,
        "line": diagnosis.line,
        "findings": {f.rule: len(f.members) for f in diagnosis.findings},
        "seeds": len(diagnosis.story.seeds),
        "rounds": diagnosis.story.round,
        "times_real": times,
        "seconds": round(diagnosis.story.seconds, 1),
        "date": date.today().isoformat(),
    }


def diagnose_all(wanted: list[Case], out: Path, results: Path) -> None:
    """Diagnose every case that was trained; print and store the verdicts."""
    entries = {case.name: entry_of(case, out / case.slug) for case in wanted if is_done(case, out)}
    for name, entry in entries.items():
        print(f"{entry['part']:<7}{mark(entry):<15}{name}: {entry['verdict']} {_times_in_words(entry)}", flush=True)
    stored = json.loads(results.read_text()) if results.exists() else {}
    results.write_text(json.dumps(stored | entries, indent=1) + "\n")


def _times_in_words(entry: dict[str, Any]) -> str:
    return "[" + ", ".join("NaN" if each is None else f"{each:.3g}" for each in entry["times_real"]) + "]"


def chosen(arguments: argparse.Namespace) -> Iterator[Case]:
    """The cases that the flags select."""
    for case in cases(arguments.extra):
        named = not arguments.only or any(case.name.startswith(name) for name in arguments.only)
        if named and (arguments.part in (None, case.part)):
            yield case


def main() -> None:
    """Train what is missing, diagnose what is there, and say how well that went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--part",
        choices=("tune", "report", *WRITTEN_LAST, "extra"),
        help="which of the cases, or those on the folder --extra",
    )
    parser.add_argument("--extra", type=Path, metavar="DIR", help="a folder of images of your own, for two more cases")
    parser.add_argument("--jobs", type=int, default=1, help="cases at a time, one core each")
    parser.add_argument("--out", type=Path, default=Path("runs/strangers"))
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of verdicts, which is added to")
    parser.add_argument("--minutes", type=float, default=600.0, help="stop after that; the same command resumes")
    parser.add_argument("--only", nargs="*", default=[], help="cases whose name begins so; by default all")
    parser.add_argument("--rediagnose", action="store_true", help="train nothing, read the journals that are there")
    arguments = parser.parse_args()
    if not (arguments.part or arguments.only or arguments.rediagnose):
        parser.error("one of --part PART, --only NAME or --rediagnose is needed")
    arguments.out = arguments.out.resolve()
    wanted = list(chosen(arguments))
    left = [] if arguments.rediagnose else train_all(wanted, arguments)
    diagnose_all(wanted, arguments.out, arguments.results)
    for part in PARTS:
        print(score_in_words(part, arguments.results))
        print(f"  as first expected: {score_in_words(part, arguments.results, corrected=False)}")
    if left:
        sys.exit(f"{len(left)} cases were not finished: {', '.join(left)}")


if __name__ == "__main__":
    main()
