from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import has_trick
from sparring.tricks import gradient_clipping


@final
@dataclass(frozen=True)
class GradientClipping(Remedy):
    """The gradients of both players are clipped to a norm of 1."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        if has_trick(recipe, gradient_clipping.GradientClipping):
            return {}
        return {"tricks": (*recipe.tricks, gradient_clipping.GradientClipping())}
