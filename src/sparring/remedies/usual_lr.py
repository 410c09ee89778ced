from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, final

from sparring.optimizers.adam import Adam
from sparring.optimizers.sgd import SGD
from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import PLAYERS, lr

USUAL = {Adam: (1e-4, 5e-3, 3e-4), SGD: (3e-3, 0.1, 0.02)}
"""The lowest and the highest usual learning rate, and the one that takes the place of any other."""


@final
@dataclass(frozen=True)
class UsualLr(Remedy):
    """A usual learning rate, 3e-4 for Adam and 0.02 for SGD, in place of one far from what is usual.

    A player whose learning rate is 0 gets the other player's optimizer.
    """

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        optimizers = {player: getattr(recipe, f"{player}_optimizer") for player in PLAYERS}
        for player, optimizer in optimizers.items():
            rate = lr(optimizer)
            if rate is None or type(optimizer) not in USUAL:
                continue
            low, high, usual = USUAL[type(optimizer)]
            if not low <= rate <= high:
                changed[f"{player}_optimizer"] = dataclasses.replace(optimizer, lr=usual)
        for player, other in zip(PLAYERS, reversed(PLAYERS), strict=True):
            if lr(optimizers[player]) == 0 and lr(optimizers[other]):
                changed[f"{player}_optimizer"] = changed.get(f"{other}_optimizer", optimizers[other])
        return changed
