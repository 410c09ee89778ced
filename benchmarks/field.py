"""Run cases that people reported, rebuilt as folders of images and as recipes, and print what each of them now gets.

    python benchmarks/field.py DIR [--out runs/field] [--jobs 1] [--data-dir DIR] [--only NAME ...]

DIR holds `folders.py`, whose functions of one folder `o` fill it with images; `gans.py` and `own_data.py`, whose
functions return recipes; and `common.py`, which draws the pictures that those train on. A folder is given to `sparring
doctor` and `sparring train` as a user would, and one line says what each answers; a recipe is trained and diagnosed.
Recipes whose data is missing are skipped with a line. What is done is not done again without `--again`; results
are in `results/field.json`, and docs/diagnosis-measured.md takes its tables from there.
"""

from __future__ import annotations

import argparse
import inspect
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded: every case has one core

from earlier_names import run_file

from sparring.analysis.diagnosis import diagnose
from sparring.errors import SparringError
from sparring.recipe import Recipe
from sparring.record import RunFolder

RESULTS = Path(__file__).parent / "results" / "field.json"
FILES = ("common.py", "folders.py", "gans.py", "own_data.py")
PICTURES = {"data/dig32": (1_500, 32), "data/dig64": (1_200, 64), "data/dig32_400": (400, 32)}
"""Folder that recipes name -> how many pictures are in it, and their side."""
VARIANTS: Mapping[str, Mapping[str, Any]] = {"sixteen_of_which_twelve": {"of": "sixteen", "top": 4095}}
"""Folders that a function makes with another argument."""
USUAL_ROWS = ("folder", "images", "formats", "sizes", "colors", "memory", "cache")
"""Of what the doctor says, the rows that every folder has."""
INSIDE: Mapping[str, tuple[str, ...]] = {
    "arrays": ("images.npy", "images.npz", "images.zip", "npyfolder", "table.csv", "x.h5", "x.parquet")
}
"""What else a folder's function makes, that is asked about by itself."""
TIMEOUT = 600
EXPECTED: Mapping[str, tuple[str, ...]] = {
    "kerasgan14": ("discriminator-wins", "vanishing-gradient"),
    "tutorial64": ("discriminator-wins", "undertrained"),
    "not_divided": ("range-mismatch",),
    "minus_one_with_sigmoid": ("range-mismatch",),
    "zero_one_with_tanh": ("range-mismatch", "equilibrium", "undertrained", "not-sure"),
    "sigmoid_at_the_end": ("bounded-scores",),
    "wgan_gp_raw": ("range-mismatch",),
    "grey_early": ("undertrained",),
    "four_hundred": ("undertrained", "mode-collapse", "overfitting-discriminator"),
    "batch_of_one": ("undertrained",),
    "patchgan": ("undertrained",),
    "four_d": ("undertrained",),
    "latent4d": ("undertrained",),
    "too_fast": ("divergence",),
    "runs_away": ("oscillation",),
    # Its distance has risen since round 600 of 1,000, while D got surer: more rounds do not help it.
    "signal": ("undertrained", "not-sure", "discriminator-wins"),
    "wgan_gp_flat": ("weak-discriminator", "undertrained", "vanishing-gradient"),
}
"""Name of a recipe -> verdicts that agree with what its owner saw. Others are only to end without a fault."""


# Folders, by the command.


def folder_cases(folders: ModuleType) -> dict[str, Callable[[Path], None]]:
    """Name -> a function that fills a folder."""
    found = {
        name: function
        for name, function in vars(folders).items()
        if inspect.isfunction(function) and next(iter(inspect.signature(function).parameters), "") == "o"
    }
    for name, made in VARIANTS.items():
        if made["of"] in found:
            found[name] = partial(found[made["of"]], **{key: value for key, value in made.items() if key != "of"})
    return found


