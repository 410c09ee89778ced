from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.recipe import Recipe
from sparring.remedies import Remedy

SMALL, BATCH = 16, 64
MIN_ROUNDS = 5_000


@final
@dataclass(frozen=True)
class LargerBatch(Remedy):
    """A batch of 64 in place of one below 16, in a quarter of the rounds: D sees whether samples are alike."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        if recipe.batch >= SMALL:
            return {}
        return {"batch": BATCH, "rounds": min(recipe.rounds, max(MIN_ROUNDS, recipe.rounds // 4))}
