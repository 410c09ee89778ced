from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.recipe import Recipe
from sparring.remedies import Remedy


@final
@dataclass(frozen=True)
class MoreRounds(Remedy):
    """Four times as many rounds."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        return {"rounds": 4 * recipe.rounds}
