"""What may help: named changes to a recipe, one in a file. A rule names remedies; each checks whether it fits a recipe.

A remedy reads and changes a real `Recipe`, whose parts import without torch; a user's own part may be a placeholder
(`OwnPart`). The changed recipe is trained from scratch: what went wrong is in the weights too, and networks or latent
vectors may have another shape. Only a remedy that says so lets the run itself go on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, final

from sparring.recipe import Recipe


class Remedy(ABC):
    """Leaves are final frozen dataclasses without fields: a remedy has a name and no settings."""

    continues: ClassVar[bool] = False
    """Whether the run goes on from where it is, in its own folder; else a new run is trained from scratch."""

    @abstractmethod
    def changes(self, recipe: Recipe) -> dict[str, Any]:
        """The recipe's fields that it changes, and their new values; empty where it has nothing to offer."""

    @final
    def __call__(self, recipe: Recipe) -> Recipe | None:
        """The changed recipe; None where this remedy does not fit."""
        changes = {name: value for name, value in self.changes(recipe).items() if value != getattr(recipe, name)}
        return recipe.replace(**changes) if changes else None
