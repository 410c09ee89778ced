from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import kind, leaf, steepness, without

PENALTIES = ("r1", "r2", "r1-r2", "gradient-penalty", "dragan")


@final
@dataclass(frozen=True)
class FlatterDiscriminator(Remedy):
    """D pays for being steep at real and at generated examples: games that circle come to rest."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        if any(kind(trick) in PENALTIES for trick in recipe["tricks"]) or "d_sees_mixture" in recipe["round"]:
            return {}
        return {"tricks": [*without(recipe), leaf("r1-r2", gamma=steepness(recipe))]}
