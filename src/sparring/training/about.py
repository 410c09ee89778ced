"""about.json: what a reader needs to know, beside the recipe, to make the same run."""

from __future__ import annotations

import dataclasses
import json
import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from sparring import catalogue
from sparring.errors import UsageError
from sparring.game.equilibrium import equilibrium_levels
from sparring.game.runtime import cores
from sparring.objectives import Objective
from sparring.recipe import Recipe, find_recipe
from sparring.recipe.length import LONGEST
from sparring.record import RunFolder


def write_about(
    run: RunFolder,
    recipe: Recipe,
    device: str,
    threads: int,
    processes: int = 1,
    objective: Objective | None = None,
    data_hash: str = "",
) -> None:
    """Write about.json, or bring it up to date: the machine and the versions that a run is trained with.

    Args:
        run: Its folder exists.
        recipe: What is trained, with all the run's seeds.
        device: `cpu`, `mps`, or a CUDA device, whose name is written.
        threads: Threads of torch, in each process.
        processes: Processes that train the run.
        objective: The one in force, where that is not the recipe's.
        data_hash: Of all examples that it is trained on; empty where there is none.
    """
    levels = equilibrium_levels(objective or recipe.objective)
    about = run.about or {"created": datetime.now(UTC).isoformat(timespec="seconds")}
    about |= {
        "recipe": recipe.name,
        "id": recipe.id,
        "seeds": list(recipe.seeds),
        "device": torch.cuda.get_device_name(device) if device.startswith("cuda") else device,
        "threads": threads,
        "processes": processes,
        "cores": cores(),
        "processor": _processor(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {n: version(n) for n in ("sparring", "torch", "numpy")},
        "commit": _commit(),
        "equilibrium": {name: level for name, level in levels.items() if name != "sure"},
        "target": recipe.data.target,
        "data_hash": data_hash,
        "changed": changed_from_catalogue(recipe),
        "start_from": dataclasses.asdict(recipe.start_from) if recipe.start_from else None,
    }
    run.write_text("about.json", json.dumps(about, indent=2) + "\n")


def changed_from_catalogue(recipe: Recipe) -> dict[str, list[Any]] | None:
    """Fields that differ from the catalogue's recipe of that name: field -> [there, here]. None if there is no such.

    A recipe that chooses by the minutes it is given is taken for these and for none: whichever it is nearer to.
    """
    if recipe.origin or recipe.name not in catalogue.entries("recipes"):
        return None
    named = (_on_its_data(recipe, minutes) for minutes in (None, LONGEST))
    return min((_different(each, recipe) for each in named), key=len)


def _on_its_data(recipe: Recipe, minutes: float | None) -> Recipe:
    """The catalogue's recipe of that name on this one's data; as it is where it needs classes that these lack."""
    try:
        return find_recipe(recipe.name, recipe.data, minutes=minutes)
    except UsageError:
        return find_recipe(recipe.name, minutes=minutes)


def _different(named: Recipe, recipe: Recipe) -> dict[str, list[Any]]:
    there, here = ({"clusters": 0, **each.to_dict()} for each in (named, recipe))
    there["data"] = find_recipe(recipe.name).to_dict()["data"]
    fields = [field for field in here if field not in ("name", "origin", "seeds", "start_from", "cluster_sizes")]
    return {field: [there.get(field), here[field]] for field in fields if here[field] != there.get(field)}


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


@cache
def _commit() -> str | None:
    here = Path(__file__).parent
    if not any((folder / ".git").exists() for folder in here.parents):
        return None
    command = ["git", "-C", str(here), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
