from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import field, kind

MUCH = 0.25
"""Share of labels swapped from which on D learns more from the wrong names than from the right ones."""


@final
@dataclass(frozen=True)
class HonestLabels(Remedy):
    """D is told what an example is: label swapping goes where it is heavy."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        heavy = [t for t in recipe["tricks"] if kind(t) == "label-swapping" and field("tricks", t, "rate") >= MUCH]
        return {"tricks": [t for t in recipe["tricks"] if t not in heavy]} if heavy else {}
