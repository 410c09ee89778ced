from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, final

from sparring.networks.fully_connected import FullyConnected
from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import PLAYERS


@final
@dataclass(frozen=True)
class LeakyRelu(Remedy):
    """Leaky ReLUs in place of sigmoids or tanh between the layers: a sigmoid passes at most a quarter of a gradient."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        for player in PLAYERS:
            network = getattr(recipe, player)
            if isinstance(network, FullyConnected) and network.activation in ("sigmoid", "tanh"):
                changed[player] = dataclasses.replace(network, activation="leaky-relu", slope=0.2)
        return changed
