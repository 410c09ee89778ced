from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import D_STEPS, move_names, one_step_each

UNEQUAL = 3.0
"""Steps of one player for each step of the other, from which a round is unequal."""
MAX_ROUNDS = 20_000


@final
@dataclass(frozen=True)
class EqualSteps(Remedy):
    """One step of D for each step of G, in so many more rounds that the total of steps stays about the same."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        names = move_names(recipe)
        d, g = sum(D_STEPS.get(name, 0.0) for name in names), names.count("g_fools_d")
        if not d or not g or max(d / g, g / d) < UNEQUAL:
            return {}
        rounds = max(recipe.rounds, min(MAX_ROUNDS, round(recipe.rounds * (d + g) / 2)))
        return {"round": one_step_each(), "rounds": rounds}
