from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import PLAYERS, kind, leaf


@final
@dataclass(frozen=True)
class AdamForSGD(Remedy):
    """Adam at 2e-4 for both players, in place of plain gradient descent."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        steps = leaf("adam", lr=2e-4, betas=[0.5, 0.999])
        return {f"{p}_optimizer": steps for p in PLAYERS if kind(recipe[f"{p}_optimizer"]) == "sgd"}
