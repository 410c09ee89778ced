from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import kind

FLAT = ("minimax", "double-sigmoid", "handwritten-cross-entropy", "mse")
"""Objectives whose slope vanishes where D is sure."""


@final
@dataclass(frozen=True)
class CrossEntropy(Remedy):
    """Cross-entropy on logits, with which G learns most when it is worst, for an objective that is flat there."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        return {"objective": {"is": "bce-with-logits"}} if kind(recipe["objective"]) in FLAT else {}
