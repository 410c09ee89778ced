"""Files that were written against earlier names of the interface, run as they are. For `field.py` alone."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import sparring
from sparring.datasets import Dataset
from sparring.game import moves
from sparring.recipe import Recipe, find_recipe

FIELDS = {
    "generator_optimiser": "generator_optimizer",
    "discriminator_optimiser": "discriminator_optimizer",
    "ticks": "log_points",
}
"""Fields of a recipe: earlier name -> name."""
MODULES = {
    "sparring.game": "sparring.game.moves",
    "sparring.latent": "sparring.latents",
    "sparring.latent.normal": "sparring.latents.normal",
    "sparring.latent.uniform": "sparring.latents.uniform",
    "sparring.optimisers": "sparring.optimizers",
    "sparring.optimisers.adam": "sparring.optimizers.adam",
    "sparring.optimisers.sgd": "sparring.optimizers.sgd",
}
"""Earlier module -> the module in which its names are now."""


class Found:
    """What `find_recipe` gave: a recipe that `with_` changes."""

    def __init__(self, recipe: Recipe):
        self._recipe = recipe

    def with_(self, **changes: Any) -> Recipe:
        """`Recipe.replace`."""
        return self._recipe.replace(**_renamed(changes))


def run_file(file: Path) -> ModuleType:
    """Run a Python file with the earlier names in place; its neighbors can be imported. No bytecode is written."""
    name = f"{file.parent.name}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses and `inspect` look for it
    with _earlier_modules(), _importing_from(file.parent):
        spec.loader.exec_module(module)
    return module


def _recipe(**fields: Any) -> Recipe:
    return Recipe(**_renamed(fields))


def _find_recipe(name: str, sized_by: Dataset | None = None) -> Found:
    return Found(find_recipe(name, sized_by))


def _renamed(fields: dict[str, Any]) -> dict[str, Any]:
    return {FIELDS.get(name, name): value for name, value in fields.items()}


@contextmanager
def _earlier_modules() -> Generator[None]:
    """The modules by their earlier names, while a file is run."""
    package = ModuleType("sparring")
    package.__dict__.update(__path__=sparring.__path__, leaf=sparring.leaf, Recipe=_recipe, find_recipe=_find_recipe)
    replaced = {"sparring": package, **{old: importlib.import_module(new) for old, new in MODULES.items()}}
    assert replaced["sparring.game"] is moves
    before = {name: sys.modules.get(name) for name in replaced}
    sys.modules.update(replaced)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


@contextmanager
def _importing_from(folder: Path) -> Generator[None]:
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = bytecode
