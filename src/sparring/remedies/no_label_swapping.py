from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.tricks.label_swapping import LabelSwapping

HEAVY = 0.25
"""Share of labels swapped from which D learns more from wrong labels than from right ones."""


@final
@dataclass(frozen=True)
class NoLabelSwapping(Remedy):
    """No label swapping, where a quarter of the labels or more are swapped: D is trained with the right labels."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        kept = tuple(t for t in recipe.tricks if not (isinstance(t, LabelSwapping) and t.rate >= HEAVY))
        return {"tricks": kept} if len(kept) < len(recipe.tricks) else {}
