"""Recipes whose networks, data or moves exist in this process only, remembered for as long as it lives."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sparring.recipe.encoding import own_part

if TYPE_CHECKING:
    from sparring.recipe.definition import Recipe

KEPT = 64
"""How many are remembered, the newest ones: each keeps its parts alive."""

_recipes: OrderedDict[str, Recipe] = OrderedDict()


def remember(recipe: Recipe) -> None:
    """Remember a recipe by its own parts, so that runs of it can be opened in this process without naming it."""
    if key := _own_parts(recipe.to_dict()):
        _recipes[key] = recipe
        _recipes.move_to_end(key)
        while len(_recipes) > KEPT:
            _recipes.popitem(last=False)


def remembered(data: Mapping[str, Any]) -> Recipe | None:
    """A recipe with the own parts that this one, as plain data, was recorded with; None where there is none."""
    return _recipes.get(_own_parts(data))


def _own_parts(data: Mapping[str, Any]) -> str:
    """The fields that have a user's own part, as text; empty where there is none."""
    own = {field: value for field, value in data.items() if own_part(value) is not None}
    return json.dumps(own, sort_keys=True) if own else ""
