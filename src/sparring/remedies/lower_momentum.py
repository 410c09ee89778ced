from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, final

from sparring.optimizers.adam import Adam
from sparring.optimizers.sgd import SGD
from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import PLAYERS

HIGH = 0.5


@final
@dataclass(frozen=True)
class LowerMomentum(Remedy):
    """Adam with beta_1 = 0 where it was above 0.5, SGD without momentum: momentum carries players past each other."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        for player in PLAYERS:
            name = f"{player}_optimizer"
            optimizer = getattr(recipe, name)
            if isinstance(optimizer, Adam) and optimizer.betas[0] > HIGH:
                changed[name] = dataclasses.replace(optimizer, betas=(0.0, 0.99))
            elif isinstance(optimizer, SGD) and optimizer.momentum:
                changed[name] = dataclasses.replace(optimizer, momentum=0.0)
        return changed
