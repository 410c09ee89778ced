"""A folder with runs that have generators, trained in a second or two: images, points, numbers, classes, a loop."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch

import sparring
from tests.loops import sound
from tests.miniature import figures_left_blank


def trained_shelf(folder: Path, *only: str) -> Path:
    """Train them, or only some of them, and the one whose recipe is Python's."""
    few = {"batch": 16, "log_points": 3, "samples_per_grid": 4}
    digits = sparring.recipe("digits").replace(rounds=60, seeds=(3, 5), **few)
    with figures_left_blank():
        for name, recipe in {
            "digits": digits,
            "classes": digits.replace(rounds=4, seeds=(3,), conditional=True),
            "ring": sparring.recipe("ring").replace(rounds=60, seeds=(0, 1), **few),
            "toy": sparring.recipe("pattern-1010").replace(rounds=60, seeds=(0, 1)),
        }.items():
            if not only or name in only:
                sparring.train(recipe, out=folder / name, threads=1, metrics=False)
        if not only:
            torch.manual_seed(0)
            sound.textbook(lambda *players, **more: sparring.watch(*players, out=folder / "watched", **more), 10)
    from_python(folder / "digits", folder / "from-python")
    return folder


def from_python(run: Path, to: Path) -> None:
    """The same run, whose recipe came from a file of Python that leaves a mark where it is executed."""
    shutil.copytree(run, to)
    code = to.parent / "mine.py"
    code.write_text(f"open({str(to.parent / 'executed')!r}, 'w')\n")
    recipe = json.loads((to / "recipe.json").read_text())
    recipe["origin"] = {"file": str(code), "function": "mine", "sha256": "0" * 64}
    (to / "recipe.json").write_text(json.dumps(recipe))
