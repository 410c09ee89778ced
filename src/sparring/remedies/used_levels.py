from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, final

from sparring.datasets.folder import Folder
from sparring.recipe import Recipe
from sparring.remedies import Remedy


@final
@dataclass(frozen=True)
class UsedLevels(Remedy):
    """The darkest and the brightest level of the images become black and white: dark ones then use all of G's range."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        data = recipe.data
        if not isinstance(data, Folder) or data.levels != "full":
            return {}
        return {"data": dataclasses.replace(data, levels="used")}
