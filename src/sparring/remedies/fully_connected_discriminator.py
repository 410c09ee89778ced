from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.networks.fully_connected import FullyConnected
from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import is_own


@final
@dataclass(frozen=True)
class FullyConnectedDiscriminator(Remedy):
    """A fully connected D in place of a network of one's own: to see whether that network is at fault."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        return {"discriminator": FullyConnected(hidden=(256, 128))} if is_own(recipe.discriminator) else {}