def ask_about_folder(name: str, directory: Path, out: Path) -> dict[str, Any]:
    """What the doctor and a training of two rounds say of one folder, or of a file in it, in a line each."""
    case, _, inside = name.partition("/")
    folder, run = out / "folders" / case, out / "folder-runs" / name.replace("/", "-")
    if not folder.exists():
        folder.mkdir(parents=True)
        folder_cases(run_file(directory / "folders.py"))[case](folder)
    path = folder / inside
    examined = _command("doctor", str(path))
    trained = _command("train", "--data", str(path), "--rounds", "2", "--out", str(run))
    doctor = _examined(examined) if examined.returncode == 0 else _error(examined)
    train = _said(trained, path) if trained.returncode == 0 else _error(trained)
    return {
        "doctor": doctor.replace(str(path), "DIR"),
        "train": train.replace(str(path), "DIR"),
        "codes": [examined.returncode, trained.returncode],
    }


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command `sparring`."""
    command = [sys.executable, "-m", "sparring", *arguments]
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "2000"}
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT, env=environment, check=False
    )


def _examined(answer: subprocess.CompletedProcess[str]) -> str:
    """What the doctor says that is not so of every folder, in one line."""
    rows = [line.rstrip().split("  ", 1) for line in answer.stdout.splitlines()]
    said = {row[0]: row[1].strip() for row in rows if len(row) == 2}
    noted = [f"{name}: {text}" for name, text in said.items() if name not in USUAL_ROWS and text != "none"]
    return "; ".join([f"{said['images']} images", *noted])


def _said(answer: subprocess.CompletedProcess[str], folder: Path) -> str:
    """What training says of the folder, without its path."""
    lines = [line.removeprefix(f"{folder}: ") for line in answer.stderr.splitlines() if line.startswith(f"{folder}: ")]
    return "; ".join(line for line in lines if "are cached" not in line) or "(nothing)"


def _error(answer: subprocess.CompletedProcess[str]) -> str:
    """The last line of an error, without its frame."""
    lines = [line.strip(" │╭╰─╮╯") for line in answer.stderr.splitlines()]
    return next((line for line in reversed(lines) if line), f"exit code {answer.returncode}")


# Recipes.


def recipe_cases(directory: Path) -> dict[str, Callable[[], Recipe]]:
    """Name -> a function that returns a recipe."""
    modules = [run_file(directory / file) for file in ("gans.py", "own_data.py")]
    return {name: each for module in modules for name, each in vars(module).items() if _returns_recipe(each, module)}


def _returns_recipe(each: Any, module: ModuleType) -> bool:
    """Whether it is a function of this module that needs nothing and is annotated `-> Recipe`."""
    if not inspect.isfunction(each) or each.__module__ != module.__name__:
        return False
    return inspect.get_annotations(each).get("return") == "Recipe" and not inspect.signature(each).parameters


def train_recipe(name: str, directory: Path, out: Path, data_dir: Path | None) -> dict[str, Any]:
    """Train one recipe and diagnose it; what ends in an error has that instead of a verdict."""
    import torch

    from sparring.training import train

    torch.set_num_threads(1)
    os.chdir(out)  # recipes name their folders by relative paths
    run = RunFolder(out / "runs" / name)
    try:
        train(recipe_cases(directory)[name](), run.path, data_dir=data_dir, device="cpu", threads=1, compile=False)
    except SparringError as error:
        if not run.exists or run.story.status != "diverged":
            return {"verdict": "error", "line": str(error)}
    diagnosis = diagnose(run)
    return {
        "verdict": diagnosis.verdict,
        "line": diagnosis.line,
        "findings": {finding.rule: len(finding.members) for finding in diagnosis.findings},
        "seeds": len(diagnosis.story.seeds),
        "rounds": diagnosis.story.round,
    }


def draw_pictures(directory: Path, out: Path) -> None:
    """The folders that recipes train on."""
    common = run_file(directory / "common.py")
    for name, (count, side) in PICTURES.items():
        if not (out / name).exists():
            making = out / f"{name}-unfinished"
            making.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                common.rgb(number, side).save(making / f"{number}.png")
            making.rename(out / name)


# Tables.


def stored() -> dict[str, dict[str, dict[str, Any]]]:
    """The results: `folders` and `recipes`, by name."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {"folders": {}, "recipes": {}}


