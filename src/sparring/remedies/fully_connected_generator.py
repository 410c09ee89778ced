from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.networks.fully_connected import FullyConnected
from sparring.recipe import OwnPart, Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import is_own


@final
@dataclass(frozen=True)
class FullyConnectedGenerator(Remedy):
    """A fully connected G in place of a network of one's own: to see whether that network is at fault."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        if not is_own(recipe.generator):
            return {}
        span = recipe.data.fields.get("span") if isinstance(recipe.data, OwnPart) else recipe.data.span
        low, high = span or (0.0, 1.0)
        output = "sigmoid" if (low, high) == (0.0, 1.0) else "tanh" if (low, high) == (-1.0, 1.0) else "none"
        return {"generator": FullyConnected(hidden=(128, 256), output=output)}
