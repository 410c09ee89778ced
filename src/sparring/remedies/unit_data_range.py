from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import is_own, with_span


@final
@dataclass(frozen=True)
class UnitDataRange(Remedy):
    """The data scaled to [0, 1], for a G of one's own that ends in a sigmoid or a ReLU."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        return with_span(recipe, (0.0, 1.0)) if is_own(recipe.generator) else {}
