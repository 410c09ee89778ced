"""Recipe: everything that decides what a run computes, as one frozen value that survives JSON. Loads no torch.

The package can be called: `sparring.recipe("digits")` is `find_recipe("digits")`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

from sparring.catalogue import OwnPart
from sparring.recipe.definition import PRECISIONS, Origin, Recipe, default_settings, recipe
from sparring.recipe.files import find_recipe, reload
from sparring.recipe.memory import remember, remembered
from sparring.recipe.per_member import Cell, together
from sparring.recipe.reading import KIND_OF
from sparring.recipe.start_from import StartFrom

if TYPE_CHECKING:
    from sparring.datasets import Dataset

__all__ = [
    "KIND_OF",
    "PRECISIONS",
    "Cell",
    "Origin",
    "OwnPart",
    "Recipe",
    "StartFrom",
    "default_settings",
    "find_recipe",
    "recipe",
    "reload",
    "remember",
    "remembered",
    "together",
]


class _Callable(ModuleType):
    """A package's name in its parent is the package itself, so this is the only way to have a function of its name."""

    def __call__(
        self,
        name: str,
        sized_by: Dataset | None = None,
        conditional: bool | None = None,
        minutes: float | None = None,
    ) -> Recipe:
        return find_recipe(name, sized_by, conditional, minutes)


sys.modules[__name__].__class__ = _Callable
