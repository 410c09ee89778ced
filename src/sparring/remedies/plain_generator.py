from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import kind, leaf

OUTPUTS = {(0.0, 1.0): "sigmoid", (-1.0, 1.0): "tanh"}


@final
@dataclass(frozen=True)
class PlainGenerator(Remedy):
    """A plain fully connected G in place of a network of one's own: to see whether that is at fault."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        if kind(recipe["generator"]):
            return {}
        low, high = recipe["data"].get("span") or (0.0, 1.0)
        return {"generator": leaf("fully-connected", hidden=[128, 256], output=OUTPUTS.get((low, high), "none"))}
