from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import PLAYERS, with_rate


@final
@dataclass(frozen=True)
class LowerRates(Remedy):
    """A tenth of both learning rates."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        return {name: value for player in PLAYERS for name, value in with_rate(recipe, player, 0.1).items()}
