"""Recipe: everything that decides what a run computes, as one frozen value that survives JSON. Loads no torch."""

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
