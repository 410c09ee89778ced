from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import kind, leaf


@final
@dataclass(frozen=True)
class ClippedGradients(Remedy):
    """Gradients longer than 1 are shortened to it, those of both players."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        if any(kind(trick) == "gradient-clipping" for trick in recipe["tricks"]):
            return {}
        return {"tricks": [*recipe["tricks"], leaf("gradient-clipping", max_norm=1.0)]}
