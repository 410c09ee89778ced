from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import field, kind

SPANS = {"sigmoid": [0.0, 1.0], "tanh": [-1.0, 1.0]}


@final
@dataclass(frozen=True)
class MatchingScale(Remedy):
    """The data on the scale that G's last layer can reach: [0, 1] for a sigmoid, [-1, 1] for tanh."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        output = field("networks", recipe["generator"], "output") if kind(recipe["generator"]) else None
        data = recipe["data"]
        if output not in SPANS or "span" not in data or list(data["span"]) == SPANS[output]:
            return {}
        return {"data": {**data, "span": SPANS[output]}}
