from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import d_sees_both, kind, leaf


@final
@dataclass(frozen=True)
class PackedPairs(Remedy):
    """D judges two examples of one kind at once, so it sees when generated ones are too much alike."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        own = not kind(recipe["discriminator"]) or "d_sees_mixture" in recipe["round"]
        if own or recipe["batch"] % 2 or any(kind(trick) == "packing" for trick in recipe["tricks"]):
            return {}
        return {"tricks": [*recipe["tricks"], leaf("packing")], "round": d_sees_both(recipe)}
