"""Measure how many examples a run sees until its samples settle: what `recipe/length.py` and `undertrained` rest on.

    python benchmarks/usual_length.py --data-dir DIR --folder IMAGES [--out runs/usual] [--only NAME ...] [--device D]

Every case is a recipe that trains well, at its full length, with an evaluation at each of 60 log points, however long
those take. Its samples have settled at the evaluation since which the distance from the data, the median over seeds,
stays within a quarter of its final value. `--folder` holds images of 32 x 32 pixels for the recipe `auto`; of 400 and
of 100 of them, copies are made. Runs resume where they were, and finished runs are reused. Results go to
`results/usual-length.json`, from which docs/diagnosis-measured.md takes its table.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import numpy as np
from broken_gans import is_done, write
from healthy_gans import digits, modern

from sparring.analysis.diagnosis import story_of
from sparring.datasets.folder import Folder
from sparring.game.assembly import maker_of_discriminators, maker_of_generators
from sparring.recipe import Recipe, find_recipe
from sparring.recipes.modern import auto
from sparring.record import RunFolder
from sparring.rules import Signals
from sparring.training import train
from sparring.training.chores import evaluate

RESULTS = Path(__file__).parent / "results" / "usual-length.json"
LOG_POINTS = 60
SETTLED = 1.25
"""Samples have settled when their distance stays below this multiple of the final one."""
FINAL = 5
"""Of how many of the last evaluations the final distance is the median."""


@dataclass(frozen=True)
class Case:
    """One recipe that trains well."""

    name: str
    make: Callable[[Path], Recipe]
    """Given the folder of images."""
    seeds: int = 1


def cases() -> list[Case]:
    """Every one."""
    return [
        Case("`pattern-1010`", lambda _: find_recipe("pattern-1010"), 8),
        Case("`ring`", lambda _: find_recipe("ring"), 2),
        Case("`grid`", lambda _: find_recipe("grid"), 2),
        Case("`digits`", lambda _: digits(), 4),
        Case("`digits`, relativistic with R1 and R2", lambda _: modern(digits()), 2),
        Case("`auto` on digits", lambda _: auto(), 2),
        Case("`mnist-fast`", lambda _: find_recipe("mnist-fast"), 2),
        Case("`mnist`", lambda _: find_recipe("mnist"), 2),
        Case("`mnist`, twice as wide", lambda _: widened(find_recipe("mnist"))),
        Case("`fashion-mnist`", lambda _: find_recipe("fashion-mnist"), 2),
        Case("`stacked-mnist`", lambda _: find_recipe("stacked-mnist")),
        Case("`auto` on game tiles", lambda folder: auto(tiles(folder))),
        Case("`auto` on game tiles, twice as wide", lambda folder: widened(auto(tiles(folder)))),
        Case("`auto` on game tiles, 16 pixels", lambda folder: auto(tiles(folder, size=16))),
        Case("`auto` on game tiles, 64 pixels, four times as wide", large_tiles),
        Case("`auto` on 400 game tiles", lambda folder: auto(tiles(part_of(folder, 400))).replace(rounds=6_000)),
        Case("`auto` on 100 game tiles", lambda folder: auto(tiles(part_of(folder, 100))).replace(rounds=4_000)),
    ]


def tiles(folder: Path, size: int = 0) -> Folder:
    """Laid on black: examples with transparency are others."""
    return Folder(str(folder), size=size, alpha=False)


def large_tiles(folder: Path) -> Recipe:
    """Scaled up to 64 pixels, with the widths of the paper, six million weights; two thirds of the rounds."""
    return widened(auto(tiles(folder, size=64)), 4).replace(rounds=8_000)


def widened(recipe: Recipe, times: int = 2) -> Recipe:
    """With so many times as many channels in both networks."""
    networks = {name: getattr(recipe, name) for name in ("generator", "discriminator")}
    return recipe.replace(**{name: replace(each, width=times * each.width) for name, each in networks.items()})


def part_of(folder: Path, count: int) -> Path:
    """A folder beside this one with so many of its images, evenly chosen."""
    part = folder.resolve().with_name(f"{folder.resolve().name}-{count}")
    images = sorted(folder.rglob("*.png"))
    part.mkdir(exist_ok=True)
    for index in range(count):
        shutil.copy(images[index * len(images) // count], part / f"{index}.png")
    return part


def slug(name: str) -> str:
    """The name as that of a folder."""
    return name.replace("`", "").replace(",", "").replace(" ", "-")


def entry_of(run: RunFolder) -> dict[str, Any]:
    """When the samples of a run settled."""
    signals = Signals(story_of(run))
    recipe = Recipe.from_dict(run.recipe)
    distance = signals.distance
    median = np.median(distance.values, axis=1)
    final = float(np.median(median[-FINAL:]))
    outside = np.flatnonzero(median > SETTLED * final)
    settled = int(distance.rounds[min(outside[-1] + 1, len(median) - 1)]) if len(outside) else 0
    baseline = signals.story.real_baseline or {}
    return {
        "shape": list(recipe.data.shape),
        "examples": baseline.get("examples") or recipe.data.card.examples,
        "parameters": parameters_of(recipe),
        "batch": recipe.batch,
        "seeds": signals.members,
        "rounds": signals.story.round,
        "distance": distance.name,
        "final": float(f"{final:.3g}"),
        "settled": settled,
        "date": date.today().isoformat(),
    }


def parameters_of(recipe: Recipe) -> int:
    """Of both networks of one member."""
    networks = maker_of_generators(recipe)(), maker_of_discriminators(recipe)()
    return sum(weight.numel() for network in networks for weight in network.parameters())


def table() -> str:
    """For the docs."""
    lines = [
        "| recipe | shape | images | weights | batch | seeds | rounds | settled in round | examples seen until then |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    every = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name, each in every.items():
        shape = " x ".join(map(str, each["shape"]))
        count = f"{each['examples']:,}" if each["examples"] else "–"
        weights = f"{each['parameters']:,}" if each["parameters"] < 1_000_000 else f"{each['parameters'] / 1e6:.1f} M"
        seen = each["settled"] * each["batch"]
        cells = (name, shape, count, weights, each["batch"], each["seeds"], f"{each['rounds']:,}")
        lines.append(f"| {' | '.join(map(str, cells))} | {each['settled']:,} | {_rounded(seen):,} |")
    return "\n".join(lines)


def range_in_words(images: bool) -> str:
    """`57,000 to 280,000`: of the recipes for images, or of the others."""
    every = json.loads(RESULTS.read_text()).values()
    seen = [_rounded(each["settled"] * each["batch"]) for each in every if (len(each["shape"]) == 3) == images]
    return f"{min(seen):,} to {max(seen):,}"


def _rounded(seen: int) -> int:
    """To two digits: there are 60 evaluations in a run."""
    unit = 10 ** max(0, math.floor(math.log10(max(seen, 1))) - 1)
    return round(seen / unit) * unit


def main() -> None:
    """Train what is missing, and save after every case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/usual"))
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--done", action="store_true", help="only read the runs that are there")
    arguments = parser.parse_args()
    evaluate.EVALUATION_SHARE = math.inf
    for case in cases():
        folder = arguments.out / slug(case.name)
        if arguments.only and not any(name in case.name for name in arguments.only):
            continue
        if not is_done(folder) and not arguments.done:
            recipe = case.make(arguments.folder).replace(seeds=case.seeds, log_points=LOG_POINTS)
            train(recipe, folder, data_dir=arguments.data_dir, device=arguments.device, compile=False)
        if RunFolder(folder).exists:
            write(RESULTS, case.name, entry_of(RunFolder(folder)))
            print(case.name, json.loads(RESULTS.read_text())[case.name]["settled"], flush=True)


if __name__ == "__main__":
    main()
