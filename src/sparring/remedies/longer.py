from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy


@final
@dataclass(frozen=True)
class Longer(Remedy):
    """Four times the rounds."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        return {"rounds": 4 * recipe["rounds"]}
