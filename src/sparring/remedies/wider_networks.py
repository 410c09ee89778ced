from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import PLAYERS, are_images, field, kind, numbers

NARROW = 16
"""Numbers in the narrowest hidden layer, below which a network is narrow; of data of a few numbers, four for each."""


@final
@dataclass(frozen=True)
class WiderNetworks(Remedy):
    """Two hidden layers of 128 and 256 for a fully connected network with a very narrow one; smaller for points."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        images = are_images(recipe)
        least = NARROW if images else min(NARROW, 4 * (numbers(recipe) or NARROW))
        for player in PLAYERS:
            network = recipe[player]
            hidden = field("networks", network, "hidden") if kind(network) == "fully-connected" else None
            if hidden and min(hidden) < least:
                widths = [128, 256] if images else [64, 64]
                changed[player] = {**network, "hidden": widths if player == "generator" else widths[::-1]}
        return changed
