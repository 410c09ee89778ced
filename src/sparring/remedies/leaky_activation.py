from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import PLAYERS, field, kind


@final
@dataclass(frozen=True)
class LeakyActivation(Remedy):
    """Leaky ReLUs in place of sigmoids between the layers: a sigmoid passes a quarter of a gradient at most."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        return {
            player: {**recipe[player], "activation": "leaky-relu", "slope": 0.2}
            for player in PLAYERS
            if kind(recipe[player]) == "fully-connected"
            and field("networks", recipe[player], "activation") in ("sigmoid", "tanh")
        }
