"""What may help: named changes to a recipe, one in a file. A rule names them; a remedy looks whether it fits.

A remedy reads and changes a recipe as plain data, as a run's recipe.json holds it, so no torch is loaded. The changed
recipe is trained from scratch: what went wrong is in the weights too, and networks or latent vectors may have another
shape.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, final

Plain = Mapping[str, Any]
"""A recipe, or a part of one, as JSON has it."""


class Remedy(ABC):
    """Leaves are final frozen dataclasses without fields: a remedy is named, not tuned."""

    @abstractmethod
    def changes(self, recipe: Plain) -> dict[str, Any]:
        """The fields that it changes and what they become; none where it has nothing to offer to this recipe."""

    @final
    def __call__(self, recipe: Plain) -> dict[str, Any] | None:
        """The changed recipe; None where this remedy does not fit."""
        changes = {name: value for name, value in self.changes(recipe).items() if value != recipe.get(name)}
        return {**recipe, **changes} if changes else None