def folders_in_markdown() -> str:
    """What the commands say of each folder."""
    lines = ["| folder | `sparring doctor` | `sparring train --data` |", "| --- | --- | --- |"]
    for name, each in sorted(stored()["folders"].items()):
        lines.append(f"| {name} | {_cell(each['doctor'])} | {_cell(each['train'])} |")
    return "\n".join(lines)


def recipes_in_markdown() -> str:
    """The verdict on each recipe."""
    lines = ["| recipe | seeds | rounds | expected | verdict | also found |", "| --- | ---: | ---: | --- | --- | --- |"]
    for name, each in stored()["recipes"].items():
        verdict, right = each["verdict"], EXPECTED.get(name, ())
        shown = f"`{verdict}`" if mark(name, each) != "WRONG" else f"**`{verdict}`**"
        also = ", ".join(f"`{rule}`" for rule in each.get("findings", {}) if rule != verdict)
        expected = " or ".join(f"`{rule}`" for rule in right) or "–"
        rounds = f"{each['rounds']:,}" if "rounds" in each else ""
        spelled = name.replace("grey", "gray")
        lines.append(f"| `{spelled}` | {each.get('seeds', '')} | {rounds} | {expected} | {shown} | {also} |")
    return "\n".join(lines)


def mark(name: str, each: Mapping[str, Any]) -> str:
    """`right`, `WRONG`, or `-` where nothing is expected but that it ends without a fault."""
    if name in EXPECTED:
        return "right" if each["verdict"] in EXPECTED[name] else "WRONG"
    return "WRONG" if each["verdict"] == "error" else "-"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> None:
    """Run what was not run yet, save after every case, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/field"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("SPARRING_DATA"))
    parser.add_argument("--only", nargs="*", default=[], help="cases whose name begins so; by default all")
    parser.add_argument("--again", action="store_true", help="also what was done already")
    parser.add_argument("--print", action="store_true", help="run nothing, print the stored results")
    arguments = parser.parse_args()
    missing = [name for name in FILES if not (arguments.directory / name).is_file()]
    if missing and not arguments.print:
        print(f"{arguments.directory} is skipped: it has no {', '.join(missing)}")
        return
    if not arguments.print:
        run_all(arguments.directory.resolve(), arguments.out.resolve(), arguments)
    print(folders_in_markdown(), recipes_in_markdown(), sep="\n\n")


def run_all(directory: Path, out: Path, arguments: argparse.Namespace) -> None:
    """Every case that the flags select, `--jobs` at a time."""
    draw_pictures(directory, out)
    data_dir = Path(arguments.data_dir).resolve() if arguments.data_dir else None
    names = folder_cases(run_file(directory / "folders.py"))
    inside = [f"{case}/{name}" for case, every in INSIDE.items() if case in names for name in every]
    tasks = [("folders", name, (ask_about_folder, name, directory, out)) for name in (*names, *inside)]
    tasks += [("recipes", name, (train_recipe, name, directory, out, data_dir)) for name in recipe_cases(directory)]
    done = {} if arguments.again else stored()
    wanted = [
        (kind, name, call)
        for kind, name, call in tasks
        if name not in done.get(kind, {})
        and (not arguments.only or any(name.startswith(only) for only in arguments.only))
    ]
    with ProcessPoolExecutor(arguments.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(*call): (kind, name) for kind, name, call in wanted}
        for future in as_completed(futures):
            kind, name = futures[future]
            if died := future.exception():  # killed for memory, say
                print(f"{name}: {died}; run the same command again", flush=True)
                continue
            each, every = future.result(), stored()
            every[kind][name] = each
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(every, indent=1) + "\n")
            if kind == "folders":
                print(f"{name}\n  doctor: {each['doctor']}\n  train:  {each['train']}", flush=True)
            else:
                print(f"{name}: {mark(name, each)}\n  {each['line']}", flush=True)


if __name__ == "__main__":
    main()
