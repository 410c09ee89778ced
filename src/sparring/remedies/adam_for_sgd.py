from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.optimizers.adam import Adam
from sparring.optimizers.sgd import SGD
from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import PLAYERS


@final
@dataclass(frozen=True)
class AdamForSGD(Remedy):
    """Adam with a learning rate of 2e-4 in place of SGD."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        adam = Adam(lr=2e-4, betas=(0.5, 0.999))
        names = [f"{player}_optimizer" for player in PLAYERS]
        return {name: adam for name in names if isinstance(getattr(recipe, name), SGD)}
