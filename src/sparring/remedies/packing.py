from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import d_sees_both, has_trick, is_own, move_names
from sparring.tricks import packing


@final
@dataclass(frozen=True)
class Packing(Remedy):
    """D judges two examples of one kind together (PacGAN), so it sees when generated ones are too much alike."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        unfit = is_own(recipe.discriminator) or "d_sees_mixture" in move_names(recipe) or recipe.batch % 2
        if unfit or recipe.classes or has_trick(recipe, packing.Packing):
            return {}
        return {"tricks": (*recipe.tricks, packing.Packing()), "round": d_sees_both(recipe)}
