from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy

SMALL, BATCH = 16, 64
LEAST_ROUNDS = 5_000


@final
@dataclass(frozen=True)
class LargerBatch(Remedy):
    """64 examples at a time where there were few, in a quarter of the rounds: D sees whether samples are alike."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        if recipe["batch"] >= SMALL:
            return {}
        return {"batch": BATCH, "rounds": min(recipe["rounds"], max(LEAST_ROUNDS, recipe["rounds"] // 4))}
