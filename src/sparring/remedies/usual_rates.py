from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import PLAYERS, kind, rate

USUAL = {"adam": (1e-4, 5e-3, 3e-4), "sgd": (3e-3, 0.1, 0.02)}
"""Lowest and highest learning rate that are usual, and the one to take instead of any other."""


@final
@dataclass(frozen=True)
class UsualRates(Remedy):
    """A learning rate that is far from the usual becomes a usual one: 3e-4 for Adam, 0.02 for SGD.

    A player that does not learn at all takes the rule of the other.
    """

    def changes(self, recipe: Plain) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        for player in PLAYERS:
            optimizer = recipe[f"{player}_optimizer"]
            held = rate(optimizer)
            if held is None or kind(optimizer) not in USUAL:
                continue
            low, high, usual = USUAL[kind(optimizer)]
            if not low <= held <= high:
                changed[f"{player}_optimizer"] = {**optimizer, "lr": usual}
        for player, other in zip(PLAYERS, reversed(PLAYERS), strict=True):
            if rate(recipe[f"{player}_optimizer"]) == 0 and rate(recipe[f"{other}_optimizer"]):
                changed[f"{player}_optimizer"] = changed.get(f"{other}_optimizer", recipe[f"{other}_optimizer"])
        return changed
