from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, final

from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import is_own

SPANS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}


@final
@dataclass(frozen=True)
class MatchingDataRange(Remedy):
    """The data scaled to the range of G's output activation: [0, 1] for sigmoid, [-1, 1] for tanh."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        output = None if is_own(recipe.generator) else getattr(recipe.generator, "output", None)
        data: Any = recipe.data
        if output not in SPANS or is_own(data) or all(field.name != "span" for field in dataclasses.fields(data)):
            return {}
        if tuple(data.span) == SPANS[output]:
            return {}
        return {"data": dataclasses.replace(data, span=SPANS[output])}
