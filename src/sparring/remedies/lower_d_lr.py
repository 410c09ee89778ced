from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import scaled_lr


@final
@dataclass(frozen=True)
class LowerDLr(Remedy):
    """A quarter of D's learning rate."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        return scaled_lr(recipe, "discriminator", 0.25)
