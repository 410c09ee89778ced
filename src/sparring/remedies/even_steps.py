from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import D_STEPS, MODERN

UNEVEN = 3.0
"""Steps of one player for each of the other, from which on the round is uneven."""
MOST_ROUNDS = 20_000


@final
@dataclass(frozen=True)
class EvenSteps(Remedy):
    """One step of D for one of G, in as many rounds as make up for the steps left out."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        moves = recipe["round"]
        if not all(isinstance(move, str) for move in moves):
            return {}
        d, g = sum(D_STEPS.get(move, 0.0) for move in moves), moves.count("g_fools_d")
        if not d or not g or max(d / g, g / d) < UNEVEN:
            return {}
        rounds = max(recipe["rounds"], min(MOST_ROUNDS, round(recipe["rounds"] * (d + g) / 2)))
        return {"round": MODERN, "rounds": rounds}
