from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.objectives.wasserstein import Wasserstein
from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import d_sees_both, has_trick
from sparring.tricks import gradient_penalty
from sparring.tricks.dragan import DRAGAN
from sparring.tricks.r1 import R1
from sparring.tricks.r1_r2 import R1R2
from sparring.tricks.weight_clipping import WeightClipping

BOUNDING = (gradient_penalty.GradientPenalty, WeightClipping, R1R2, R1, DRAGAN)
"""Tricks that keep a critic's scores bounded."""


@final
@dataclass(frozen=True)
class GradientPenalty(Remedy):
    """A gradient penalty for a Wasserstein critic without any: its scores would otherwise grow without bound."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        if not isinstance(recipe.objective, Wasserstein) or has_trick(recipe, *BOUNDING):
            return {}
        return {"tricks": (*recipe.tricks, gradient_penalty.GradientPenalty()), "round": d_sees_both(recipe)}
