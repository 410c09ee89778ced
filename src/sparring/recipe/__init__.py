"""Recipe: everything that decides what a run computes, as one frozen value that survives JSON. Loads no torch.

The package can be called: `sparring.recipe("digits")` is `find_recipe("digits")`.
"""

import sys
from types import ModuleType

from sparring.catalogue import OwnPart
from sparring.recipe.definition import KIND_OF, PRECISIONS, Origin, Recipe, default_settings, recipe
from sparring.recipe.files import find_recipe, reload

__all__ = [
    "KIND_OF",
    "PRECISIONS",
    "Origin",
    "OwnPart",
    "Recipe",
    "default_settings",
    "find_recipe",
    "recipe",
    "reload",
]


class _Callable(ModuleType):
    """A package's name in its parent is the package itself, so this is the only way to have a function of its name."""

    def __call__(self, name: str) -> Recipe:
        return find_recipe(name)


sys.modules[__name__].__class__ = _Callable
