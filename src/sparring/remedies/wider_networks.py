from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, final

from sparring.networks.fully_connected import FullyConnected
from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import PLAYERS, example_size, has_images

NARROW = 16
"""Width of the narrowest hidden layer below which a network is narrow; for points, four times their coordinates."""


@final
@dataclass(frozen=True)
class WiderNetworks(Remedy):
    """Hidden layers of 128 and 256 units for a fully connected network with a very narrow one; smaller for points."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        images = has_images(recipe)
        narrow = NARROW if images else min(NARROW, 4 * (example_size(recipe) or NARROW))
        for player in PLAYERS:
            network = getattr(recipe, player)
            if isinstance(network, FullyConnected) and network.hidden and min(network.hidden) < narrow:
                widths = (128, 256) if images else (64, 64)
                hidden = widths if player == "generator" else widths[::-1]
                changed[player] = dataclasses.replace(network, hidden=hidden)
        return changed
