from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import has_trick, move_names, penalty_weight
from sparring.tricks.dragan import DRAGAN
from sparring.tricks.gradient_penalty import GradientPenalty
from sparring.tricks.r1 import R1
from sparring.tricks.r1_r2 import R1R2
from sparring.tricks.r2 import R2


@final
@dataclass(frozen=True)
class R1R2Penalty(Remedy):
    """A penalty on D's gradient at real and at generated examples (R1 and R2): players that chase each other settle."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        has_penalty = has_trick(recipe, R1, R2, R1R2, GradientPenalty, DRAGAN)
        if has_penalty or "d_sees_mixture" in move_names(recipe):
            return {}
        return {"tricks": (*recipe.tricks, R1R2(gamma=penalty_weight(recipe)))}
