from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import PLAYERS, field, kind

MUCH = 0.5


@final
@dataclass(frozen=True)
class LessMomentum(Remedy):
    """Adam's first beta 0 where it was over a half, SGD without momentum: momentum carries players past each other."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        for player in PLAYERS:
            name = f"{player}_optimiser"
            optimiser = recipe[name]
            if kind(optimiser) == "adam" and field("optimisers", optimiser, "betas")[0] > MUCH:
                changed[name] = {**optimiser, "betas": [0.0, 0.99]}
            elif kind(optimiser) == "sgd" and field("optimisers", optimiser, "momentum"):
                changed[name] = {**optimiser, "momentum": 0.0}
        return changed
