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
            name = f"{player}_optimizer"
            optimizer = recipe[name]
            if kind(optimizer) == "adam" and field("optimizers", optimizer, "betas")[0] > MUCH:
                changed[name] = {**optimizer, "betas": [0.0, 0.99]}
            elif kind(optimizer) == "sgd" and field("optimizers", optimizer, "momentum"):
                changed[name] = {**optimizer, "momentum": 0.0}
        return changed
