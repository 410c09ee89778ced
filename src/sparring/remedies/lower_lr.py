from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import PLAYERS, scaled_lr


@final
@dataclass(frozen=True)
class LowerLr(Remedy):
    """A tenth of both learning rates."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        return {name: value for player in PLAYERS for name, value in scaled_lr(recipe, player, 0.1).items()}
