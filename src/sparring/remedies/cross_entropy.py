from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.double_sigmoid import DoubleSigmoid
from sparring.objectives.handwritten_cross_entropy import HandwrittenCrossEntropy
from sparring.objectives.minimax import Minimax
from sparring.objectives.mse import MSE
from sparring.recipe import Recipe
from sparring.remedies import Remedy

FLAT = (Minimax, DoubleSigmoid, HandwrittenCrossEntropy, MSE)
"""Objectives whose gradient vanishes where D is sure."""


@final
@dataclass(frozen=True)
class CrossEntropy(Remedy):
    """Cross-entropy on logits, whose gradient is largest when G is worst, in place of a saturating objective."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        return {"objective": BCEWithLogits()} if isinstance(recipe.objective, FLAT) else {}
