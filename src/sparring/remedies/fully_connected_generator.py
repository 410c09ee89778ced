from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.networks.fully_connected import FullyConnected
from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import is_own, output_for


@final
@dataclass(frozen=True)
class FullyConnectedGenerator(Remedy):
    """A fully connected G in place of a network of one's own: to see whether that network is at fault."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        if not is_own(recipe.generator):
            return {}
        return {"generator": FullyConnected(hidden=(128, 256), output=output_for(recipe))}
