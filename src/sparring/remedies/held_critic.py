from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import d_sees_both, kind, leaf, without

HOLDS = ("gradient-penalty", "weight-clipping", "r1-r2", "r1", "dragan")


@final
@dataclass(frozen=True)
class HeldCritic(Remedy):
    """A gradient penalty for a Wasserstein critic that nothing holds: without one its scores grow without end."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        held = any(kind(trick) in HOLDS for trick in recipe["tricks"])
        if kind(recipe["objective"]) != "wasserstein" or held:
            return {}
        return {"tricks": [*without(recipe), leaf("gradient-penalty")], "round": d_sees_both(recipe)}
