from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import without_output_activation


@final
@dataclass(frozen=True)
class UnboundedGenerator(Remedy):
    """A built-in G without its last sigmoid or tanh: its values can then be any."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        return without_output_activation(recipe, "generator")
